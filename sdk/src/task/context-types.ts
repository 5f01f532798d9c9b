import type { TaskCancelled } from '../errors.js';
import type { Logger } from '../logger.js';
import type { AbortSignal } from '../runtime/platform-types.js';

/** What a task function gets beside its input. */
export interface TaskContext {
  /** Id of the task, the same for all attempts. */
  readonly taskExecutionId: string;
  /** Name of the task. */
  readonly taskKind: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /**
   * The same for all attempts of this task and different for every other: hand it to services that take one.
   */
  readonly idempotencyKey: string;
  /**
   * Fires when the attempt should stop: the task was cancelled, its claim is lost (another worker has the task), its
   * timeout has passed, or the worker shuts down and its grace period is over. `signal.reason` says which; a
   * cancellation is a `TaskCancelled`. Pass it to `fetch` and the like.
   */
  readonly signal: AbortSignal;
  /** Whether `signal` has fired. */
  readonly isCancelled: boolean;
  /**
   * The details of the last heartbeat of an earlier attempt, for going on where it stopped; undefined if it gave none,
   * and on a server without our extension. Its type is taken on trust.
   */
  readonly heartbeatDetails: unknown;
  /** Logs with the task's name and id. */
  readonly log: Logger;
  /**
   * Tells the server that the attempt is alive, which a task with a `heartbeatTimeout` must do in time. Claims of other
   * tasks are kept without it; use it to learn early of a cancellation or a lost claim: `signal` fires then. `details`
   * are kept with the task and are `heartbeatDetails` of its next attempt. Rejects with a `ConnectionError` when the server cannot be reached.
   */
  heartbeat(details?: unknown): Promise<void>;
  /** Throws `cancellationError()` if `signal` has fired. */
  checkCancellation(): void;
  /** The error to end a stopped attempt with. */
  cancellationError(): TaskCancelled;
  /** Throws `Unsupported`: comes with task progress. A number outside 0 to 1 is refused first. */
  reportProgress(progress: number, details?: string): Promise<void>;
  /** Throws `Unsupported`: comes with streamed task data. */
  stream(event: unknown): Promise<void>;
  /** Throws `Unsupported`: comes with streamed task data. */
  streamToken(text: string): Promise<void>;
  /** Throws `Unsupported`: comes with streamed task data. */
  streamProgress(progress: number, details?: string): Promise<void>;
  /** Throws `Unsupported`: comes with streamed task data. */
  streamData(data: unknown): Promise<void>;
  /** Throws `Unsupported`: comes with streamed task data. */
  streamError(message: string, code?: string): Promise<void>;
}
