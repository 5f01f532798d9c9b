import { Identity } from './identity.mjs';
import { Broken, count, same } from './rule.mjs';
import { Settling } from './settling.mjs';
import { Disagreement } from './world.mjs';

const COMMANDS = new Set(
  (
    'TASK_SCHEDULED TASK_CANCELLATION_REQUESTED TIMER_STARTED TIMER_CANCELLED PROMISE_CREATED STATE_SET STATE_CLEARED ' +
    'CHILD_WORKFLOW_INITIATED CHILD_WORKFLOW_CANCELLATION_REQUESTED'
  ).split(' '),
);

/**
 * Holds what one run of the function saw against the history, by rules that are written down here once more: what all
 * runs do alike may still be wrong.
 *
 * - Every command is in the history, once, in the order in which it was given.
 * - Handles are settled in the order of their events, with what these say; signals reach waiters in order; a cancel
 *   request rejects what is pending, in the order in which it was begun.
 * - State is what was set last. Time stands still within a turn and never goes back. A patch is answered alike
 *   throughout. Ids and random numbers follow from the id of the execution.
 *
 * @param {string} executionId
 * @param {import('./interpreter.mjs').Trace} trace of the replay of all events
 * @param {{ isWhole: boolean, isPlain: boolean }} facts whether the function has come to its own end, and
 *   whether servers did not know all commands
 */
export function checkRules(executionId, trace, events, { isWhole, isPlain }) {
  const rules = new Rules(executionId, events, isPlain);
  let at = 0;
  try {
    for (; at < trace.length; at += 1) {
      const [what, ...details] = trace[at];
      const [after, number] = trace[at + 1] ?? [];
      if (rules.isUnsure) return;
      // What was refused asks for nothing.
      if (after === 'refused' && number === details[0]) at += 1;
      else rules.read(what, details);
    }
    if (isWhole) rules.end();
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    throw new Disagreement(
      'rules',
      `${error.message} (at the last line on the left; on the right the history)`,
      {
        expected: trace.slice(0, at + 1).map((entry) => entry.join(' ')),
        got: events.map(({ sequence, eventType, data }) => `${sequence} ${eventType} ${data}`),
      },
    );
  }
}

class Rules {
  #identity;
  #commands;
  #settling;
  #times;
  #patches;
  #records = new Map();
  #begun = new Map();
  #state = new Map();
  #children = new Set();
  #childNumber = 0;
  #turnTime;
  #turn = 0;

  constructor(executionId, events, isPlain) {
    this.#identity = new Identity(executionId);
    const parsed = events.map(({ sequence, eventType, data }) => ({
      sequence,
      eventType,
      data: JSON.parse(data),
    }));
    this.#commands = parsed.filter(({ eventType }) => COMMANDS.has(eventType));
    this.#settling = new Settling(parsed, (type, expected) => {
      // A plain server keeps no event of it.
      if (!isPlain || type === 'TIMER_CANCELLED' || this.#isNext(type, expected))
        this.#command(type, expected);
    });
    const records = parsed.filter(({ eventType }) => eventType === 'OPERATION_COMPLETED');
    for (const { data } of records) count(this.#records, data.operationName);
    this.#times = records.filter(({ data }) => data.operationName === '$time').map(({ data }) => data.result);
    this.#patches = new Set(records.map(({ data }) => data.operationName));
  }

  /** What comes next cannot be told from what was seen. */
  get isUnsure() {
    return this.#settling.isUnsure;
  }

