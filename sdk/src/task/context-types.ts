import type { TaskCancelled } from '../errors.js';
import type { Logger } from '../logger.js';
import type { AbortSignal } from '../runtime/platform-types.js';
import type { TaskState } from './reports.js';
import type { StreamEvent } from './stream-events.js';

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
  /**
   * Logs with the task's name and id. What is at `taskWorkerOptions.serverLogLevel` or above is also kept with the task on
   * the server; it goes there in the background, and may be lost. The SDK itself never logs inputs or results.
   */
  readonly log: Logger;
  /** Values that survive the attempt and are there for the next one. */
  readonly state: TaskState;
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
  /**
   * Tells how far the attempt is, from 0 to 1 and to a millionth, to whoever looks at the task. Resolves at once: it goes out in the
   * background, the newest instead of older ones that still wait, and may be lost. Rejects with a `ConfigurationError`
   * for anything but a number from 0 to 1.
   */
  reportProgress(progress: number, details?: string): Promise<void>;
  /**
   * Tells an event to those who watch the task or its workflow, such as by `handle.stream()`. Events go out in the
   * background, in order, several in one call, and before the end of the attempt. It resolves at once, or, where much waits
   * to be sent, when there is room again: await it in a loop. That is best effort: what is not awaited and comes faster
   * than it can be sent, or while the server cannot be reached, is lost and counted, and the task goes on.
   * Rejects with a `ConfigurationError` or `SerializationError` for an event that cannot be meant or sent.
   */
  stream(event: StreamEvent): Promise<void>;
  /** Streams a piece of a text that comes bit by bit, as `stream` does. */
  streamToken(text: string): Promise<void>;
  /** Streams how far it is, from 0 to 1, as `stream` does. */
  streamProgress(progress: number, details?: string): Promise<void>;
  /** Streams any value, as `stream` does. */
  streamData(data: unknown): Promise<void>;
  /** Streams an error that does not end the task, as `stream` does. */
  streamError(message: string, code?: string): Promise<void>;
}
