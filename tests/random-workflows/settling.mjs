import { HANDLED } from './program.mjs';
import { Broken, same } from './rule.mjs';

/** What the event that ends a handle says: how it is settled, and with what. */
const OUTCOMES = {
  TASK_COMPLETED: ({ taskExecutionId, output }) => [`task ${taskExecutionId}`, 'resolved', output],
  TASK_FAILED: ({ taskExecutionId, error }) => [`task ${taskExecutionId}`, 'rejected', 'TaskFailed', error],
  TASK_CANCELLED: ({ taskExecutionId }) => [`task ${taskExecutionId}`, 'rejected', 'TaskCancelled'],
  TIMER_FIRED: ({ timerId }) => [`timer ${timerId}`, 'resolved', undefined],
  PROMISE_RESOLVED: ({ promiseId, value }) => [`promise ${promiseId}`, 'resolved', value],
  PROMISE_REJECTED: ({ promiseId, error }) => [`promise ${promiseId}`, 'rejected', 'PromiseRejected', error],
  PROMISE_TIMEOUT: ({ promiseId }) => [`promise ${promiseId}`, 'rejected', 'PromiseTimeout'],
  CHILD_WORKFLOW_COMPLETED: ({ childExecutionId, output }) => [
    `child ${childExecutionId}`,
    'resolved',
    output,
  ],
  CHILD_WORKFLOW_FAILED: ({ childExecutionId, error }) => [
    `child ${childExecutionId}`,
    'rejected',
    'ChildWorkflowFailed',
    error,
  ],
  OPERATION_COMPLETED: ({ operationName, occurrence, result }) => {
    const key = `run ${operationName} ${occurrence}`;
    if (result?.__type !== 'OperationError') return [key, 'resolved', result];
    return [key, 'rejected', result.value.name, result.value.message];
  },
};
const CANCEL_COMMANDS = {
  timer: ['TIMER_CANCELLED', 'timerId'],
  task: ['TASK_CANCELLATION_REQUESTED', 'taskExecutionId'],
  child: ['CHILD_WORKFLOW_CANCELLATION_REQUESTED', 'childWorkflowExecutionId'],
};
const ROOT = 0;

/**
 * What settles which handle, told from the history. It goes along the events, and whenever one gives the code something
 * to see, it says what: the notes that the trace must have next, in this order.
 *
 * Scopes and timeouts have timers that no trace shows: `hidden` ones, whose firing shows in what they reject.
 */
export class Settling {
  isUnsure = false;
  /** Jobs so far. */
  turns = 0;
  #events;
  #at;
  #command;
  #handles = new Map();
  #byKey = new Map();
  #scopes = new Map();
  #queues = new Map();
  #waiters = new Map();
  #owed = [];
  #cancelledTimers;
  #isCancelled = false;

