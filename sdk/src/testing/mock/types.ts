import type { Duration } from '../../duration.js';
import type { AnyWorkflow } from '../../workflow/define.js';
import type { ChildWorkflowOptions, PromiseOptions, TaskOptions } from '../../workflow/handle-types.js';

/** What a `MockWorkflowContext` is made with. */
export interface MockWorkflowContextOptions {
  /** The time at the beginning. Default: now. */
  readonly currentTime?: Date | undefined;
  /**
   * A whole number that decides the random numbers, the pauses between attempts and, together with `currentTime`, the ids:
   * they are the same for the same number, also from one run of a test to the next. Default: 1.
   */
  readonly randomSeed?: number | undefined;
  /**
   * The workflow under test. With it `ctx.info` says its name and version, and signals with a handler of it go to the
   * handler. Default: one with the name `mock-workflow` and without handlers.
   */
  readonly workflow?: AnyWorkflow | undefined;
}

/** When something that is mocked happens. */
export interface MockOptions {
  /**
   * How long it takes, in the time of the context: from the start of the attempt, from the start of the child, from the
   * making of the promise, or, for what is told to the execution, from now. Default: no time.
   */
  readonly after?: Duration | undefined;
}

/** A task that a workflow scheduled. */
export interface TrackedTask {
  /** Name of the task. */
  readonly taskName: string;
  /** The input as the workflow gave it. */
  readonly input: unknown;
  /** The options as the workflow gave them; undefined if it gave none. */
  readonly options: TaskOptions | undefined;
  /** What the workflow got; undefined as long as the task has not succeeded. */
  readonly result: unknown;
  /** What the workflow got instead, `TaskFailed` or `TaskCancelled`. Absent as long as it has not failed. */
  readonly error?: Error | undefined;
}

/** A timer that a workflow started by `sleep` or `sleepUntil`. */
export interface TrackedTimer {
  /** How long it runs; no time for a time that has passed. */
  readonly duration: Duration;
  /** When it fired, in the time of the context; undefined as long as it has not, and if it was cancelled. */
  readonly firedAt: Date | undefined;
}

/** A promise that a workflow made by `ctx.promise`. */
export interface TrackedPromise {
  /** Its name. */
  readonly name: string;
  /** The options as the workflow gave them; undefined if it gave none. */
  readonly options: PromiseOptions | undefined;
  /** Whether it was resolved. */
  readonly resolved: boolean;
  /** What it was resolved with; undefined as long as it was not. */
  readonly value: unknown;
  /** What it was rejected with, such as `PromiseRejected` or `PromiseTimeout`; undefined as long as it was not. */
  readonly error: Error | undefined;
}

/** A child workflow that a workflow started. */
export interface TrackedChildWorkflow {
  /** Name of the workflow that the child is an execution of. */
  readonly workflowName: string;
  /** The input as the workflow gave it. */
  readonly input: unknown;
  /** The options as the workflow gave them; undefined if it gave none. */
  readonly options: ChildWorkflowOptions | undefined;
  /** What the workflow got; undefined as long as the child has not completed. */
  readonly result: unknown;
  /** What the workflow got instead. Absent as long as the child has not failed. */
  readonly error?: Error | undefined;
}

/** An operation that a workflow began by `ctx.run`. */
export interface TrackedOperation {
  /** Its name. */
  readonly name: string;
  /** What it gave; undefined as long as it has not. */
  readonly result: unknown;
  /** What its last attempt threw. Absent as long as none did. */
  readonly error?: unknown;
}
