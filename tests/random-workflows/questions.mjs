import { decodeQueryWorkflow, encodeQueryWorkflow, encodeRegisterWorker } from '../../sdk/dist/core.js';
import { Method } from '../../sdk/dist/rpc/methods.js';
import { ORG_ID } from './engine.mjs';
import { QUERY } from './interpreter.mjs';

/** A server that no worker has given an answer in time says this. */
const DEADLINE_EXCEEDED = 4;
const WORKFLOW = {
  kind: 'program',
  name: 'program',
  description: '',
  cancellable: true,
  tags: [],
  version: '1.0.0',
  contentHash: '',
  queryNames: [QUERY],
};

/**
 * Those who ask executions for their state: the server, which answers at once, and the workers, whose answer comes some
 * time later. Every answer must be what the history says of the state, as it was when the answer was made.
 */
export class Questions {
  #world;
  #waiting = [];

  /** @param {import('./world.mjs').World} world */
  constructor(world) {
    this.#world = world;
  }

  /** Tells the server that all workers are alive, in place of their heartbeats, and which of them answer queries. */
  beat() {
    for (const worker of this.#world.workers) if (!worker.isStopping) this.#register(worker);
  }

  #register({ name: workerName, extended }) {
    const of = { workerVersion: '1.0.0', workerType: 'workflow', orgId: ORG_ID, hostName: '', processId: '' };
    const registration = encodeRegisterWorker({ workerName, ...of, workflows: [WORKFLOW], tasks: [] });
    this.#world.engine.call(Method.RegisterWorker, registration, { extended });
  }

  /** Asks the server for what is under a key. */
  askServer(executionId, key) {
    const { engine } = this.#world;
    const events = engine.history(executionId).length;
    const { body } = engine.call(Method.QueryWorkflow, request(executionId, key, null));
    const got = JSON.parse(decodeQueryWorkflow(body).result);
    this.#world.step(`the server is asked for ${key} of ${this.#world.nameOf(executionId)}`);
    this.#compare(
      executionId,
      { events, value: got },
      { events, value: this.#state(executionId, events)[key] ?? null },
    );
    this.#mustAddNothing(executionId, events);
  }

  /** Asks the workers; the answer is looked for with `follow`. */
  askWorkers(executionId) {
    const { engine, workers } = this.#world;
    // Then the server says what is under the key of that name.
    if (!workers.some(({ extended, isStopping }) => extended && !isStopping)) return;
    const asked = this.#world.value();
    this.beat();
    const since = engine.history(executionId).length;
    const body = request(executionId, QUERY, asked);
    this.#world.step(`query ${asked} for ${this.#world.nameOf(executionId)}`);
    this.#waiting.push({ executionId, asked, body, since, firstMs: engine.nowMs });
    this.follow();
    this.#mustAddNothing(executionId, since);
  }

  /** Looks for answers, when there may be some. */
  follow() {
    for (const question of this.#waiting.slice()) {
      const { engine } = this.#world;
      if (question.seenAt === engine.changes) continue;
      const { firstMs, body, asked } = question;
      const answer = engine.call(Method.QueryWorkflow, body, { firstMs });
      question.seenAt = engine.changes;
      if (answer.parked) continue;
      this.#waiting.splice(this.#waiting.indexOf(question), 1);
      this.#world.step(`query ${asked}: ${answer.message ?? 'answered'}`);
      if (answer.refused === undefined) this.#check(question, decodeQueryWorkflow(answer.body));
      else if (answer.refused !== DEADLINE_EXCEEDED)
        this.#world.complain(`query ${asked}: ${answer.message}`);
    }
  }

  #check({ executionId, asked, since }, { result, error }) {
    if (error !== undefined) return this.#world.complain(`query ${asked}: ${error}`);
    this.#world.count('faults', 'query answered');
    const got = JSON.parse(result);
    if (!(got.events >= since)) this.#world.complain(`query ${asked} was answered from the past: ${result}`);
    this.#compare(executionId, got, {
      asked,
      events: got.events,
      state: this.#state(executionId, got.events),
    });
  }

  #compare(executionId, got, expected) {
    const [left, right] = [expected, got].map((value) => JSON.stringify(value));
    if (left === right) return;
    this.#world.complain(
      `a query of ${this.#world.nameOf(executionId)} gives ${right}, its history says ${left}`,
    );
  }

  #mustAddNothing(executionId, events) {
    const now = this.#world.engine.history(executionId).length;
    if (now !== events) this.#world.complain(`a query made a history of ${events} events have ${now}`);
  }

  /** What the first events say of the state, in the order of the keys. */
  #state(executionId, events) {
    const state = new Map();
    for (const { eventType, data } of this.#world.engine.history(executionId).slice(0, events)) {
      if (eventType === 'STATE_SET') state.set(JSON.parse(data).key, JSON.parse(data).value);
      if (eventType === 'STATE_CLEARED') state.delete(JSON.parse(data).key);
    }
    return Object.fromEntries([...state].sort(([left], [right]) => (left < right ? -1 : 1)));
  }
}

function request(workflowExecutionId, queryName, params) {
  return encodeQueryWorkflow({ workflowExecutionId, queryName, params: JSON.stringify(params) });
}
