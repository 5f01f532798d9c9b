import { Duration, workflow } from '@flovyn/sdk';

import { HANDLED, HANDLER } from './program.mjs';

/**
 * What one run of a workflow function saw and did, in order: each command and what came of it, each read. Two runs of
 * one execution must have seen the same, as far as both came.
 *
 * @typedef {[what: string, ...details: (string | number)[]][]} Trace
 */

/** The error of programs that throw. */
class ProgramError extends Error {
  constructor() {
    super('thrown');
    this.name = 'ProgramError';
  }
}

/**
 * The one workflow that runs all programs.
 *
 * @param {(executionId: string, trace: Trace) => Outside} begin is told of each run of the function
 * @typedef {{ program: object, codeVersion: number, tookOldWay: () => void, asksTasksToStop: boolean, operation: (name: string, occurrence: number) => Promise<unknown>, note: (what: string) => void }} Outside
 */
export function interpreter(begin) {
  const runs = new WeakMap();
  // Handlers may be called before the function.
  const runOf = (ctx) => {
    const trace = [];
    const run = runs.get(ctx) ?? new Run(trace, begin(ctx.workflowExecutionId, trace));
    runs.set(ctx, run);
    return run;
  };
  return workflow({
    name: 'program',
    run: (ctx, block) => runOf(ctx).start(ctx, block),
    handlers: {
      signals: { [HANDLED]: (ctx, value) => runOf(ctx).handle(ctx, value) },
      queries: { [QUERY]: answer },
    },
  });
}

/** The query that workers answer. */
export const QUERY = 'snapshot';

/** All that a query can see, and which query it was. */
function answer(ctx, asked) {
  const state = ctx.stateKeys().map((key) => [key, ctx.get(key)]);
  return { asked, events: ctx.info.historyLength, state: Object.fromEntries(state) };
}

/** How a block ended: `RETURN` ends the blocks around it too. */
const NEXT = 'next';
const RETURN = 'return';
/** Statements that are counted though they ask for nothing. */
const NOTED = new Set(['start', 'if', 'loop', 'try', 'throw', 'return']);
const ROOT = 0;
/** The versions of the code: from before the patches, with them, and with the new way only. */
export const BEFORE_PATCHES = 0;
export const WITH_PATCHES = 1;
export const AFTER_PATCHES = 2;

/**
 * Where a statement stands: the context and the number of its scope, the value of the last thing awaited, and what was
 * started beside it.
 *
 * @typedef {{ ctx: any, scope: number, last: unknown, started: any[] }} Place
 */

class Run {
  #trace;
  #outside;
  #handles = 0;
  #operations = new Map();
  /** What the function and its handlers have started: handlers can cancel it too. */
  #started = [];
  /** The promises of tasks. */
  #tasks = new WeakSet();
  /** The numbers of handles, by their promises. */
  #numbers = new Map();

  constructor(trace, outside) {
    this.#trace = trace;
    this.#outside = outside;
  }

