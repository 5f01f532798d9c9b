import type { Duration } from '../../duration.js';
import type { Logger } from '../../logger.js';
import type { AbortSignal } from '../../runtime/platform-types.js';
import type { TaskDefinition } from '../../task/define.js';
import type { WorkflowContext } from '../../workflow/context-types.js';
import type { WorkflowDefinition } from '../../workflow/define.js';
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
} from '../../workflow/handle-types.js';
import type { Mocks } from './mocks.js';

/**
 * The context of an execution whose tasks and the like are mocked, or of a scope in it: remembers what the code does, and
 * leaves the doing to the real context.
 */
export class TrackedContext implements WorkflowContext {
  readonly #mocks: Mocks;
  /** Of a scope. */
  readonly #scope: WorkflowContext | undefined;

  /** @internal */
  protected constructor(mocks: Mocks, scope?: WorkflowContext) {
    this.#mocks = mocks;
    this.#scope = scope;
  }

  /** @internal */
  static of(mocks: Mocks, scope: WorkflowContext): TrackedContext {
    return new TrackedContext(mocks, scope);
  }

  get workflowExecutionId(): string {
    return this.#mocks.execution.executionId;
  }

  get log(): Logger {
    return this.#mocks.execution.ctx.log;
  }

  get info(): WorkflowInfo {
    return this.#ctx.info;
  }

  schedule<Input, Output>(
    definition: TaskDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, TaskOptions>
  ): TaskHandle<Output> {
    return this.#mocks.tasks.schedule(definition, rest[0], rest[1], () =>
      this.#ctx.schedule(definition, ...rest),
    );
  }

  scheduleTask<Input, Output>(
    definition: TaskDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, TaskOptions>
  ): TaskHandle<Output> {
    return this.schedule(definition, ...rest);
  }

  scheduleByName<Output = unknown>(name: string, input?: unknown, options?: TaskOptions): TaskHandle<Output> {
    return this.#mocks.tasks.schedule(name, input, options, () =>
      this.#ctx.scheduleByName<Output>(name, input, options),
    );
  }

  task<Input, Output>(
    definition: TaskDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, TaskOptions>
  ): Promise<Output> {
    return this.schedule(definition, ...rest);
  }

  sleep(duration: Duration): CancellablePromise<void> {
    return this.#mocks.timers.started(this.#ctx.sleep(duration), duration);
  }

  sleepUntil(time: Date): CancellablePromise<void> {
    return this.#mocks.timers.startedUntil(this.#ctx.sleepUntil(time), time);
  }

  promise<T = unknown>(name: string, options?: PromiseOptions): CancellablePromise<T> {
    return this.#mocks.promises.make(name, options, () => this.#ctx.promise<T>(name, options));
  }

  run<T>(name: string, fn: OperationFunction<T>, options?: OperationOptions): CancellablePromise<T> {
    return this.#mocks.operations.begin(name, fn, (tracked) => this.#ctx.run(name, tracked, options));
  }

  get<T = unknown>(key: string): T | null {
    return this.#ctx.get<T>(key);
  }

  set(key: string, value: unknown): void {
    this.#ctx.set(key, value);
  }

  clear(key: string): void {
    this.#ctx.clear(key);
  }

  clearAll(): void {
    this.#ctx.clearAll();
  }

  stateKeys(): string[] {
    return this.#ctx.stateKeys();
  }

  getState<T = unknown>(key: string): T | null {
    return this.#ctx.getState<T>(key);
  }

  setState(key: string, value: unknown): void {
    this.#ctx.setState(key, value);
  }

  clearState(key: string): void {
    this.#ctx.clearState(key);
  }

  currentTime(): Date {
    return new Date(this.currentTimeMillis());
  }

  currentTimeMillis(): number {
    // In a turn time stands still, but the test may let it pass.
    return Math.max(this.#ctx.currentTimeMillis(), this.#mocks.clock.nowMs());
  }

  randomUUID(): string {
    return this.#ctx.randomUUID();
  }

  random(): number {
    return this.#ctx.random();
  }

  get isCancellationRequested(): boolean {
    return this.#ctx.isCancellationRequested;
  }

  checkCancellation(): void {
    this.#ctx.checkCancellation();
  }

  get cancellation(): AbortSignal {
    return (this.#scope ?? this.#mocks.execution.ctx).cancellation;
  }

  requestCancellation(childExecutionId: string, reason?: string): Promise<void> {
    return this.#ctx.requestCancellation(childExecutionId, reason);
  }

  scope<T>(fn: (ctx: WorkflowContext) => T | PromiseLike<T>, options?: ScopeOptions): ScopeHandle<T> {
    return this.#ctx.scope(fn, options);
  }

  nonCancellable<T>(fn: (ctx: WorkflowContext) => T | PromiseLike<T>): Promise<T> {
    return this.#ctx.nonCancellable(fn);
  }

  withTimeout<T>(promise: PromiseLike<T>, duration: Duration): Promise<T> {
    return this.#ctx.withTimeout(promise, duration);
  }

  scheduleWorkflow<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, ChildWorkflowOptions>
  ): ChildWorkflowHandle<Output> {
    return this.#mocks.children.start(definition, rest[0], rest[1], () =>
      this.#ctx.scheduleWorkflow(definition, ...rest),
    );
  }

  scheduleWorkflowByName<Output = unknown>(
    name: string,
    input?: unknown,
    options?: ChildWorkflowOptions,
  ): ChildWorkflowHandle<Output> {
    return this.#mocks.children.start(name, input, options, () =>
      this.#ctx.scheduleWorkflowByName<Output>(name, input, options),
    );
  }

  workflow<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, ChildWorkflowOptions>
  ): Promise<Output> {
    return this.scheduleWorkflow(definition, ...rest);
  }

  waitForSignal<T = unknown>(name: string): CancellablePromise<T> {
    return this.#ctx.waitForSignal<T>(name);
  }

  hasSignal(name: string): boolean {
    return this.#ctx.hasSignal(name);
  }

  pendingSignalCount(name: string): number {
    return this.#ctx.pendingSignalCount(name);
  }

  drainSignals<T = unknown>(name: string): T[] {
    return this.#ctx.drainSignals<T>(name);
  }

  patched(id: string): boolean {
    return this.#ctx.patched(id);
  }

  deprecatePatch(id: string): void {
    this.#ctx.deprecatePatch(id);
  }

  /** The real context, in a turn. */
  get #ctx(): WorkflowContext {
    const root = this.#mocks.execution.enter();
    return this.#scope ?? root;
  }
}
