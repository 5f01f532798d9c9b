import type { Duration } from '../duration.js';
import type { Logger } from '../logger.js';
import type { TaskDefinition } from '../task/define.js';
import type { WorkflowDefinition } from './define.js';
import type { AbortSignal } from '../runtime/platform-types.js';
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

/**
 * What a workflow function gets beside its input.
 *
 * The function must be deterministic: given the same results it does the same things in the same order. Time,
 * random numbers and everything outside come from here; whatever else is needed goes into `run` or a task.
 * `Promise.all`, `race`, `any` and `allSettled` over what these methods return are deterministic.
 *
 * Methods may be called only while the function runs because of its own start or because something from here
 * settled. After `await fetch(..)` or another wait that Flovyn does not know they throw an error with code
 * `NOT_IN_TURN`.
 */
export interface WorkflowContext {
  /** Id of this execution, a UUID. */
  readonly workflowExecutionId: string;
  /** What is known of this execution. */
  readonly info: WorkflowInfo;
  /** Logs with the workflow's name and id; silent during replay, so that each line appears once. */
  readonly log: Logger;

  /** Schedules a task and gives the promise of its result. Await it now, later or together with others. */
  schedule<Input, Output>(
    definition: TaskDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, TaskOptions>
  ): TaskHandle<Output>;
  /** The same as `schedule`. */
  scheduleTask<Input, Output>(
    definition: TaskDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, TaskOptions>
  ): TaskHandle<Output>;
  /** Schedules a task that is defined elsewhere; the result type is taken on trust. */
  scheduleByName<Output = unknown>(name: string, input?: unknown, options?: TaskOptions): TaskHandle<Output>;
  /** Schedules a task and gives the promise of its result, without the handle's other members. */
  task<Input, Output>(
    definition: TaskDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, TaskOptions>
  ): Promise<Output>;

  /** Resolves after this long, be it months; nothing waits in memory. No time or less: at once. */
  sleep(duration: Duration): CancellablePromise<void>;
  /** Resolves at this time, at once if it has passed. */
  sleepUntil(time: Date): CancellablePromise<void>;

  /**
   * A promise settled from outside, by `client.resolvePromise` or `rejectPromise` with the id
   * `<workflowExecutionId>:<name>`. Each call makes a new one, also under the same name. Rejects with
   * `PromiseRejected` or `PromiseTimeout`.
   */
  promise<T = unknown>(name: string, options?: PromiseOptions): CancellablePromise<T>;

  /**
   * Calls `fn` once and records what it returns or throws; every replay gets the record. For small side
   * effects. `fn` must not use the context. A crash before the record is on the server repeats the call, so
   * give services an idempotency key.
   *
   * A timer cannot time an operation out, since it starts only when the activation ends: use the option
   * `timeout`. An error is recorded by name, message and stack. A cancelled operation goes on until its function
   * ends, and is recorded; only the wait for it is over.
   */
  run<T>(name: string, fn: OperationFunction<T>, options?: OperationOptions): CancellablePromise<T>;

  /** The value of a key of the execution's state, null if it is not set. `T` is taken on trust. */
  get<T = unknown>(key: string): T | null;
  /**
   * Sets a key of the execution's state, which queries and the server's pages show. The value is serialised
   * at once.
   */
  set(key: string, value: unknown): void;
  /** Removes a key of the state. */
  clear(key: string): void;
  /** Removes every key of the state. */
  clearAll(): void;
  /** The keys that are set, in order. */
  stateKeys(): string[];
  /** The same as `get`. */
  getState<T = unknown>(key: string): T | null;
  /** The same as `set`. */
  setState(key: string, value: unknown): void;
  /** The same as `clear`. */
  clearState(key: string): void;

  /** The time, the same on every replay. It stands still while the function runs without waiting. */
  currentTime(): Date;
  /** `currentTime` in milliseconds since 1970. */
  currentTimeMillis(): number;
  /** A UUID, the same on every replay. */
  randomUUID(): string;
  /** A number from 0 to below 1, the same on every replay. */
  random(): number;

  /** Whether this execution, or the scope that this context belongs to, was asked to end as cancelled. */
  readonly isCancellationRequested: boolean;
  /** Throws `WorkflowCancelled` if `isCancellationRequested`. */
  checkCancellation(): void;
  /**
   * Fires when this execution, or the scope that this context belongs to, is asked to end as cancelled. Its
   * listeners are workflow code and must be deterministic; operations get a signal of their own.
   */
  readonly cancellation: AbortSignal;
  /**
   * Asks a child of this execution to end as cancelled, as `cancel` of its handle does. Other executions are
   * refused with `Unsupported`: cancel them by a client in a task.
   */
  requestCancellation(childExecutionId: string, reason?: string): Promise<void>;

  /**
   * Runs `fn` with a context of its own, whose pending work is cancelled together. The scope belongs to that
   * context: what is begun with another one is not in it.
   *
   * When `timeout` is over, what is pending in the scope is cancelled, and the promise rejects with
   * `TimeoutError` once `fn` has ended, so that its `catch` and `finally` are done; at once, if nothing was
   * pending in the scope. If `fn` catches the cancellation, it decides.
   */
  scope<T>(fn: (ctx: WorkflowContext) => T | PromiseLike<T>, options?: ScopeOptions): ScopeHandle<T>;
  /** Runs `fn` with a context whose work goes on when this execution or a scope around it is cancelled. */
  nonCancellable<T>(fn: (ctx: WorkflowContext) => T | PromiseLike<T>): Promise<T>;
  /**
   * Waits for `promise`, but no longer than `duration`: rejects with `TimeoutError` then. The one that loses, the
   * timer or what this context gave as `promise`, is cancelled. What a promise of another kind stands for goes
   * on: put that into `scope`.
   */
  withTimeout<T>(promise: PromiseLike<T>, duration: Duration): Promise<T>;

  /** Starts a child workflow and gives the promise of its result. */
  scheduleWorkflow<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, ChildWorkflowOptions>
  ): ChildWorkflowHandle<Output>;
  /** Starts a child workflow that is defined elsewhere; the result type is taken on trust. */
  scheduleWorkflowByName<Output = unknown>(
    name: string,
    input?: unknown,
    options?: ChildWorkflowOptions,
  ): ChildWorkflowHandle<Output>;
  /** Starts a child workflow and gives the promise of its result, without the handle's other members. */
  workflow<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, ChildWorkflowOptions>
  ): Promise<Output>;

  /**
   * The next signal of this name: one that came already, in the order they came, or one that is still to come.
   * Those who wait are served in the order they asked; one that lost a race goes on waiting and takes a signal,
   * unless it is cancelled. Signals of a name with a handler go to the handler instead.
   */
  waitForSignal<T = unknown>(name: string): CancellablePromise<T>;
  /** Whether a signal of this name has come that nobody took. */
  hasSignal(name: string): boolean;
  /** How many signals of this name have come that nobody took. */
  pendingSignalCount(name: string): number;
  /** Takes all signals of this name that have come, the oldest first. */
  drainSignals<T = unknown>(name: string): T[];

  /**
   * Whether to take the new way at a place where the code was changed: false for executions that passed it
   * before the change, true for all others. Decided once per id and execution.
   */
  patched(id: string): boolean;
  /**
   * Says that only the new way is left, once no execution from before the change runs any more; when none runs
   * that began before this call, it can be removed as well.
   */
  deprecatePatch(id: string): void;
}
