import { createHash } from 'node:crypto';

import { Disagreement } from './world.mjs';

const OUTCOMES = {
  TASK_COMPLETED: ({ output }) => ['resolved', output],
  TASK_FAILED: ({ error }) => ['rejected', 'TaskFailed', error],
  TASK_CANCELLED: () => ['rejected', 'TaskCancelled', ''],
  TIMER_FIRED: () => ['resolved', undefined],
  PROMISE_RESOLVED: ({ value }) => ['resolved', value],
  PROMISE_REJECTED: ({ error }) => ['rejected', 'PromiseRejected', error],
  PROMISE_TIMEOUT: () => ['rejected', 'PromiseTimeout', ''],
  OPERATION_COMPLETED: ({ result }) =>
    result?.__type === 'OperationError'
      ? ['rejected', result.value.name, result.value.message]
      : ['resolved', result],
};
const COMMANDS = new Set('TASK_SCHEDULED TIMER_STARTED PROMISE_CREATED STATE_SET STATE_CLEARED'.split(' '));

/**
 * Holds what one run of the function saw against the history, by rules that are written down here once more: what all
 * runs do alike may still be wrong.
 *
 * - Every command is in the history, once, in the order in which it was given.
 * - Handles are settled in the order of their events, with what these say, one per turn.
 * - State is what was set last. Time stands still within a turn and never goes back. Ids and random numbers follow from
 *   the id of the execution.
 *
 * @param {string} executionId
 * @param {import('./interpreter.mjs').Trace} trace of the replay of all events
 */
export function checkRules(executionId, trace, events) {
  const rules = new Rules(executionId, events);
  trace.forEach(([what, ...details], at) => {
    try {
      rules.read(what, details);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      throw new Disagreement('rules', `${error.message}, after:`, {
        expected: trace.slice(0, at + 1).map((entry) => entry.join(' ')),
        got: events.map(({ sequence, eventType, data }) => `${sequence} ${eventType} ${data}`),
      });
    }
  });
  rules.end();
}

class Broken extends Error {}

class Rules {
  #executionId;
  #commands;
  #outcomes;
  #times;
  #records = new Map();
  #begun = new Map();
  #handles = new Map();
  #settled = new Set();
  #state = new Map();
  #turnTime;
  #ids = 0;
  #random;

