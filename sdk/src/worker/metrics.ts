import type { AbandonReason } from './events.js';
import type { ExecutionCacheMetrics } from './cache-metrics.js';
import type { Histogram } from './histogram.js';
import type { TaskReportMetrics } from './report-counters.js';

/**
 * What a worker has done since it was made, and what it does now. Counts never go down, also over a stop and another
 * start; what is said of now, such as `active`, does.
 */
export interface WorkerMetrics {
  /** How long the worker has been running, in milliseconds; 0 while it does not. */
  readonly uptimeMs: number;
  /** How often the server could not be polled any more. */
  readonly disconnects: number;
  /** How often it could be again. */
  readonly reconnects: number;
  /** What became of executions. */
  readonly workflows: WorkflowMetrics;
  /** What became of tasks. */
  readonly tasks: TaskMetrics;
}

/** How work came. */
export interface PollMetrics {
  /** Polls that brought work. */
  readonly withWork: number;
  /** Polls that were answered without any. */
  readonly empty: number;
  /** Polls that failed. */
  readonly failed: number;
  /** Pieces of work that came without a poll of their own, with the answer to the end of the one before. */
  readonly chained: number;
  /** Pieces of work that came when nothing more was to be claimed, and were given back. */
  readonly givenBack: number;
  /** Polls that wait now. */
  readonly waiting: number;
}

/** What was done for workflows. */
export interface WorkflowMetrics {
  /** Executions that are worked on now. */
  readonly active: number;
  /** Polls for executions. */
  readonly polls: PollMetrics;
  /** Executions whose function was called for the first time. */
  readonly started: number;
  /** Executions that completed. */
  readonly completed: number;
  /** Executions that failed. */
  readonly failed: number;
  /** Executions that ended as cancelled. */
  readonly cancelled: number;
  /** Activations that came to their end: until the execution waits for something, or is over. */
  readonly activations: number;
  /** Activations that did not, because the claim was lost, something failed, or the worker stopped. */
  readonly failedActivations: number;
  /** How long activations took, of both kinds. */
  readonly activationMs: Histogram;
  /** How often an execution was given back to be tried again later, because it could not go on. */
  readonly parks: number;
  /** How often code and history of an execution disagreed. */
  readonly violations: number;
  /** Queries that were answered by handlers, or failed there. */
  readonly queries: number;
  /** What became of the executions that are kept in memory, since the last start; undefined without workflows. */
  readonly cache: ExecutionCacheMetrics | undefined;
}

/** What was done for tasks. */
export interface TaskMetrics {
  /** Attempts that are under way now. */
  readonly active: number;
  /** Polls for tasks. */
  readonly polls: PollMetrics;
  /** Attempts that began. */
  readonly started: number;
  /** Attempts whose result was recorded. */
  readonly completed: number;
  /** Attempts that failed, which was recorded. */
  readonly failed: number;
  /** Attempts that count no more or whose end was not recorded, by the reason. */
  readonly abandoned: Readonly<Record<AbandonReason, number>>;
  /** How long attempts took, whatever became of them. */
  readonly attemptMs: Histogram;
  /** What attempts told the server while they ran. */
  readonly reports: TaskReportMetrics;
}
