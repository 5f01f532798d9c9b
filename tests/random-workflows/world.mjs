import {
  decodePollTask,
  decodeStartWorkflow,
  encodeCompleteTask,
  encodeFailTask,
  encodePollTask,
  encodeRejectPromise,
  encodeResolvePromise,
} from '../../sdk/dist/core.js';
import { Method } from '../../sdk/dist/rpc/methods.js';
import { runDry } from '../../sdk/dist/runtime/run-dry.js';
import { SimulatedClock } from './clock.mjs';
import { Engine, ORG_ID, QUEUE } from './engine.mjs';
import { describeCommand } from '../support/rerun.mjs';
import { WITH_PATCHES } from './interpreter.mjs';
import { COMBINATORS, VERBS } from './names.mjs';
import {
  message,
  PATHS,
  readClaim,
  readEvents,
  readGetEvents,
  readNext,
  readQuery,
  readSubmission,
} from '../conformance/wire.mjs';
import { Questions } from './questions.mjs';
import { answer, cut, SimulatedWorker } from './worker.mjs';

/** What two runs of one execution, or a run and the rules, disagree on. */
export class Disagreement extends Error {
  /** @param {string} check the name of what failed, the same for the same cause */
  constructor(check, message, { expected, got } = {}) {
    super(message);
    this.name = 'Disagreement';
    this.check = check;
    this.expected = expected;
    this.got = got;
  }
}

/** Everything of one run: the server, the workers, those who run tasks and answer promises, and what has happened. */
export class World {
  /** Lines for people. */
  steps = [];
  /** What happened how often, by group. */
  counts = {};
  /** Grows with whatever workers do: no more of it means that all of them wait. */
  activity = 0;
  workers = [];
  /** Of the code that new workers run. */
  codeVersion = WITH_PATCHES;
  /** Whether all workers can ask tasks to stop, which a plain server does not know. */
  asksTasksToStop = true;
  /** Whether any code was where it does something else after a patch, and did the old. */
  tookOldWay = false;
  executions = new Map();
  /** Submissions that the server applied, in order. */
  submissions = [];
  claimedTasks = [];
  finishedTasks = [];
  promises = [];
  #claims = new Map();
  #applied = new Set();
  /** The last claim under which a run of the function submitted. */
  #continued = new WeakMap();
  #problem;
  #born = 0;
  #values = 0;
  #tasksSeenAt = -1;

  constructor(program, engineSeed) {
    this.program = program;
    this.engine = new Engine(engineSeed);
    this.questions = new Questions(this);
    this.clock = new SimulatedClock(this.engine);
    const started = decodeStartWorkflow(this.engine.start('program', 'main'));
    this.mainId = started.workflowExecutionId;
    this.#discover(this.mainId, 'main');
  }

  close() {
    for (const worker of this.workers) worker.kill();
    this.engine.close();
  }

  // --- what is known ---

  nameOf(executionId) {
    return this.executions.get(executionId)?.name ?? executionId;
  }

  step(line) {
    this.steps.push(line);
  }

  count(group, what) {
    this.counts[group] ??= {};
    this.counts[group][what] = (this.counts[group][what] ?? 0) + 1;
  }

  /** A workflow function did something that is worth counting. */
  noted(what) {
    if (VERB_NAMES.has(what)) this.count('verbs', what);
    else if (COMBINATOR_NAMES.has(what)) this.count('combinators', what);
  }

  /** Something that must never happen. The first one counts. */
  complain(message) {
    this.#problem ??= new Disagreement('complaint of the worker', message);
  }

