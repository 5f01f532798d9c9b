import type { DeterminismViolation } from '../errors.js';
import type { ShutdownReport } from './shutdown-report.js';

/** What listeners of a worker are told, by the name of the event. */
export interface WorkerEvents {
  /** The worker is registered and claims work. */
  readonly start: WorkerStartedEvent;
  /** The worker claims nothing more until it is resumed. */
  readonly pause: Readonly<Record<string, never>>;
  /** The worker claims work again. */
  readonly resume: Readonly<Record<string, never>>;
  /** The worker has shut down. */
  readonly stop: ShutdownReport;
  /**
   * The function of an execution is called for the first time: once for each execution, however often it is replayed. A
   * second worker tells it again if the first one was lost before it had recorded anything of the execution.
   */
  readonly workflowStarted: WorkflowEvent;
  /** An execution has completed, and the server has recorded it. */
  readonly workflowCompleted: WorkflowEvent;
  /** An execution has failed, and the server has recorded it. */
  readonly workflowFailed: WorkflowFailedEvent;
  /** An execution has ended as cancelled, and the server has recorded it. */
  readonly workflowCancelled: WorkflowEvent;
  /** Code and history of an execution disagree; it is parked, or fails as `violations` of the options says. */
  readonly violation: ViolationReport;
  /** An attempt of a task begins. */
  readonly taskStarted: TaskEvent;
  /** An attempt has given the result of the task, and the server has recorded it. */
  readonly taskCompleted: TaskEndedEvent;
  /** An attempt has failed, and the server has recorded it; whether another follows is the server's to decide. */
  readonly taskFailed: TaskFailedEvent;
  /** An attempt counts no more, or its end did not reach the server. */
  readonly taskAbandoned: TaskAbandonedEvent;
  /** Other workers have registered some of the same kinds differently. */
  readonly conflict: ConflictEvent;
  /** The server cannot be polled. The worker tries again until it can. */
  readonly disconnected: DisconnectedEvent;
  /** The server can be polled again. */
  readonly reconnected: ReconnectedEvent;
}

/** See `start` of `WorkerEvents`. */
export interface WorkerStartedEvent {
  /** The id that the server gave. */
  readonly workerId: string;
}

/** An execution. */
export interface WorkflowEvent {
  /** Id of the execution. */
  readonly workflowExecutionId: string;
  /** Name of the workflow. */
  readonly workflowKind: string;
}

/** An execution that has failed. */
export interface WorkflowFailedEvent extends WorkflowEvent {
  /** What its function threw, as an `Error` if it is none. */
  readonly error: Error;
}

/** An execution whose code and history disagree. */
export interface ViolationReport extends WorkflowEvent {
  /** What disagrees, and where. */
  readonly violation: DeterminismViolation;
}

/** An attempt of a task. */
export interface TaskEvent {
  /** Id of the task. */
  readonly taskExecutionId: string;
  /** Name of the task. */
  readonly taskKind: string;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
}

/** An attempt that has ended. */
export interface TaskEndedEvent extends TaskEvent {
  /** From when the task came until its end was recorded or given up, in milliseconds. */
  readonly durationMs: number;
}

/** An attempt that has failed. */
export interface TaskFailedEvent extends TaskEndedEvent {
  /** The message of what was thrown. */
  readonly error: string;
  /** The name of its class. */
  readonly errorType: string;
}

/** An attempt whose end was not recorded. */
export interface TaskAbandonedEvent extends TaskEndedEvent {
  /** Why its end was not recorded. */
  readonly reason: AbandonReason;
}

/**
 * Why an attempt counts no more. `cancelled`: the task was. `claimLost`: another worker may have it now. `stopped`: the
 * worker shut down and has given it back. `unreported`: the server could not be told, or refused, how it ended.
 */
export type AbandonReason = 'cancelled' | 'claimLost' | 'stopped' | 'unreported';

/** See `conflict` of `WorkerEvents`. */
export interface ConflictEvent {
  /** What differs, and with whom. */
  readonly conflicts: readonly RegistrationConflict[];
}

/** A kind that another worker has registered differently. */
export interface RegistrationConflict {
  /** Which of the two it is. */
  readonly type: 'workflow' | 'task';
  /** Name of the workflow or task. */
  readonly kind: string;
  /** What differs. */
  readonly reason: string;
  /** The id of the other worker. */
  readonly existingWorkerId: string;
}

/** See `disconnected` of `WorkerEvents`. */
export interface DisconnectedEvent {
  /** Why the poll failed. */
  readonly error: Error;
}

/** See `reconnected` of `WorkerEvents`. */
export interface ReconnectedEvent {
  /** How long the server could not be polled, in milliseconds. */
  readonly outageMs: number;
}

/** What a listener is: it is told of the event, and what it returns is not waited for. */
export type WorkerListener<Event extends keyof WorkerEvents> = (
  event: WorkerEvents[Event],
) => void | PromiseLike<void>;
