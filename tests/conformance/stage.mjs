import { Duration, FlovynClient, silentLogger, task, workflow } from '@flovyn/sdk';

import {
  PATHS,
  readClaim,
  readEvents,
  readNext,
  readSubmission,
  withoutPoll,
  writeGetEvents,
} from './wire.mjs';

const LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 5;
const KINDS = ['charge', 'refund', 'work', 'cleanup', 't', 'u'];

/**
 * Where one execution is played: a server, a worker for its workflow that can be taken away at any moment, and a client
 * that runs the tasks and calls from outside. Tasks and operations that a row holds wait until its script ends them.
 *
 * How the worker works is the mode: `cached` keeps the execution in memory, `replaying` replays it in each activation,
 * `killed` is killed after each submission and everything in it is gone. A place with `isolates` has the worker in one of
 * them, a new one after each kill; elsewhere it shares the stage's, and is cut off from the server when it is killed.
 *
 * @typedef {'cached' | 'replaying' | 'killed'} Mode
 */
export class Stage {
  /** Submissions that the server took, in order, with the time of their activation and the workflow that made them. */
  submissions = [];
  violations = [];
  #row;
  #place;
  #mode;
  #code = 'run';
  #outside;
  #worker;
  #lifecycle = Promise.resolve();
  #waiting = [];
  #calls = [];
  #beforeSubmit;
  #taskTimes = new Map();

  /**
   * @param {object} row of semantics.mjs
   * @param {{ transport: object, orgId: string, isolates?: { start: Function } }} place the server, and where workers are
   * @param {Mode} mode
   */
  constructor(row, place, mode) {
    this.#row = row;
    this.#place = { ...place, queue: `stage-${globalThis.crypto.randomUUID()}` };
    this.#mode = mode;
  }

  #definitions() {
    return definitionsOf(this.#row, this.#code, (operation) => this.#begin('run', operation));
  }

  /** Plays the row and checks what must be true. */
  async play() {
    const { act, input, lands, tasks = [], ...row } = this.#row;
    this.#outside = this.#client(this.#place.transport);
    for (const kind of [...KINDS, ...tasks]) this.#outside.registerTask(this.#task(kind));
    await this.#outside.start();
    try {
      if (lands !== undefined) void this.landing(() => this.#started().then(() => lands(this)));
      await this.#startWorker();
      const { handle } = await this.#outside.startWorkflow(this.definition, input ?? null);
      this.handle = handle;
      await this.#within(act?.(this), 'its script');
      if (row.neverEnds !== true) await this.#checkEnd(row);
      this.history = await this.events();
      if (row.commands !== undefined) equal('commands', row.commands, commandsOf(this.history));
      await row.then?.(this);
    } finally {
      this.#beforeSubmit = undefined;
      await this.#lifecycle;
      await this.#killWorker();
      await this.#outside.stop();
    }
  }

  #started() {
    return this.#look(() => this.handle !== undefined, 'the start');
  }

  get executionId() {
    return this.handle.workflowId;
  }

  /** The workflow that the worker runs now. */
  get definition() {
    return this.#definitions()[0];
  }

  get client() {
    return this.#outside;
  }

