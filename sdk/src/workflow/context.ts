import { activationInfo, currentTimeMs, deprecatePatch, patched, random, randomUuid } from '../core.js';
import type { Duration } from '../duration.js';
import type { Logger } from '../logger.js';
import { checkText } from '../options.js';
import type { TaskDefinition } from '../task/define.js';
import { cancelledWorkflow } from './cancel-scope.js';
import type { ContextParts } from './context-parts.js';
import type { WorkflowContext } from './context-types.js';
import type { WorkflowDefinition } from './define.js';
import type {
  CancellablePromise,
  ChildWorkflowHandle,
  ChildWorkflowOptions,
  InputAndOptions,
  OperationFunction,
  OperationOptions,
  PromiseOptions,
  ScopeHandle,
  ScopeOptions,
  TaskHandle,
  TaskOptions,
  WorkflowInfo,
} from './handle-types.js';
import { replayAwareLogger } from './replay-logger.js';
import { requestCancellation, startDefined, startNamed } from './verbs/children.js';
import { openOperation } from './verbs/operations.js';
import { openPromise } from './verbs/promises.js';
import { raceTimeout, runInScope, runUncancelled } from './verbs/scopes.js';
import { awaitSignal, countSignals, isSignalPending, takeSignals } from './verbs/signals.js';
import { clearAllValues, clearValue, getValue, setValue, valueKeys } from './verbs/state.js';
import { scheduleDefined, scheduleNamed } from './verbs/tasks.js';
import { sleep, sleepUntil } from './verbs/timers.js';

/** The context of an execution or of a scope in it: says where in `verbs` each of its methods is. */
export class WorkflowContextImpl implements WorkflowContext {
  readonly workflowExecutionId: string;
  readonly log: Logger;
  readonly #parts: ContextParts;

  private constructor(parts: ContextParts) {
    this.workflowExecutionId = parts.activation.info.executionId;
    this.log = replayAwareLogger(parts);
    this.#parts = parts;
  }

  /** @internal */
  static create(parts: ContextParts): WorkflowContextImpl {
    return new WorkflowContextImpl(parts);
  }

  get info(): WorkflowInfo {
    return this.#parts.turn.do('ctx.info', (id) => {
      const info = activationInfo(id);
      return {
        workflowExecutionId: info.executionId,
        workflowKind: info.kind,
        workflowVersion: info.workflowVersion,
        queue: info.queue,
        attempt: 1,
        parentExecutionId: info.parentWorkflowExecutionId,
        historyLength: info.lastSequence,
        historyBytes: info.historyBytes,
      };
    });
  }

  schedule<Input, Output>(
    definition: TaskDefinition<Input, Output>,
    ...[input, options]: InputAndOptions<Input, TaskOptions>
  ): TaskHandle<Output> {
    return scheduleDefined<Output>(this.#parts, definition, input, options);
  }

  scheduleTask<Input, Output>(
    definition: TaskDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, TaskOptions>
  ): TaskHandle<Output> {
    return this.schedule(definition, ...rest);
  }

  scheduleByName<Output = unknown>(name: string, input?: unknown, options?: TaskOptions): TaskHandle<Output> {
    return scheduleNamed<Output>(this.#parts, 'ctx.scheduleByName', name, input, options);
  }

  task<Input, Output>(
    definition: TaskDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, TaskOptions>
  ): Promise<Output> {
    return this.schedule(definition, ...rest);
  }

  sleep(duration: Duration): CancellablePromise<void> {
    return sleep(this.#parts, duration);
  }

  sleepUntil(time: Date): CancellablePromise<void> {
    return sleepUntil(this.#parts, time);
  }

  promise<T = unknown>(name: string, options: PromiseOptions = {}): CancellablePromise<T> {
    return openPromise<T>(this.#parts, name, options);
  }

  run<T>(name: string, fn: OperationFunction<T>, options: OperationOptions = {}): CancellablePromise<T> {
    return openOperation(this.#parts, name, fn, options);
  }

  get<T = unknown>(key: string): T | null {
    return getValue<T>(this.#parts, key);
  }

  set(key: string, value: unknown): void {
    setValue(this.#parts, key, value);
  }

  clear(key: string): void {
    clearValue(this.#parts, key);
  }

  clearAll(): void {
    clearAllValues(this.#parts);
  }

  stateKeys(): string[] {
    return valueKeys(this.#parts);
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
    return new Date(this.#parts.turn.do('ctx.currentTime', currentTimeMs));
  }

  currentTimeMillis(): number {
    return this.#parts.turn.do('ctx.currentTimeMillis', currentTimeMs);
  }

  randomUUID(): string {
    return this.#parts.turn.do('ctx.randomUUID', randomUuid);
  }

  random(): number {
    return this.#parts.turn.do('ctx.random', random);
  }

  get isCancellationRequested(): boolean {
    const { turn, scope } = this.#parts;
    return turn.do('ctx.isCancellationRequested', () => scope.cancelled !== undefined);
  }

  checkCancellation(): void {
    const { turn, scope } = this.#parts;
    turn.do('ctx.checkCancellation', () => {
      // A new one each time, whose stack shows this call.
      if (scope.cancelled !== undefined) throw cancelledWorkflow(scope.cancelled.reason);
    });
  }

  get cancellation(): AbortSignal {
    return this.#parts.scope.signal;
  }

  requestCancellation(childExecutionId: string, reason?: string): Promise<void> {
    return requestCancellation(this.#parts, childExecutionId, reason);
  }

  scope<T>(fn: (ctx: WorkflowContext) => T | PromiseLike<T>, options: ScopeOptions = {}): ScopeHandle<T> {
    return runInScope(this.#parts, fn, options);
  }

  nonCancellable<T>(fn: (ctx: WorkflowContext) => T | PromiseLike<T>): Promise<T> {
    return runUncancelled(this.#parts, fn);
  }

  withTimeout<T>(promise: PromiseLike<T>, duration: Duration): Promise<T> {
    return raceTimeout(this.#parts, promise, duration);
  }

  scheduleWorkflow<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    ...[input, options]: InputAndOptions<Input, ChildWorkflowOptions>
  ): ChildWorkflowHandle<Output> {
    return startDefined<Output>(this.#parts, definition, input, options);
  }

  scheduleWorkflowByName<Output = unknown>(
    name: string,
    input?: unknown,
    options?: ChildWorkflowOptions,
  ): ChildWorkflowHandle<Output> {
    return startNamed<Output>(this.#parts, 'ctx.scheduleWorkflowByName', name, input, options);
  }

  workflow<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, ChildWorkflowOptions>
  ): Promise<Output> {
    return this.scheduleWorkflow(definition, ...rest);
  }

  waitForSignal<T = unknown>(name: string): CancellablePromise<T> {
    return awaitSignal<T>(this.#parts, name);
  }

  hasSignal(name: string): boolean {
    return isSignalPending(this.#parts, name);
  }

  pendingSignalCount(name: string): number {
    return countSignals(this.#parts, name);
  }

  drainSignals<T = unknown>(name: string): T[] {
    return takeSignals<T>(this.#parts, name);
  }

  patched(patchId: string): boolean {
    return this.#parts.turn.do('ctx.patched', (id) => {
      checkText('ctx.patched, id', patchId);
      return patched(id, patchId);
    });
  }

  deprecatePatch(patchId: string): void {
    this.#parts.turn.do('ctx.deprecatePatch', (id) => {
      checkText('ctx.deprecatePatch, id', patchId);
      deprecatePatch(id, patchId);
    });
  }
}