  read(what, details) {
    const [first, second, scope, third] = details;
    switch (what) {
      case 'task':
        return this.#task(first, second, scope);
      case 'sleep':
        return this.#sleep(first, second, scope);
      case 'promise': {
        const { promiseId } = this.#command('PROMISE_CREATED', { promiseName: second });
        return this.#settling.open({ number: first, type: 'promise', key: `promise ${promiseId}`, scope });
      }
      case 'run': {
        const key = `run ${second} ${count(this.#begun, second)}`;
        return this.#settling.open({ number: first, type: 'run', key, scope });
      }
      case 'signal':
        return this.#settling.wait({ number: first, type: 'signal', key: `signal ${first}`, scope }, second);
      case 'child':
        return this.#child(first, scope, third);
      case 'scope':
        return this.#settling.openScope(first, scope, second > 0 ? this.#timer(second) : undefined);
      case 'nonCancellable':
        return this.#settling.openShield(first, scope);
      case 'withTimeout':
        return this.#settling.openTimeout(first, scope, this.#timer(second), third);
      case 'cancel':
        return this.#settling.cancel(first);
      case 'resolved':
      case 'rejected':
        return this.#settling.settled(what, first, second);
      case 'hasSignal':
        return same('signal pending', String(this.#settling.queue(first).length > 0), second);
      case 'pendingSignalCount':
        return same('signals pending', String(this.#settling.queue(first).length), second);
      case 'drainSignals':
        return same('signals', `[${this.#settling.queue(first).splice(0)}]`, second);
      case 'isCancellationRequested':
        return same('cancellation requested', String(this.#settling.isCancelled(first)), second);
      case 'handler':
        return this.#settling.handled(first);
      case 'deprecatePatch':
        return same(`patch ${first}`, true, this.#patches.has(`$patch:${first}`));
      case 'patched':
        return same(`patch ${first}`, String(this.#patches.has(`$patch:${first}`)), second);
      default:
        return this.#readPlain(what, first, second);
    }
  }

  #readPlain(what, first, second) {
    switch (what) {
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
        return same('random number', JSON.stringify(this.#identity.nextRandom()), first);
      case 'randomUUID':
        return same('UUID', JSON.stringify(this.#identity.nextId()), first);
    }
  }

  /** Everything in the history came from the code. */
  end() {
    const left = this.#commands.find((command) => !this.#settling.isHiddenCancel(command));
    if (left !== undefined) {
      throw new Broken(
        `nobody asked for ${left.eventType} ${JSON.stringify(left.data)}, which the history has`,
      );
    }
    for (const [name, begun] of this.#begun) same(`records of ${name}`, begun, this.#records.get(name) ?? 0);
  }

  #task(number, kind, scope) {
    const { taskExecutionId } = this.#command('TASK_SCHEDULED', { kind });
    same('task id', this.#identity.nextId(), taskExecutionId);
    this.#settling.open({ number, type: 'task', key: `task ${taskExecutionId}`, scope });
  }

  #sleep(number, durationMs, scope) {
    this.#settling.open({ number, type: 'timer', key: this.#timer(durationMs), scope });
  }

  #timer(durationMs) {
    return `timer ${this.#command('TIMER_STARTED', { durationMs }).timerId}`;
  }

  #child(number, scope, given) {
    const { childExecutionName, childExecutionId } = this.#command('CHILD_WORKFLOW_INITIATED', {});
    same('child name', given === '' ? this.#nextChildName() : given, childExecutionName);
    same('child id', this.#identity.nextId(), childExecutionId);
    this.#children.add(childExecutionName);
    this.#settling.open({ number, type: 'child', key: `child ${childExecutionId}`, scope });
  }

  #nextChildName() {
    do {
      this.#childNumber += 1;
    } while (this.#children.has(`program-${this.#childNumber}`));
    return `program-${this.#childNumber}`;
  }

  #set(key, json) {
    this.#command('STATE_SET', { key, value: JSON.parse(json) });
    this.#state.set(key, json);
  }

  #command(type, expected) {
    this.#passHiddenCancels();
    const next = this.#commands.shift();
    same('next command in the history', type, next?.eventType ?? 'none');
    for (const [name, value] of Object.entries(expected)) {
      same(`${type}, ${name}`, JSON.stringify(value), JSON.stringify(next.data[name]));
    }
    return next.data;
  }

  #isNext(type, expected) {
    this.#passHiddenCancels();
    const [next] = this.#commands;
    return (
      next?.eventType === type && Object.entries(expected).every(([name, value]) => next.data[name] === value)
    );
  }

  /** The timers of scopes and of timeouts are cancelled when their work is done, which no trace shows. */
  #passHiddenCancels() {
    while (this.#commands.length > 0 && this.#settling.isHiddenCancel(this.#commands[0]))
      this.#commands.shift();
  }

  #time(timeMs) {
    if (this.#turn !== this.#settling.turns || this.#turnTime === undefined)
      this.#turnTime = this.#times.shift();
    this.#turn = this.#settling.turns;
    same('time of the turn', this.#turnTime, timeMs);
    if (this.#times.some((later) => later < timeMs)) throw new Broken('time goes back');
  }
}