  async #checkEnd({ gives, fails, cancelled, anyResult }) {
    const end = await this.#within(
      this.handle.result().then(
        (value) => ({ value }),
        (error) => ({ error }),
      ),
      'its result',
    );
    if (fails === undefined && cancelled !== true) {
      if (end.error !== undefined) throw end.error;
      if (anyResult === true) return;
      return equal('result', gives ?? null, end.value);
    }
    if (end.error === undefined) throw new Error(`it must not complete, gave ${JSON.stringify(end.value)}`);
    if (cancelled === true) equal('error', 'WorkflowCancelled', end.error.name);
    if (fails !== undefined && !fails.test(end.error.message)) throw end.error;
  }

  // --- what a script can do ---

  /** The history so far. */
  async events() {
    const events = [];
    for (let hasMore = true; hasMore; ) {
      const request = writeGetEvents(this.executionId, events.at(-1)?.sequence ?? 0);
      const page = readEvents((await this.#place.transport.unary(PATHS.getEvents, request)).body);
      events.push(...page.events);
      hasMore = page.hasMore;
    }
    return events;
  }

  /** Waits until the history has so many events of this type. */
  async until(type, times = 1) {
    const seen = async () => (await this.events()).filter((event) => event.type === type).length >= times;
    await this.#look(seen, `${times} ${type}`);
  }

  /** Waits until the execution has been suspended so many times, and checks the commands of its history. */
  async suspended(times, commands) {
    await this.until('WORKFLOW_SUSPENDED', times);
    if (commands !== undefined) equal('commands', commands, commandsOf(await this.events()));
  }

  /** Ends the oldest attempt of a held task of this kind, once there is one. */
  async complete(kind, value) {
    const { id, resolve } = await this.#held('task', kind);
    resolve(value);
    await this.#ended(id, 'TASK_COMPLETED');
  }

  async failTask(kind, message) {
    const { id, reject } = await this.#held('task', kind);
    reject(Object.assign(new Error(message), { retryable: false }));
    await this.#ended(id, 'TASK_FAILED');
  }

  /** Waits until an attempt of a held task runs, and gives how to end it. */
  attempt(kind) {
    return this.#held('task', kind);
  }

  /** Waits until a held operation of this name runs, and gives how to end it. */
  operation(name) {
    return this.#held('run', name);
  }

  /** How often an operation or a task was begun. */
  timesBegun(name) {
    return this.#calls.filter((call) => call === name).length;
  }

  signal(name, value) {
    return this.handle.signal(name, value);
  }

  resolvePromise(name, value) {
    return this.#outside.resolvePromise(`${this.executionId}:${name}`, value);
  }

  rejectPromise(name, reason) {
    return this.#outside.rejectPromise(`${this.executionId}:${name}`, reason);
  }

  cancel(reason) {
    return this.handle.cancel(reason);
  }

  /** Does `deed` while the next submission is on its way: what it leads to lands. Begin it before the worker submits. */
  landing(deed) {
    return new Promise((resolve, reject) => {
      this.#beforeSubmit = async () => {
        this.#beforeSubmit = undefined;
        await deed().then(resolve, reject);
      };
    });
  }

  /** Does `deed` while there is no worker for the workflow: what it leads to arrives together. */
  offline(deed) {
    const before = this.#lifecycle;
    const restart = async () => {
      await before;
      await this.#killWorker();
      await deed();
      await this.#startWorker();
    };
    const restarted = restart();
    this.#lifecycle = restarted.catch(() => {});
    return restarted;
  }

  /** Goes on with other code: `run` of the row, or one of its `codes`. */
  deploy(code) {
    return this.offline(async () => {
      this.#code = code;
    });
  }

  /** Waits until a worker has reported so many violations, and gives the texts of all. */
  async violated(times = 1) {
    await this.#look(() => this.violations.length >= times, `${times} violations`);
    return this.violations;
  }

  // --- how it works ---

  async #startWorker() {
    const controller = new AbortController();
    const start = this.#place.isolates ? this.#startIsolated : this.#startHere;
    const kill = await start.call(this, this.#relay(controller));
    this.#worker = { kill, controller };
  }

  async #startHere(transport) {
    const client = this.#client(transport);
    for (const definition of this.#definitions()) client.registerWorkflow(definition);
    await client.start();
    return () => client.stop();
  }

  async #startIsolated(transport) {
    const { orgId, queue, isolates } = this.#place;
    const replaying = this.#mode === 'replaying';
    const isolate = await isolates.start(
      { row: this.#row.name, code: this.#code, orgId, queue, replaying },
      {
        transport,
        begin: (operation) => this.#begin('run', operation),
        violated: (text) => this.violations.push(text),
      },
    );
    return () => isolate.kill();
  }

  /** Everything that the worker holds is gone. */
  async #killWorker() {
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.controller.abort();
    await worker?.kill();
  }

  #client(transport) {
    const { orgId, queue } = this.#place;
    return new FlovynClient({
      transport,
      orgId,
      queue,
      logger: silentLogger,
      shutdownGraceMs: 0,
      workflowWorkerOptions: {
        ...(this.#mode === 'replaying' ? { alwaysReplay: true } : {}),
        onViolation: ({ violation }) => this.violations.push(violation.message),
      },
    });
  }

  #relay(controller) {
    const { transport } = this.#place;
    const unary = async (method, body, options = {}) => {
      controller.signal.throwIfAborted();
      const signal = AbortSignal.any([controller.signal, ...(options.signal ? [options.signal] : [])]);
      const call = (request) => transport.unary(method, request, { ...options, signal });
      if (method === PATHS.submit) return this.#submit(controller, body, call, options);
      const answer = await call(body);
      if (method === PATHS.pollWorkflow) this.#remember(answer.body);
      return answer;
    };
    return {
      get extended() {
        return transport.extended;
      },
      unary: (method, body, options) => mortal(controller.signal, unary(method, body, options)),
      serverStream: (...call) => transport.serverStream(...call),
      close: async () => {},
    };
  }

  async #submit(controller, body, call, options) {
    await this.#beforeSubmit?.();
    // The answer must bring no work that would be lost with the worker.
    const answer = await call(this.#mode === 'killed' ? withoutPoll(body) : body);
    const next = readNext(answer.body);
    if (next !== undefined) this.#remember(next);
    const submission = readSubmission(body);
    if (submission.executionId === this.handle?.workflowId) {
      const taskTimeMs = this.#taskTimes.get(options.metadata?.['flovyn-claim']);
      this.submissions.push({ ...submission, taskTimeMs, definition: this.definition });
    }
    if (this.#mode !== 'killed' || submission.status !== 'SUSPENDED') return answer;
    if (this.#worker?.controller === controller) void this.offline(async () => {});
    return new Promise(() => {});
  }

  #remember(answer) {
    const claim = readClaim(answer);
    if (claim !== undefined) this.#taskTimes.set(claim.token, claim.taskTimeMs);
  }

  #task(kind) {
    const retry = {
      maxRetries: 0,
      initialDelay: Duration.milliseconds(1),
      maxDelay: Duration.milliseconds(1),
      backoffMultiplier: 1,
    };
    return task({
      name: kind,
      retry,
      run: (ctx, input) => this.#begin('task', kind, input, ctx.taskExecutionId),
    });
  }

  #begin(type, name, value = null, id) {
    this.#calls.push(name);
    if (!this.#row.held?.includes(name)) return value;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ type, name, id, resolve, reject });
    });
  }

  async #held(type, name) {
    const found = () => this.#waiting.find((waiting) => waiting.type === type && waiting.name === name);
    await this.#look(found, `${type} ${name}`);
    const held = found();
    this.#waiting.splice(this.#waiting.indexOf(held), 1);
    return held;
  }

  /** Waits until the end of this task is in the history. */
  async #ended(id, type) {
    const isEnd = (event) => event.type === type && event.data.taskExecutionId === id;
    await this.#look(async () => (await this.events()).some(isEnd), `${type} of ${id}`);
  }

  async #look(isTrue, what) {
    const deadline = Date.now() + LIMIT_MS;
    while (!(await isTrue())) {
      if (Date.now() > deadline)
        throw new Error(`waited in vain for ${what}; history: ${await this.#summary()}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  async #within(work, what) {
    let timer;
    const limit = new Promise((_, reject) => {
      const late = async () =>
        reject(new Error(`waited in vain for ${what}; history: ${await this.#summary()}`));
      timer = setTimeout(() => void late(), LIMIT_MS);
    });
    try {
      return await Promise.race([work, limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #summary() {
    const events = await this.events();
    const violations = this.violations.map((text) => `; violation: ${text}`).join('');
    return events.map(({ type }) => type).join(' ') + violations;
  }
}

/**
 * The workflows of a row as a worker runs them, that of the row first.
 *
 * @param {object} row of semantics.mjs
 * @param {string} code `run`, or the name of one of the row's `codes`
 * @param {(name: string) => unknown} op what an operation of this name does
 */
export function definitionsOf(row, code, op) {
  const children = {};
  const define = (name, run) => workflow({ name, run: (ctx, input) => run(ctx, input, { op, children }) });
  for (const [name, run] of Object.entries(row.children ?? {})) children[name] = define(name, run);
  return [define('row', code === 'run' ? row.run : row.codes[code]), ...Object.values(children)];
}

/** Rejects when `signal` fires, whatever becomes of the work. */
function mortal(signal, work) {
  return new Promise((resolve, reject) => {
    const die = () => reject(new Error('the worker was killed'));
    signal.addEventListener('abort', die, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', die));
  });
}

const NAMES = {
  TASK_SCHEDULED: 'kind',
  TIMER_STARTED: 'timerId',
  TIMER_CANCELLED: 'timerId',
  PROMISE_CREATED: 'promiseName',
  CHILD_WORKFLOW_INITIATED: 'childExecutionName',
  CHILD_WORKFLOW_CANCELLATION_REQUESTED: 'childExecutionName',
  TASK_CANCELLATION_REQUESTED: 'kind',
  STATE_SET: 'key',
  STATE_CLEARED: 'key',
  OPERATION_COMPLETED: 'operationName',
};

/** What code asked for, as the history has it: the type of each event and its name. */
export function commandsOf(events) {
  return events
    .filter(({ type, data }) => type in NAMES && !data.operationName?.startsWith('$'))
    .map(({ type, data }) => `${type} ${data[NAMES[type]]}`);
}

export function equal(what, expected, got) {
  const [left, right] = [JSON.stringify(expected), JSON.stringify(got)];
  if (left !== right) throw new Error(`${what}: expected ${left}, got ${right}`);
}