  /** Throws what went wrong inside a worker. */
  check() {
    if (this.#problem !== undefined) throw this.#problem;
  }

  logger(name) {
    const quiet = () => {};
    return {
      debug: quiet,
      info: quiet,
      warn: quiet,
      error: (message) => this.complain(`${name}: ${message}`),
    };
  }

  /** Resolves when every worker waits for a call, an operation or the time. */
  async settled() {
    for (let before = -1; before !== this.activity; ) {
      before = this.activity;
      await runDry();
      await runDry();
    }
  }

  /** As `settled`, and throws what went wrong until then. */
  async quiet() {
    await this.settled();
    this.questions.follow();
    this.workers = this.workers.filter((worker) => !worker.isStopping || worker.isBusy);
    this.check();
  }

  isOver(executionId) {
    const execution = this.executions.get(executionId);
    if (!execution.isOver && execution.seenAt !== this.engine.changes) this.#discoverEvents(executionId);
    return execution.isOver;
  }

  /** The executions that have not ended. */
  get open() {
    return [...this.executions.keys()].filter((executionId) => !this.isOver(executionId));
  }

  /** A value that is not used twice. */
  value() {
    this.#values += 1;
    return this.#values;
  }

  // --- workers ---

  addWorker(kind, options) {
    this.#born += 1;
    const worker = new SimulatedWorker(this, `${kind}${this.#born}`, options);
    worker.kind = kind;
    worker.options = options;
    this.workers.push(worker);
    return worker;
  }

  /** Another process in the place of one that ends: in order, or killed. */
  replaceWorker(worker, how) {
    this.step(`${worker.name} ${how === 'kill' ? 'is killed' : 'stops'}, another one starts`);
    if (how === 'kill') {
      worker.kill();
      this.workers.splice(this.workers.indexOf(worker), 1);
    } else {
      worker.stop();
    }
    this.addWorker(worker.kind, worker.options);
  }

  /** All workers give way to others that run the newer code. */
  deploy() {
    this.codeVersion += 1;
    const which = this.codeVersion === WITH_PATCHES ? 'with the patches' : 'without the old ways';
    this.step(`the code ${which} is deployed`);
    for (const worker of this.workers.filter(({ isStopping }) => !isStopping))
      this.replaceWorker(worker, 'stop');
  }

  get calls() {
    return this.workers.flatMap(({ calls }) => calls);
  }

  get operations() {
    return this.workers.flatMap(({ operations }) => operations);
  }

  /** Makes a call reach the server and its answer the worker, unless one of them is lost. */
  deliver(call, { losesRequest = false, losesAnswer = false } = {}) {
    if (losesRequest) {
      this.step(`${describe(call)}: lost on the way to the server`);
      return this.#end(call, () => cut(call));
    }
    const { extended } = call.worker;
    const isTooLate = !extended && this.#hasEndedBefore(call);
    const result = this.engine.call(call.method, call.body, { claim: call.claim, extended });
    if (result.parked) {
      call.parkedAt = this.engine.changes;
      return;
    }
    const outcome = isTooLate ? 'dropped, since it has ended' : this.#observe(call, result);
    if (outcome !== undefined)
      this.step(`${describe(call)}: ${outcome}${losesAnswer ? ', but the answer is lost' : ''}`);
    if (!losesAnswer && !extended) notePlainEvents(call, result);
    this.#end(call, () => (losesAnswer ? cut(call) : answer(call, result)));
  }

  #end(call, settle) {
    const { worker } = call;
    worker.calls.splice(worker.calls.indexOf(call), 1);
    this.activity += 1;
    settle();
  }