  async start(ctx, name) {
    const place = { ctx, scope: ROOT, last: null, started: this.#started };
    await this.#block(this.#outside.program[name], place);
    this.#note('end', text(place.last));
    return place.last;
  }

  async handle(ctx, value) {
    this.#note('handler', text(value));
    await this.#block(this.#outside.program[HANDLER], {
      ctx,
      scope: ROOT,
      last: value,
      started: this.#started,
    });
  }

  async #block(block, place) {
    for (const statement of block) {
      if ((await this.#statement(statement, place)) === RETURN) return RETURN;
    }
    return NEXT;
  }

  async #statement(statement, place) {
    if (NOTED.has(statement.do)) this.#note(statement.do);
    switch (statement.do) {
      case 'await':
        place.last = await this.#expression(statement.of, place);
        return NEXT;
      case 'start':
        place.started.push(this.#expression(statement.of, place));
        return NEXT;
      case 'if':
        return this.#block(this.#holds(statement.when, place) ? statement.then : statement.else, place);
      case 'loop':
        for (let turn = 0; turn < statement.times; turn += 1) {
          if ((await this.#block(statement.body, place)) === RETURN) return RETURN;
        }
        return NEXT;
      case 'try':
        return this.#try(statement, place);
      case 'throw':
        throw new ProgramError();
      case 'return':
        return RETURN;
      default:
        this.#synchronous(statement, place);
        return NEXT;
    }
  }

  async #try(statement, place) {
    try {
      return await this.#block(statement.body, place);
    } catch (error) {
      this.#note('caught', text(error));
      return await this.#block(statement.catch, place);
    } finally {
      await this.#block(statement.finally, place);
    }
  }

  #synchronous(statement, place) {
    const { ctx } = place;
    switch (statement.do) {
      case 'set':
        this.#note('set', statement.key, text(place.last));
        return ctx.set(statement.key, place.last);
      case 'clear':
        this.#note('clear', statement.key);
        return ctx.clear(statement.key);
      case 'clearAll':
        this.#note('clearAll');
        return ctx.clearAll();
      case 'cancel':
        return this.#cancel(place.started[statement.started % place.started.length]);
      case 'checkCancellation':
        this.#note('checkCancellation');
        return ctx.checkCancellation();
      case 'isCancellationRequested':
        place.last = this.#read(statement.do, ctx.isCancellationRequested, place.scope);
        return;
      case 'currentTime':
        place.last = this.#read('currentTime', ctx.currentTimeMillis());
        return;
      default:
        place.last = this.#ask(statement, ctx);
    }
  }

  #ask({ do: verb, key, signal, patch }, ctx) {
    if (verb === 'patched') return this.#patched(patch, ctx);
    const argument = key ?? signal;
    if (argument === undefined) return this.#read(verb, ctx[verb]());
    return this.#read(verb, ctx[verb](argument), argument);
  }

  #patched(patch, ctx) {
    if (this.#outside.codeVersion === AFTER_PATCHES) {
      this.#note('deprecatePatch', patch);
      ctx.deprecatePatch(patch);
      return true;
    }
    const isNew =
      this.#outside.codeVersion === WITH_PATCHES && this.#read('patched', ctx.patched(patch), patch);
    if (!isNew) this.#outside.tookOldWay();
    return isNew;
  }

  #holds({ is, key, signal, patch }, { ctx, last }) {
    if (is === 'odd') return isOdd(last);
    if (is === 'set') return this.#ask({ do: 'get', key }, ctx) !== null;
    if (is === 'signal') return this.#ask({ do: 'hasSignal', signal }, ctx);
    return this.#ask({ do: 'patched', patch }, ctx);
  }

  #cancel(started) {
    if (typeof started?.cancel !== 'function') return;
    // Where the server does not know that, it throws; where only some workers know it, it is no workflow any more.
    if (this.#tasks.has(started) && !this.#outside.asksTasksToStop) return;
    this.#note('cancel', this.#numbers.get(started));
    started.cancel();
  }

  /** Begins something and gives the promise of its end. */
  #expression(expression, place) {
    const [[verb, value]] = Object.entries(expression);
    const all = () => value.map((each) => this.#expression(each, place));
    switch (verb) {
      case 'branch':
        this.#note(verb);
        return this.#apart(value, place, place.ctx, place.scope);
      case 'started':
        return place.started[value % place.started.length] ?? Promise.resolve(null);
      case 'all':
      case 'race':
      case 'any':
        this.#note(verb);
        return Promise[verb](all());
      case 'allSettled':
        this.#note(verb);
        return Promise.allSettled(all()).then((ends) => ends.map((end) => text(end.value ?? end.reason)));
      case 'scope':
      case 'nonCancellable':
        return this.#scope(verb, expression, place);
      case 'withTimeout':
        return this.#withTimeout(expression, place);
      default:
        return this.#leaf(verb, expression, place);
    }
  }

  /** A block by itself: what it starts is its own. */
  async #apart(block, { last }, ctx, scope) {
    const place = { ctx, scope, last, started: [] };
    await this.#block(block, place);
    return place.last;
  }

  #scope(verb, expression, place) {
    const { timeoutMs = 0 } = expression;
    const number = this.#number();
    this.#note(verb, number, timeoutMs, place.scope);
    const body = (ctx) => this.#apart(expression[verb], place, ctx, number);
    if (verb === 'nonCancellable') return this.#watch(number, place.ctx.nonCancellable(body));
    const options = timeoutMs > 0 ? { timeout: Duration.milliseconds(timeoutMs) } : {};
    return this.#watch(number, place.ctx.scope(body, options));
  }

  #withTimeout({ withTimeout, timeoutMs }, place) {
    const target = this.#expression(withTimeout, place);
    const number = this.#number();
    const cancellable = typeof target.cancel === 'function' ? this.#numbers.get(target) : 0;
    this.#note('withTimeout', number, timeoutMs, place.scope, cancellable);
    return this.#watch(number, place.ctx.withTimeout(target, Duration.milliseconds(timeoutMs)));
  }

  #leaf(verb, expression, place) {
    const number = this.#number();
    this.#note(verb, number, expression[verb], place.scope, expression.name ?? '');
    try {
      const promise = this.#command(verb, expression, place.ctx);
      if (verb === 'task') this.#tasks.add(promise);
      return this.#watch(number, promise);
    } catch (error) {
      this.#note('refused', number, text(error));
      throw error;
    }
  }

  #command(verb, expression, ctx) {
    const { timeoutMs, name } = expression;
    const value = expression[verb];
    switch (verb) {
      case 'task':
        return ctx.scheduleByName(value, null);
      case 'sleep':
        return ctx.sleep(Duration.milliseconds(value));
      case 'promise':
        return ctx.promise(value, timeoutMs ? { timeout: Duration.milliseconds(timeoutMs) } : {});
      case 'signal':
        return ctx.waitForSignal(value);
      case 'child':
        return ctx.scheduleWorkflowByName('program', value, name === undefined ? {} : { name });
      case 'run': {
        const occurrence = (this.#operations.get(value) ?? 0) + 1;
        this.#operations.set(value, occurrence);
        return ctx.run(value, () => this.#outside.operation(value, occurrence));
      }
      default:
        throw new Error(`no verb ${verb}`);
    }
  }

  #number() {
    this.#handles += 1;
    return this.#handles;
  }

  /** Notes what becomes of a promise before anybody else learns of it. */
  #watch(number, promise) {
    this.#numbers.set(promise, number);
    promise.then(
      (result) => this.#note('resolved', number, text(result)),
      (error) => this.#note('rejected', number, text(error)),
    );
    return promise;
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
