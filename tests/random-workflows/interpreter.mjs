import { Duration, workflow } from '@flovyn/sdk';

/**
 * What one run of a workflow function saw and did, in order: each command and what came of it, each read. Two runs of
 * one execution must have seen the same, as far as both came.
 *
 * @typedef {[what: string, ...details: (string | number)[]][]} Trace
 */

/** The error of programs that throw. */
export class ProgramError extends Error {
  constructor() {
    super('thrown');
    this.name = 'ProgramError';
  }
}

/**
 * The one workflow that runs all programs.
 *
 * @param {(executionId: string, trace: Trace) => Outside} begin is told of each run of the function
 * @typedef {{ program: object, operation: (name: string, occurrence: number) => Promise<unknown>, note: () => void }} Outside
 */
export function interpreter(begin) {
  return workflow({
    name: 'program',
    run: (ctx, block) => {
      const trace = [];
      const outside = begin(ctx.workflowExecutionId, trace);
      return new Run(ctx, trace, outside).start(outside.program[block]);
    },
  });
}

/** How a block ended: `RETURN` ends the blocks around it too. */
const NEXT = 'next';
const RETURN = 'return';
/** Statements that are counted though they ask for nothing. */
const NOTED = new Set(['start', 'if', 'loop', 'try', 'throw', 'return']);

class Run {
  #ctx;
  #trace;
  #outside;
  #handles = 0;
  #operations = new Map();

  constructor(ctx, trace, outside) {
    this.#ctx = ctx;
    this.#trace = trace;
    this.#outside = outside;
  }

  async start(block) {
    const scope = { last: null, started: [] };
    await this.#block(block, scope);
    this.#note('end', text(scope.last));
    return scope.last;
  }

  async #block(block, scope) {
    for (const statement of block) {
      if ((await this.#statement(statement, scope)) === RETURN) return RETURN;
    }
    return NEXT;
  }

  async #statement(statement, scope) {
    if (NOTED.has(statement.do)) this.#note(statement.do);
    switch (statement.do) {
      case 'await':
        scope.last = await this.#expression(statement.of, scope);
        return NEXT;
      case 'start':
        scope.started.push(this.#expression(statement.of, scope));
        return NEXT;
      case 'if':
        return this.#block(this.#holds(statement.when, scope) ? statement.then : statement.else, scope);
      case 'loop':
        for (let turn = 0; turn < statement.times; turn += 1) {
          if ((await this.#block(statement.body, scope)) === RETURN) return RETURN;
        }
        return NEXT;
      case 'try':
        return this.#try(statement, scope);
      case 'throw':
        throw new ProgramError();
      case 'return':
        return RETURN;
      default:
        return this.#synchronous(statement, scope);
    }
  }

  async #try(statement, scope) {
    try {
      return await this.#block(statement.body, scope);
    } catch (error) {
      this.#note('caught', text(error));
      return await this.#block(statement.catch, scope);
    } finally {
      await this.#block(statement.finally, scope);
    }
  }

  #synchronous(statement, scope) {
    const ctx = this.#ctx;
    switch (statement.do) {
      case 'set':
        this.#note('set', statement.key, text(scope.last));
        ctx.set(statement.key, scope.last);
        return NEXT;
      case 'clear':
        this.#note('clear', statement.key);
        ctx.clear(statement.key);
        return NEXT;
      case 'clearAll':
        this.#note('clearAll', ctx.stateKeys().join());
        ctx.clearAll();
        return NEXT;
      case 'get':
        scope.last = this.#read('get', ctx.get(statement.key), statement.key);
        return NEXT;
      case 'currentTime':
        scope.last = this.#read('currentTime', ctx.currentTimeMillis());
        return NEXT;
      default:
        scope.last = this.#read(statement.do, ctx[statement.do]());
        return NEXT;
    }
  }

  #holds(condition, scope) {
    if (condition.is === 'odd') return isOdd(scope.last);
    return this.#read('get', this.#ctx.get(condition.key), condition.key) !== null;
  }

  /** Begins something and gives the promise of its end. */
  #expression(expression, scope) {
    const [[verb, value]] = Object.entries(expression);
    const all = () => value.map((each) => this.#expression(each, scope));
    switch (verb) {
      case 'branch':
        this.#note(verb);
        return this.#branch(value, scope);
      case 'started':
        return scope.started[value % scope.started.length] ?? Promise.resolve(null);
      case 'all':
      case 'race':
      case 'any':
        this.#note(verb);
        return Promise[verb](all());
      case 'allSettled':
        this.#note(verb);
        return Promise.allSettled(all()).then((ends) => ends.map((end) => text(end.value ?? end.reason)));
      default:
        return this.#handle(verb, value, expression);
    }
  }

  /** Handles that it starts are its own. */
  async #branch(block, { last }) {
    const scope = { last, started: [] };
    await this.#block(block, scope);
    return scope.last;
  }

  #handle(verb, value, expression) {
    this.#handles += 1;
    const handle = this.#handles;
    this.#note(verb, handle, value);
    const promise = this.#command(verb, value, expression);
    promise.then(
      (result) => this.#note('resolved', handle, text(result)),
      (error) => this.#note('rejected', handle, text(error)),
    );
    return promise;
  }

  #command(verb, value, { timeoutMs }) {
    const ctx = this.#ctx;
    switch (verb) {
      case 'task':
        return ctx.scheduleByName(value, null);
      case 'sleep':
        return ctx.sleep(Duration.milliseconds(value));
      case 'promise':
        return ctx.promise(value, timeoutMs ? { timeout: Duration.milliseconds(timeoutMs) } : {});
      case 'run': {
        const occurrence = (this.#operations.get(value) ?? 0) + 1;
        this.#operations.set(value, occurrence);
        return ctx.run(value, () => this.#outside.operation(value, occurrence));
      }
      default:
        throw new Error(`no verb ${verb}`);
    }
  }

  #read(what, value, ...details) {
    this.#note(what, ...details, text(value));
    return value;
  }

  #note(...entry) {
    this.#trace.push(entry);
    this.#outside.note(entry[0]);
  }
}

function isOdd(value) {
  const written = text(value);
  return written.charCodeAt(written.length - 1) % 2 === 1;
}

/** A value or an error in one line. */
function text(value) {
  if (value instanceof AggregateError) return `AggregateError: ${value.errors.map(text).join('; ')}`;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return JSON.stringify(value) ?? 'undefined';
}
