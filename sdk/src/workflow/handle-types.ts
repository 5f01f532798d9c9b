import type { Duration } from '../duration.js';
import type { RetryPolicy } from '../retry.js';
import type { AbortSignal } from '../runtime/platform-types.js';

/**
 * The promise of something durable, which can be cancelled. Cancelling what has settled changes nothing, and so
 * does a second time.
 */
export interface CancellablePromise<T> extends Promise<T> {
  /** Ends the wait: the promise rejects with `HandleCancelled`, at once. A timer is stopped on the server too. */
  cancel(reason?: string): void;
}

/** A scheduled task: the promise of its result, which can also be awaited later, or never. */
export interface TaskHandle<Output> extends Promise<Output> {
  /** Id of the task. */
  readonly taskExecutionId: string;
  /** The promise itself. Rejects with `TaskFailed` or `TaskCancelled`. */
  result(): Promise<Output>;
  /**
   * Asks the server to cancel the task: it ends, a worker that has it is told, and the promise rejects with
   * `TaskCancelled`; or with the result, if that was first. Throws `Unsupported` where the server cannot.
   */
  cancel(reason?: string): void;
}

/** A child workflow: the promise of its result, which can also be awaited later, or never. */
export interface ChildWorkflowHandle<Output> extends Promise<Output> {
  /** Id of the child's execution. */
  readonly childExecutionId: string;
  /** The same as `childExecutionId`. */
  readonly workflowId: string;
  /** The name of the child, unique in this execution. */
  readonly name: string;
  /** The promise itself. Rejects with `ChildWorkflowFailed`, also when the child was cancelled. */
  result(): Promise<Output>;
  /**
   * Asks the child to end as cancelled, which may take as long as it needs to make good. The promise settles
   * when the child has ended.
   */
  cancel(reason?: string): void;
}

/** Work in a scope of its own: the promise of what its function gives. */
export interface ScopeHandle<T> extends Promise<T> {
  /**
   * Cancels what is pending in the scope, whose promises reject with `WorkflowCancelled`. If the function lets
   * that pass, this promise rejects with `HandleCancelled`.
   */
  cancel(reason?: string): void;
}

/** Options of one scheduled task. */
export interface TaskOptions {
  /** The queue of the workers that may run it. Default: the queue of the workflow. */
  readonly queue?: string | undefined;
  /**
   * How long one attempt may take; after it the attempt fails and is retried as any other failure. On servers without
   * our extensions, which know no such limit, it is the whole life of the task. Default: `timeout` of the definition.
   */
  readonly timeout?: Duration | undefined;
  /**
   * The whole life of the task from now on, retries and the time before the first attempt included; after it the task
   * fails. Default: `totalTimeout` of the definition, else no limit.
   */
  readonly totalTimeout?: Duration | undefined;
  /**
   * How long an attempt may go without `ctx.heartbeat()`; after it the attempt fails and is retried. Servers without
   * our extensions do not know it. Default: `heartbeatTimeout` of the definition, else no limit.
   */
  readonly heartbeatTimeout?: Duration | undefined;
  /** How failed attempts are retried. Default: `retry` of the definition, else what the server does. */
  readonly retry?: RetryPolicy | undefined;
}

/** Options of a child workflow. */
export interface ChildWorkflowOptions {
  /** The queue of the workers that may run it. Default: the queue of this workflow. */
  readonly queue?: string | undefined;
  /** How much earlier it is taken than others that wait for a worker, in seconds. Default: 0. */
  readonly prioritySeconds?: number | undefined;
  /** Its name in this execution, which may be given once. Default: `<kind>-<n>`. */
  readonly name?: string | undefined;
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

/** Options of a scope. */
export interface ScopeOptions {
  /** How long the work in it may take. Default: no limit. */
  readonly timeout?: Duration | undefined;
}

/**
 * The function of an operation. `signal` fires when its timeout has passed, when it was cancelled, and when the
 * worker may not go on with it.
 */
export type OperationFunction<T> = (signal: AbortSignal) => T | PromiseLike<T>;

/** What is known of an execution besides its history. */
export interface WorkflowInfo {
  /** Id of the execution, a UUID. */
  readonly workflowExecutionId: string;
  /** Name of the workflow. */
  readonly workflowKind: string;
  /** The version it was started with, where one was named. */
  readonly workflowVersion: string | undefined;
  /** The queue it runs on. */
  readonly queue: string;
  /**
   * Always 1: an execution as a whole is never tried again, and a replay is no other attempt. Its tasks are tried again,
   * and their contexts say which attempt it is.
   */
  readonly attempt: number;
  /** Id of the execution that started this one as its child. */
  readonly parentExecutionId: string | undefined;
  /** How many events the worker holds. For logs and metrics: a replay holds more than the first run did. */
  readonly historyLength: number;
  /** How many bytes of event data the worker was given; as `historyLength`. */
  readonly historyBytes: number;
}

/** The arguments after a definition: input that may be undefined may be left out. */
export type InputAndOptions<Input, Options> = undefined extends Input
  ? [input?: Input, options?: Options | undefined]
  : [input: Input, options?: Options | undefined];