  constructor(events, command) {
    this.#events = placed(events);
    this.#command = command;
    const occurrences = new Map();
    let visible = 0;
    for (const { eventType, data } of events) {
      if (eventType !== 'OPERATION_COMPLETED') continue;
      if (data.operationName === '$signals') visible = data.result;
      data.occurrence = (occurrences.get(data.operationName) ?? 0) + 1;
      occurrences.set(data.operationName, data.occurrence);
    }
    const isCancel = ({ eventType }) => eventType === 'TIMER_CANCELLED';
    this.#cancelledTimers = new Set(events.filter(isCancel).map(({ data }) => `timer ${data.timerId}`));
    this.#at = 1 + visible;
    for (const { data } of this.#events.slice(1, this.#at)) this.#signal(data);
  }

  // --- what the code does ---

  open(handle) {
    const opened = { ...handle, isSettled: false, isAsked: false };
    if (handle.number !== undefined) this.#handles.set(handle.number, opened);
    this.#byKey.set(handle.key, opened);
    return opened;
  }

  wait(handle, name) {
    const opened = this.open({ ...handle, name });
    const queue = this.queue(name);
    if (queue.length > 0) this.#settle(opened, 'resolved', queue.shift());
    else this.#waitersOf(name).push(opened);
  }

  /** `timer` is the key of the timer of its timeout, if it has one. */
  openScope(number, parent, timer) {
    this.#scopes.set(number, { parent, isCancellable: true, timer });
    this.#handles.set(number, { number, type: 'scope', isOver: false });
    if (timer !== undefined) this.#hide(timer, parent, number, () => this.#cancelScope(number));
  }

  openShield(number, parent) {
    this.#scopes.set(number, { parent, isCancellable: false });
    this.#handles.set(number, { number, type: 'scope', isOver: false });
  }

  openTimeout(number, scope, timer, target) {
    this.#handles.set(number, { number, type: 'timeout', timer });
    this.#hide(timer, scope, number, () => target !== 0 && this.cancel(target));
  }

  cancel(number) {
    const handle = this.#handles.get(number);
    if (handle.type === 'scope') return this.#cancelByHand(handle);
    if (handle.isSettled || handle.isAsked) return;
    handle.isAsked = true;
    this.#commandToCancel(handle);
    if (handle.type === 'task' || handle.type === 'child') return;
    this.#settle(handle, 'rejected', 'HandleCancelled');
  }

  /** Whether work in a scope was asked to end. */
  isCancelled(number) {
    if (number === ROOT) return this.#isCancelled;
    const scope = this.#scopes.get(number);
    return scope.isCancelled === true || (scope.isCancellable && this.isCancelled(scope.parent));
  }

  /** The signals of this name that nobody has taken, as JSON. */
  queue(name) {
    if (!this.#queues.has(name)) this.#queues.set(name, []);
    return this.#queues.get(name);
  }

  /** Whether a command cancels a timer that no trace shows. */
  isHiddenCancel({ eventType, data }) {
    return eventType === 'TIMER_CANCELLED' && this.#byKey.get(`timer ${data.timerId}`)?.onFired !== undefined;
  }

  // --- what the code sees ---

  settled(how, number, value) {
    const handle = this.#handles.get(number);
    if (handle.type === 'scope' || handle.type === 'timeout') return this.#derived(handle, value);
    this.#goOn(() => this.#owed.length > 0);
    const owed = this.#owed.shift();
    if (owed === undefined) throw new Broken(`nothing in the history settles handle ${number}`);
    same('handle that is settled next', owed.number, number);
    same(`handle ${number}`, owed.how, how);
    if (how === 'resolved') return same(`result of handle ${number}`, owed.value, value);
    if (!value.startsWith(`${owed.value}: `) || !value.includes(owed.message ?? ''))
      throw new Broken(`error of handle ${number}: expected ${owed.value}: ${owed.message}, got ${value}`);
  }

  /** The handler of a signal was called. */
  handled(value) {
    this.#goOn(() => this.#owed.length > 0);
    const owed = this.#owed.shift();
    same('what comes next', HANDLED, owed?.number);
    same('signal that is handled', owed.value, value);
  }

  /** The promise of a scope or of a timeout follows from others; only a timeout that fires shows in it first. */
  #derived(handle, value) {
    handle.isOver = true;
    const timer = this.#byKey.get(handle.timer ?? this.#scopes.get(handle.number)?.timer);
    if (!value.startsWith('TimeoutError') || timer === undefined) return;
    // The timeout was that of something inside.
    if (this.#cancelledTimers.has(timer.key)) return;
    this.#goOn(() => timer.isSettled || this.#owed.length > 0);
    if (!timer.isSettled) throw new Broken(`something else comes before handle ${handle.number} times out`);
  }

  /** Goes along the events until something has come of them. */
  #goOn(isEnough) {
    while (!isEnough() && this.#at < this.#events.length) {
      const { eventType, data } = this.#events[this.#at];
      this.#at += 1;
      if (this.#isJob(eventType, data)) this.turns += 1;
    }
  }

  #isJob(type, data) {
    if (type === 'SIGNAL_RECEIVED') return this.#signal(data);
    if (type === 'CANCELLATION_REQUESTED') return this.#cancelAll();
    const outcome = OUTCOMES[type]?.(data);
    if (outcome === undefined) return false;
    const [key, how, value, message] = outcome;
    const handle = this.#byKey.get(key);
    if (handle === undefined || handle.isSettled) return false;
    if (handle.onFired === undefined)
      this.#settle(handle, how, how === 'resolved' ? json(value) : value, message);
    // One that the code cancelled had fired too late to be seen.
    else if (this.#cancelledTimers.has(key)) return false;
    else handle.onFired();
    handle.isSettled = true;
    return true;
  }

  #signal({ signalName, signalValue }) {
    if (signalName === HANDLED) {
      this.#owed.push({ number: HANDLED, how: 'handled', value: json(signalValue) });
      return true;
    }
    const waiter = this.#waitersOf(signalName).shift();
    if (waiter === undefined) {
      this.queue(signalName).push(json(signalValue));
      return false;
    }
    this.#settle(waiter, 'resolved', json(signalValue));
    return true;
  }

  #cancelAll() {
    if (this.#isCancelled) return false;
    this.#isCancelled = true;
    this.#rejectIn(ROOT, { withCommands: false });
    return true;
  }

  #cancelByHand(scope) {
    if (scope.isOver) return;
    // Whether its function is just done is nothing that a trace shows.
    this.isUnsure ||= this.#scopes.get(scope.number)?.isCancellable !== true;
    this.#cancelScope(scope.number);
  }

