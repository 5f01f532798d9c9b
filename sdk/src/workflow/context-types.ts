import type { Duration } from '../duration.js';
import type { Logger } from '../logger.js';
import type { RetryPolicy } from '../retry.js';
import type { TaskDefinition } from '../task/define.js';
import type { WorkflowDefinition } from './define.js';
import type { AbortSignal } from '../runtime/platform-types.js';

/** Options of one scheduled task. */
export interface TaskOptions {
  /** The queue of the workers that may run it. Default: the queue of the workflow. */
  readonly queue?: string | undefined;
  /** The whole life of the task from now on, retries included; after it the task fails. Default: no limit. */
  readonly timeout?: Duration | undefined;
  /** How failed attempts are retried. Default: `retry` of the definition, else what the server does. */
  readonly retry?: RetryPolicy | undefined;
}

/** Options of a promise. */
export interface PromiseOptions {
  /** After this long it rejects with a `PromiseTimeout`. Default: it waits for ever. */
  readonly timeout?: Duration | undefined;
  /** Another name to settle it by, unique in the organisation. */
  readonly idempotencyKey?: string | undefined;
}

/** Options of an operation. They take effect inside it: only its final result is recorded. */
export interface OperationOptions {
  /** How long one attempt may take before its signal fires and it fails. Default: no limit. */
  readonly timeout?: Duration | undefined;
  /** How failed attempts are retried, in this activation. Default: they are not. */
  readonly retry?: RetryPolicy | undefined;
}

/**
 * The function of an operation. `signal` fires when its timeout has passed or the worker may not go on with
 * it.
 */
export type OperationFunction<T> = (signal: AbortSignal) => T | PromiseLike<T>;

/** A scheduled task: the promise of its result, which can also be awaited later, or never. */
export interface TaskHandle<Output> extends Promise<Output> {
  /** Id of the task. */
  readonly taskExecutionId: string;
  /** The promise itself. Rejects with `TaskFailed` or `TaskCancelled`. */
  result(): Promise<Output>;
}

/** The arguments after a definition: input that may be undefined may be left out. */
export type InputAndOptions<Input, Options> = undefined extends Input
  ? [input?: Input, options?: Options | undefined]
  : [input: Input, options?: Options | undefined];

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
  sleep(duration: Duration): Promise<void>;
  /** Resolves at this time, at once if it has passed. */
  sleepUntil(time: Date): Promise<void>;

  /**
   * A promise settled from outside, by `client.resolvePromise` or `rejectPromise` with the id
   * `<workflowExecutionId>:<name>`. Each call makes a new one, also under the same name. Rejects with
   * `PromiseRejected` or `PromiseTimeout`.
   */
  promise<T = unknown>(name: string, options?: PromiseOptions): Promise<T>;

  /**
   * Calls `fn` once and records what it returns or throws; every replay gets the record. For small side
   * effects. `fn` must not use the context. A crash before the record is on the server repeats the call, so
   * give services an idempotency key.
   *
   * A timer cannot time an operation out, since it starts only when the activation ends: use the option
   * `timeout`. An error is recorded by name, message and stack.
   */
  run<T>(name: string, fn: OperationFunction<T>, options?: OperationOptions): Promise<T>;

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

  /** Whether somebody asked to cancel this execution: false until cancellation is supported. */
  readonly isCancellationRequested: boolean;
  /** Throws `Unsupported`: comes with cancellation. */
  checkCancellation(): void;
  /** Throws `Unsupported`: comes with cancellation. */
  requestCancellation(workflowExecutionId: string, reason?: string): Promise<void>;
  /** Throws `Unsupported`: comes with cancellation. */
  scope<T>(
    fn: (ctx: WorkflowContext) => T | PromiseLike<T>,
    options?: { timeout?: Duration | undefined },
  ): Promise<T>;
  /** Throws `Unsupported`: comes with cancellation. */
  nonCancellable<T>(fn: (ctx: WorkflowContext) => T | PromiseLike<T>): Promise<T>;
  /** Throws `Unsupported`: comes with cancellation. */
  withTimeout<T>(promise: PromiseLike<T>, duration: Duration): Promise<T>;

  /** Throws `Unsupported`: comes with child workflows. */
  scheduleWorkflow<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, { queue?: string | undefined; prioritySeconds?: number | undefined }>
  ): Promise<Output>;
  /** Throws `Unsupported`: comes with child workflows. */
  workflow<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, { queue?: string | undefined; prioritySeconds?: number | undefined }>
  ): Promise<Output>;

  /** Throws `Unsupported`: comes with signals. */
  waitForSignal<T = unknown>(name: string): Promise<T>;
  /** Throws `Unsupported`: comes with signals. */
  hasSignal(name: string): boolean;
  /** Throws `Unsupported`: comes with signals. */
  pendingSignalCount(name: string): number;
  /** Throws `Unsupported`: comes with signals. */
  drainSignals<T = unknown>(name: string): T[];

  /** Throws `Unsupported`: comes with patching. */
  patched(id: string): boolean;
  /** Throws `Unsupported`: comes with patching. */
  deprecatePatch(id: string): void;
}
