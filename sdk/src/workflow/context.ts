import {
  beginOperation,
  clearAllState,
  clearState,
  createPromise,
  currentTimeMs,
  getState,
  random,
  randomUuid,
  scheduleTask,
  setState,
  startTimer,
  stateKeys,
} from '../core.js';
import type { Duration } from '../duration.js';
import { ConfigurationError } from '../errors.js';
import type { Logger } from '../logger.js';
import { checkOptions, checkText, comingLater, optionalMs, wholeMs } from '../options.js';
import type { Serializer } from '../serde.js';
import type { TaskDefinition } from '../task/define.js';
import type {
  InputAndOptions,
  OperationFunction,
  OperationOptions,
  PromiseOptions,
  TaskHandle,
  TaskOptions,
  WorkflowContext,
} from './context-types.js';
import type { ContextParts } from './context-parts.js';
import { operationPlan, type Operations } from './operations.js';
import type { PendingHandles } from './pending.js';
import { replayAwareLogger } from './replay-logger.js';
import { coreTaskOptions } from './task-options.js';
import type { Turn } from './turn.js';

/** The context of one activation: reads and commands go to the core, handles become promises. */
export class WorkflowContextImpl implements WorkflowContext {
  readonly workflowExecutionId: string;
  readonly log: Logger;
  readonly isCancellationRequested = false;
  readonly #turn: Turn;
  readonly #pending: PendingHandles;
  readonly #operations: Operations;
  readonly #serializer: Serializer;

  private constructor(parts: ContextParts) {
    this.workflowExecutionId = parts.info.executionId;
    this.log = replayAwareLogger(parts);
    this.#turn = parts.turn;
    this.#pending = parts.pending;
    this.#operations = parts.operations;
    this.#serializer = parts.serializer;
  }

  /** @internal */
  static create(parts: ContextParts): WorkflowContextImpl {
    return new WorkflowContextImpl(parts);
  }

  schedule<Input, Output>(
    definition: TaskDefinition<Input, Output>,
    ...[input, options]: InputAndOptions<Input, TaskOptions>
  ): TaskHandle<Output> {
    if (typeof definition?.name !== 'string') {
      throw new ConfigurationError('ctx.schedule takes a task definition; for a name use ctx.scheduleByName');
    }
    const { name, retry } = definition;
    const withRetry = retry === undefined ? options : { ...options, retry: options?.retry ?? retry };
    return this.#schedule('ctx.schedule', name, input, withRetry);
  }

  scheduleTask<Input, Output>(
    definition: TaskDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, TaskOptions>
  ): TaskHandle<Output> {
    return this.schedule(definition, ...rest);
  }

  scheduleByName<Output = unknown>(name: string, input?: unknown, options?: TaskOptions): TaskHandle<Output> {
    return this.#schedule('ctx.scheduleByName', name, input, options);
  }

  task<Input, Output>(
    definition: TaskDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, TaskOptions>
  ): Promise<Output> {
    return this.schedule(definition, ...rest);
  }