  #cancelScope(number) {
    const scope = this.#scopes.get(number);
    if (scope.isCancelled) return;
    scope.isCancelled = true;
    this.#rejectIn(number, { withCommands: true });
  }

  #rejectIn(scope, { withCommands }) {
    for (const handle of this.#byKey.values()) {
      if (handle.isSettled || !this.#isWithin(handle.scope, scope)) continue;
      if (withCommands && !handle.isAsked && handle.onFired === undefined) this.#commandToCancel(handle);
      this.#settle(handle, 'rejected', 'WorkflowCancelled');
    }
  }

  /** Whether a cancellation of `outer` reaches work of `inner`. */
  #isWithin(inner, outer) {
    for (let scope = inner; ; scope = this.#scopes.get(scope).parent) {
      if (scope === outer) return true;
      if (scope === ROOT || !this.#scopes.get(scope).isCancellable) return false;
    }
  }

  #commandToCancel({ type, key }) {
    const [command, field] = CANCEL_COMMANDS[type] ?? [];
    if (command !== undefined) this.#command(command, { [field]: key.slice(type.length + 1) });
  }

  #settle(handle, how, value, message) {
    handle.isSettled = true;
    if (handle.type === 'signal') this.#forgetWaiter(handle);
    if (handle.onFired === undefined) this.#owed.push({ number: handle.number, how, value, message });
  }

  #forgetWaiter(handle) {
    const waiters = this.#waitersOf(handle.name);
    const at = waiters.indexOf(handle);
    if (at >= 0) waiters.splice(at, 1);
  }

  #hide(key, scope, owner, onFired) {
    this.open({ type: 'timer', key, scope, owner, onFired });
  }

  #waitersOf(name) {
    if (!this.#waiters.has(name)) this.#waiters.set(name, []);
    return this.#waiters.get(name);
  }
}

/**
 * The events with each operation where its result came: on plain servers `$seen` says which event was the last before
 * it, and that all operations that follow belong there; null, that they stand where they belong.
 */
function placed(events) {
  const [kept, moved] = [[], []];
  let seen = null;
  for (const event of events) {
    const { eventType, data } = event;
    const isOperation = eventType === 'OPERATION_COMPLETED';
    if (isOperation && data.operationName === '$seen') seen = data.result;
    if (isOperation && !data.operationName.startsWith('$') && seen !== null)
      moved.push({ event, after: seen });
    else kept.push(event);
  }
  const after = ({ sequence }) => moved.filter((each) => each.after === sequence).map(({ event }) => event);
  return kept.flatMap((event) => [event, ...after(event)]);
}

function json(value) {
  return JSON.stringify(value) ?? 'undefined';
}
