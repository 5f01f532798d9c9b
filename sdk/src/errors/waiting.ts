import type { Duration } from '../duration.js';
import { FlovynError, nameClass } from './base.js';
import type { RecordedFailure } from './workflow.js';

/**
 * A task failed for good. Thrown by a task itself, it says with `retryable` whether another attempt makes sense, and
 * with `nextRetryDelay` when.
 *
 * In workflow code `cause` is what the task threw: an error with its name, message and stack, of the same class if that
 * is one of the language. It is undefined when no worker reported it, such as for a timeout, and on servers without our
 * extensions.
 */
export class TaskFailed extends FlovynError {
  static {
    nameClass(this, 'TaskFailed');
  }

  override readonly code: string = 'TASK_FAILED';
  /** Id of the task. */
  readonly taskExecutionId: string;
  /** Whether another attempt could succeed. */
  readonly retryable: boolean;
  /** The pause before the next attempt, whatever the retry policy says. Undefined leaves it to that. */
  readonly nextRetryDelay: Duration | undefined;
  /** In workflow code, the name of the class of the error that the task threw; undefined where it was not recorded. */
  readonly failureType: string | undefined;
  /** In workflow code, the stack of what the task threw, as a text for people; undefined where it was not recorded. */
  readonly remoteStack: string | undefined;

  constructor(
    message: string,
    taskExecutionId: string,
    retryable: boolean = true,
    cause?: unknown,
    nextRetryDelay?: Duration,
    recorded: RecordedFailure = {},
  ) {
    super(message, cause);
    this.taskExecutionId = taskExecutionId;
    this.retryable = retryable;
    this.nextRetryDelay = nextRetryDelay;
    this.failureType = recorded.failureType;
    this.remoteStack = recorded.remoteStack;
  }
}

/** A task was cancelled. */
export class TaskCancelled extends FlovynError {
  static {
    nameClass(this, 'TaskCancelled');
  }

  override readonly code: string = 'TASK_CANCELLED';
  /** Id of the task. */
  readonly taskExecutionId: string;

  constructor(taskExecutionId: string, message: string = 'Task cancelled') {
    super(message);
    this.taskExecutionId = taskExecutionId;
  }
}

/** A task did not end within its time. */
export class TaskTimeout extends FlovynError {
  static {
    nameClass(this, 'TaskTimeout');
  }

  override readonly code: string = 'TASK_TIMEOUT';
  /** Id of the task. */
  readonly taskExecutionId: string;
  /** The time it had, in milliseconds. */
  readonly timeoutMs: number;

  constructor(taskExecutionId: string, timeoutMs: number) {
    super(`Task ${taskExecutionId} timed out after ${timeoutMs} ms`);
    this.taskExecutionId = taskExecutionId;
    this.timeoutMs = timeoutMs;
  }
}

/** A promise was not resolved within its time. */
export class PromiseTimeout extends FlovynError {
  static {
    nameClass(this, 'PromiseTimeout');
  }

  override readonly code: string = 'PROMISE_TIMEOUT';
  /** Name or id of the promise. */
  readonly promiseId: string;
  /** The time it had, in milliseconds, if known. */
  readonly timeoutMs: number | undefined;

  constructor(promiseId: string, timeoutMs?: number) {
    super(`Promise "${promiseId}" timed out${timeoutMs === undefined ? '' : ` after ${timeoutMs} ms`}`);
    this.promiseId = promiseId;
    this.timeoutMs = timeoutMs;
  }
}

/** A promise was rejected from outside. */
export class PromiseRejected extends FlovynError {
  static {
    nameClass(this, 'PromiseRejected');
  }

  override readonly code: string = 'PROMISE_REJECTED';
  /** Name or id of the promise. */
  readonly promiseId: string;
  /** Why, as given by whoever rejected it. */
  readonly reason: string;

  constructor(promiseId: string, reason: string) {
    super(`Promise "${promiseId}" was rejected: ${reason}`);
    this.promiseId = promiseId;
    this.reason = reason;
  }
}

/** Workflow code cancelled what it waited for, by the handle's `cancel`. */
export class HandleCancelled extends FlovynError {
  static {
    nameClass(this, 'HandleCancelled');
  }

  override readonly code: string = 'HANDLE_CANCELLED';
  /** What was cancelled, such as `timer "5000 ms"`. */
  readonly handle: string;
  /** Why, as given to `cancel`. */
  readonly reason: string | undefined;

  constructor(handle: string, reason?: string) {
    super(`The ${handle} was cancelled${reason === undefined ? '' : `: ${reason}`}`);
    this.handle = handle;
    this.reason = reason;
  }
}

/** The time of `ctx.withTimeout`, of `ctx.scope`, or of a call with `callTimeout` was over. */
export class TimeoutError extends FlovynError {
  static {
    nameClass(this, 'TimeoutError');
  }

  override readonly code: string = 'TIMEOUT';
  /** The time there was, in milliseconds. */
  readonly timeoutMs: number;

  constructor(what: string, timeoutMs: number, cause?: unknown) {
    super(`${what} timed out after ${timeoutMs} ms`, cause);
    this.timeoutMs = timeoutMs;
  }
}