  #schedule<Output>(
    verb: string,
    name: string,
    input: unknown,
    options: TaskOptions | undefined,
  ): TaskHandle<Output> {
    checkText(`${verb}, name`, name);
    const coreOptions = options && coreTaskOptions(name, options);
    const payload = this.#serializer.serialize(input);
    const [handle, taskExecutionId] = this.#turn.do(verb, (id) =>
      scheduleTask(id, name, payload, coreOptions),
    );
    const promise = this.#pending.open<Output>(handle, { type: 'task', name });
    return Object.assign(promise, { taskExecutionId, result: () => promise });
  }

  sleep(duration: Duration): Promise<void> {
    return this.#sleep('ctx.sleep', wholeMs('ctx.sleep', duration));
  }

  sleepUntil(time: Date): Promise<void> {
    const untilMs = time instanceof Date ? time.getTime() : Number.NaN;
    if (Number.isNaN(untilMs))
      throw new ConfigurationError(`ctx.sleepUntil: expected a valid Date, got ${String(time)}`);
    // By the clock of the workflow, so that every replay issues the same command.
    const nowMs = this.#turn.do('ctx.sleepUntil', currentTimeMs);
    return this.#sleep('ctx.sleepUntil', untilMs - nowMs);
  }

  #sleep(verb: string, durationMs: number): Promise<void> {
    const handle = this.#turn.do(verb, (id) => startTimer(id, Math.max(0, durationMs)));
    return this.#pending.open(handle, { type: 'timer', name: `${durationMs} ms` });
  }

  promise<T = unknown>(name: string, options: PromiseOptions = {}): Promise<T> {
    checkText('ctx.promise, name', name);
    const { timeoutMs, idempotencyKey } = promisePlan(name, options);
    const handle = this.#turn.do('ctx.promise', (id) => createPromise(id, name, timeoutMs, idempotencyKey));
    return this.#pending.open(handle, { type: 'promise', name });
  }

  run<T>(name: string, fn: OperationFunction<T>, options: OperationOptions = {}): Promise<T> {
    checkText('ctx.run, name', name);
    if (typeof fn !== 'function')
      throw new ConfigurationError(`ctx.run: operation "${name}" has no function`);
    const plan = operationPlan(name, options);
    const handle = this.#turn.do('ctx.run', (id) => beginOperation(id, name));
    this.#operations.begin(handle, name, fn, plan);
    return this.#pending.open(handle, { type: 'operation', name });
  }

  get<T = unknown>(key: string): T | null {
    checkText('ctx.get, key', key);
    const payload = this.#turn.do('ctx.get', (id) => getState(id, key));
    return payload === undefined ? null : this.#serializer.deserialize<T>(payload);
  }

  set(key: string, value: unknown): void {
    checkText('ctx.set, key', key);
    const payload = this.#serializer.serialize(value);
    this.#turn.do('ctx.set', (id) => setState(id, key, payload));
  }

  clear(key: string): void {
    checkText('ctx.clear, key', key);
    this.#turn.do('ctx.clear', (id) => clearState(id, key));
  }

  clearAll(): void {
    this.#turn.do('ctx.clearAll', clearAllState);
  }

  stateKeys(): string[] {
    return this.#turn.do('ctx.stateKeys', stateKeys);
  }

  getState<T = unknown>(key: string): T | null {
    return this.get<T>(key);
  }

  setState(key: string, value: unknown): void {
    this.set(key, value);
  }

  clearState(key: string): void {
    this.clear(key);
  }

  currentTime(): Date {
    return new Date(this.#turn.do('ctx.currentTime', currentTimeMs));
  }

  currentTimeMillis(): number {
    return this.#turn.do('ctx.currentTimeMillis', currentTimeMs);
  }

  randomUUID(): string {
    return this.#turn.do('ctx.randomUUID', randomUuid);
  }

  random(): number {
    return this.#turn.do('ctx.random', random);
  }

  checkCancellation(): never {
    throw comingLater('ctx.checkCancellation', 'cancellation');
  }

  requestCancellation(): never {
    throw comingLater('ctx.requestCancellation', 'cancellation');
  }

  scope(): never {
    throw comingLater('ctx.scope', 'cancellation');
  }

  nonCancellable(): never {
    throw comingLater('ctx.nonCancellable', 'cancellation');
  }

  withTimeout(): never {
    throw comingLater('ctx.withTimeout', 'cancellation; until then use Promise.race with ctx.sleep');
  }

  scheduleWorkflow(): never {
    throw comingLater('ctx.scheduleWorkflow', 'child workflows');
  }

  workflow(): never {
    throw comingLater('ctx.workflow', 'child workflows');
  }

  waitForSignal(): never {
    throw comingLater('ctx.waitForSignal', 'signals; until then use ctx.promise');
  }

  hasSignal(): never {
    throw comingLater('ctx.hasSignal', 'signals');
  }

  pendingSignalCount(): never {
    throw comingLater('ctx.pendingSignalCount', 'signals');
  }

  drainSignals(): never {
    throw comingLater('ctx.drainSignals', 'signals');
  }

  patched(): never {
    throw comingLater('ctx.patched', 'patching');
  }

  deprecatePatch(): never {
    throw comingLater('ctx.deprecatePatch', 'patching');
  }
}

function promisePlan(name: string, options: PromiseOptions) {
  const what = `Promise "${name}"`;
  checkOptions(what, options, ['timeout', 'idempotencyKey']);
  const { timeout, idempotencyKey } = options;
  const timeoutMs = optionalMs(`${what}, timeout`, timeout);
  if (timeoutMs !== undefined && timeoutMs < 0)
    throw new ConfigurationError(`${what}: timeout must be no negative time, got ${timeout}`);
  if (idempotencyKey !== undefined) checkText(`${what}, idempotencyKey`, idempotencyKey);
  return { timeoutMs, idempotencyKey };
}