  constructor(executionId, events) {
    this.#executionId = executionId;
    const parsed = events.map(({ eventType, data }) => ({ eventType, data: JSON.parse(data) }));
    this.#commands = parsed.filter(({ eventType }) => COMMANDS.has(eventType));
    const isInternal = ({ data }) => data.operationName?.startsWith('$');
    this.#outcomes = parsed.filter((event) => event.eventType in OUTCOMES && !isInternal(event));
    this.#times = parsed.filter(({ data }) => data.operationName === '$time').map(({ data }) => data.result);
    for (const { eventType, data } of this.#outcomes) {
      if (eventType === 'OPERATION_COMPLETED') data.occurrence = count(this.#records, data.operationName);
    }
  }

  read(what, [first, second]) {
    switch (what) {
      case 'task':
        return this.#task(first, second);
      case 'sleep':
        return this.#handle(first, this.#command('TIMER_STARTED', { durationMs: second }).timerId);
      case 'promise':
        return this.#handle(first, this.#command('PROMISE_CREATED', { promiseName: second }).promiseId);
      case 'run':
        return this.#handle(first, `${second} #${count(this.#begun, second)}`);
      case 'resolved':
      case 'rejected':
        return this.#settle(what, first, second);
      case 'set':
        return this.#set(first, second === 'undefined' ? 'null' : second);
      case 'clear':
        this.#command('STATE_CLEARED', { key: first });
        return this.#state.delete(first);
      case 'clearAll':
        for (const key of [...this.#state.keys()].sort()) this.#command('STATE_CLEARED', { key });
        return this.#state.clear();
      case 'get':
        return same('state', this.#state.get(first) ?? 'null', second);
      case 'stateKeys':
        return same('keys', JSON.stringify([...this.#state.keys()].sort()), first);
      case 'currentTime':
        return this.#time(Number(first));
      case 'random':
        return same('random number', JSON.stringify(this.#nextRandom()), first);
      case 'randomUUID':
        return same('UUID', JSON.stringify(this.#nextId()), first);
    }
  }

  /** Everything in the history came from the code. */
  end() {
    if (this.#commands.length > 0) {
      throw new Disagreement(
        'rules',
        `the history has a ${this.#commands[0].eventType} that nobody asked for`,
      );
    }
    for (const [name, begun] of this.#begun) same(`records of ${name}`, begun, this.#records.get(name) ?? 0);
  }

  #task(handle, kind) {
    const { taskExecutionId } = this.#command('TASK_SCHEDULED', { kind });
    same('task id', this.#nextId(), taskExecutionId);
    this.#handle(handle, taskExecutionId);
  }

  #set(key, json) {
    this.#command('STATE_SET', { key, value: JSON.parse(json) });
    this.#state.set(key, json);
  }

  #command(type, expected) {
    const { eventType, data } = this.#commands.shift() ?? { eventType: 'none' };
    same('command in the history', type, eventType);
    for (const [name, value] of Object.entries(expected)) {
      same(`${type} ${name}`, JSON.stringify(value), JSON.stringify(data[name]));
    }
    return data;
  }

  #handle(handle, key) {
    this.#handles.set(key, handle);
  }

  #settle(how, handle, value) {
    this.#turnTime = undefined;
    const { eventType, data } = this.#nextOutcome();
    const key =
      data.taskExecutionId ?? data.timerId ?? data.promiseId ?? `${data.operationName} #${data.occurrence}`;
    same(`handle of ${eventType}`, this.#handles.get(key), handle);
    this.#settled.add(handle);
    const [expectedHow, result, message] = OUTCOMES[eventType](data);
    same(`handle ${handle}`, expectedHow, how);
    if (how === 'resolved')
      return same(`result of handle ${handle}`, JSON.stringify(result) ?? 'undefined', value);
    if (!value.startsWith(`${result}: `) || !value.includes(message)) {
      throw new Broken(`error of handle ${handle}: expected ${result}: ${message}, got ${value}`);
    }
  }

  /** Of several ends of one thing the first counts. */
  #nextOutcome() {
    return this.#outcomes.shift() ?? { eventType: 'no event', data: {} };
  }

  #time(timeMs) {
    this.#turnTime ??= this.#times.shift();
    same('time of the turn', this.#turnTime, timeMs);
    if (this.#times.some((later) => later < timeMs)) throw new Broken('time goes back');
  }

  /** UUID v5 of the counter, in the namespace of the execution. */
  #nextId() {
    const namespace = Buffer.from(this.#executionId.replaceAll('-', ''), 'hex');
    const name = `${this.#executionId}:${this.#ids}`;
    this.#ids += 1;
    const hash = createHash('sha1').update(namespace).update(name).digest();
    hash[6] = (hash[6] & 0x0f) | 0x50;
    hash[8] = (hash[8] & 0x3f) | 0x80;
    return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }

  /** The xorshift64 of the execution. */
  #nextRandom() {
    this.#random ??= BigInt(`0x${this.#executionId.replaceAll('-', '').slice(16)}`) || 1n;
    const mask = (1n << 64n) - 1n;
    let state = this.#random;
    state ^= (state << 13n) & mask;
    state ^= state >> 7n;
    state ^= (state << 17n) & mask;
    this.#random = state;
    return Number(state) / 2 ** 64;
  }
}

/** Counts a name; how often it has come by now. */
function count(counts, name) {
  counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts.get(name);
}

function same(what, expected, got) {
  if (expected !== got) throw new Broken(`${what}: expected ${expected}, got ${got}`);
}