  /** Whether a submission changes nothing any more, which a plain worker is not told. */
  #hasEndedBefore({ method, body }) {
    return method === Method.SubmitWorkflowCommands && this.isOver(readSubmission(body).executionId);
  }

  #observe(call, { body, refused, message }) {
    if (refused !== undefined) return `refused, ${message}`;
    switch (call.method) {
      case Method.PollWorkflow:
        return this.#observeClaim(body, call.worker);
      case Method.SubmitWorkflowCommands:
        return this.#observeSubmission(call, body);
      default:
        return 'done';
    }
  }

  #observeClaim(body, worker) {
    const query = readQuery(body);
    if (query !== undefined) return `gets a query for ${this.nameOf(query.executionId)}`;
    const claim = readClaim(body);
    if (claim === undefined) return undefined;
    if (worker.extended) this.#claims.set(claim.token, claim);
    else
      worker.plainClaims.set(claim.executionId, {
        ...claim,
        token: `plain ${this.value()}`,
        heldSequence: 0,
      });
    if (!this.executions.has(claim.executionId))
      this.#discover(claim.executionId, `child${this.executions.size}`);
    const part = claim.afterSequence > 0 ? ` from event ${claim.afterSequence + 1}` : '';
    return `gets ${this.nameOf(claim.executionId)}${part}`;
  }

  #observeSubmission(call, body) {
    const { worker } = call;
    const submission = readSubmission(call.body);
    const next = readNext(body);
    const claim = this.#claims.get(call.claim) ?? worker.plainClaims.get(submission.executionId);
    const key = `${claim.token} ${submission.number}`;
    if (this.#applied.has(key)) return 'repeated';
    this.#applied.add(key);
    const trace = worker.traces.get(submission.executionId);
    if (this.#continued.get(trace) !== claim.token) {
      if (this.#continued.has(trace)) this.count('faults', 'continued from the cache');
      this.#continued.set(trace, claim.token);
    }
    const { taskTimeMs, afterSequence, events, heldSequence = submission.heldSequence } = claim;
    if (!worker.extended) this.count('faults', 'plain submission');
    this.submissions.push({
      ...submission,
      worker: worker.name,
      extended: worker.extended,
      codeVersion: worker.codeVersion,
      taskTimeMs,
      heldSequence,
      claimedSequence: worker.extended ? afterSequence + events : heldSequence,
      trace,
      traceLength: trace.length,
    });
    this.#discoverEvents(submission.executionId);
    const commands = submission.commands.map(describeCommand).join(', ');
    const told = `${submission.status} ${this.nameOf(submission.executionId)}, held ${heldSequence}: ${commands}`;
    return next === undefined ? told : `${told}; ${this.#observeClaim(next, worker)}`;
  }

  #discover(executionId, name) {
    this.executions.set(executionId, { name, seen: 0, isOver: false });
  }

  #discoverEvents(executionId) {
    const execution = this.executions.get(executionId);
    const events = this.engine.history(executionId);
    for (const { eventType, data } of events.slice(execution.seen)) {
      if (eventType === 'PROMISE_CREATED') {
        const { promiseId, promiseName } = JSON.parse(data);
        this.promises.push({ id: promiseId, name: `${promiseName} of ${execution.name}`, isAnswered: false });
      }
      if (eventType === 'CHILD_WORKFLOW_INITIATED') {
        const { childExecutionId } = JSON.parse(data);
        this.#discover(childExecutionId, `child ${this.executions.size}`);
      }
      if (TERMINAL.has(eventType)) execution.isOver = true;
    }
    execution.seen = events.length;
    execution.seenAt = this.engine.changes;
  }

  // --- the rest of the world ---

  /** Claims a task, if one is ready. */
  claimTask() {
    const request = { workerId: 'tasks', orgId: ORG_ID, queue: QUEUE, timeoutSeconds: 0, longPoll: true };
    const { body } = this.engine.call(Method.PollTask, encodePollTask(request));
    const task = body && decodePollTask(body);
    if (task === undefined) {
      this.#tasksSeenAt = this.engine.changes;
      return;
    }
    this.#tasksSeenAt = -1;
    this.claimedTasks.push(task);
    this.step(`task ${this.#taskName(task)}: attempt ${task.executionCount} begins`);
  }

  /** Whether there may be a task that is ready. */
  get mayHaveTask() {
    return this.#tasksSeenAt !== this.engine.changes;
  }

  completeTask(task, output) {
    const json = JSON.stringify(output);
    const body = encodeCompleteTask({ taskExecutionId: task.taskExecutionId, output: json });
    this.#endTask(task, Method.CompleteTask, body, `completes with ${json}`);
  }

  failTask(task, retryable) {
    const error = { message: `failure ${this.value()}`, name: 'Error', retryable };
    const body = encodeFailTask({
      taskExecutionId: task.taskExecutionId,
      error: error.message,
      retryable,
      errorType: error.name,
    });
    this.#endTask(task, Method.FailTask, body, retryable ? 'fails' : 'fails for good');
  }

  #endTask(task, method, body, how) {
    const { refused, message } = this.engine.call(method, body, { claim: task.claimToken });
    this.step(`task ${this.#taskName(task)}: ${how}${refused === undefined ? '' : ` (refused, ${message})`}`);
    const at = this.claimedTasks.indexOf(task);
    if (at >= 0) this.claimedTasks.splice(at, 1);
    this.finishedTasks.push(task);
  }

  answerPromise(promise, isRejected) {
    const promiseId = promise.id;
    if (isRejected) {
      this.engine.call(Method.RejectPromise, encodeRejectPromise({ promiseId, error: `no ${this.value()}` }));
    } else {
      const value = JSON.stringify(this.value());
      this.engine.call(Method.ResolvePromise, encodeResolvePromise({ promiseId, value }));
    }
    const again = promise.isAnswered ? ' again' : '';
    this.step(`promise ${promise.name}: ${isRejected ? 'rejected' : 'resolved'}${again}`);
    promise.isAnswered = true;
  }

  signal(executionId, signalName) {
    const signalValue = JSON.stringify(this.value());
    this.engine.call(PATHS.signal, message({ 1: ORG_ID, 2: executionId, 3: signalName, 4: signalValue }));
    this.step(`signal ${signalName} ${signalValue} for ${this.nameOf(executionId)}`);
  }

  cancel(executionId) {
    this.engine.call(PATHS.cancel, message({ 1: executionId, 2: 'enough' }));
    this.step(`${this.nameOf(executionId)} is asked to cancel`);
  }

  endOperation(operation, isFailure) {
    const { worker, what, resolve, reject } = operation;
    worker.operations.splice(worker.operations.indexOf(operation), 1);
    this.activity += 1;
    const value = this.value();
    this.step(`${worker.name}: ${what} ${isFailure ? 'fails' : `gives ${value}`}`);
    if (isFailure) reject(new Error(`operation failure ${value}`));
    else resolve(value);
  }

  /** When anything is next due, for the server or for a worker. */
  get dueMs() {
    const [engine, clock] = [this.engine.dueMs, this.clock.dueMs];
    return engine <= clock || clock === undefined ? engine : clock;
  }

  advanceTo(timeMs) {
    this.step(`${timeMs - this.engine.nowMs} ms pass`);
    this.questions.beat();
    this.engine.advanceTo(timeMs);
    this.activity += 1;
    this.clock.fire();
  }

  #taskName({ kind, taskExecutionId }) {
    return `${kind} ${taskExecutionId.slice(0, 4)}`;
  }
}

const TERMINAL = new Set(['WORKFLOW_COMPLETED', 'WORKFLOW_EXECUTION_FAILED', 'WORKFLOW_CANCELLED']);
const VERB_NAMES = new Set(VERBS);
const COMBINATOR_NAMES = new Set(COMBINATORS);

/** How much of a history a plain worker holds, which it does not say when it submits. */
function notePlainEvents({ worker, method, body }, answer) {
  if (method !== Method.GetEvents || answer.body === undefined) return;
  const claim = worker.plainClaims.get(readGetEvents(body));
  claim.heldSequence = readEvents(answer.body).events.at(-1)?.sequence ?? claim.heldSequence;
}

function describe({ worker, method }) {
  return `${worker.name}: ${method.slice(method.lastIndexOf('/') + 1)}`;
}
