import type { Duration } from '../duration.js';
import type { CallControl } from './call-control.js';

/** What an execution is doing. CANCELLING: it was asked to end as cancelled and makes good what it did. */
export type WorkflowStatus =
  | 'PENDING'
  | 'RUNNING'
  | 'WAITING'
  | 'CANCELLING'
  | 'COMPLETED'
  | 'FAILED'
  | 'CANCELLED';

/** What a list says of an execution. */
export interface WorkflowSummary {
  /** Id of the execution, a UUID. */
  readonly workflowId: string;
  /** Name of the workflow. */
  readonly kind: string;
  /** The queue it runs on. */
  readonly queue: string;
  /** Where it is in its life. */
  readonly status: WorkflowStatus;
  /** How many events its history has. */
  readonly historyLength: number;
  /** The version it was started with, where one was named. */
  readonly workflowVersion: string | undefined;
  /** Id of the execution that started it as its child. */
  readonly parentWorkflowId: string | undefined;
  /** Id of the worker that had it last. */
  readonly workerId: string | undefined;
  /** When it was started. */
  readonly createdAt: Date;
  /** When a worker first took it. */
  readonly startedAt: Date | undefined;
  /** When it ended. */
  readonly completedAt: Date | undefined;
  /** When it last changed. */
  readonly updatedAt: Date;
  /** How long it may run from its start. Undefined for no limit, and from servers without the extension. */
  readonly timeout: Duration | undefined;
  /** Why it was asked to end as cancelled. Undefined also from servers without the extension. */
  readonly cancelReason: string | undefined;
  /** How often workers gave it back since it last went on, and why the last one did. */
  readonly parks: number;
  /** Why it was given back last, if it is parked. */
  readonly parkReason: string | undefined;
}

/** What the server knows of an execution. */
export interface WorkflowDescription extends WorkflowSummary {
  /** What it was started with. */
  readonly input: unknown;
  /** Its result; null until it has completed. */
  readonly output: unknown;
  /** Why it failed. */
  readonly error: string | undefined;
  /** What was kept with it at the start. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Which executions `listWorkflows` gives. */
export interface ListWorkflowsOptions extends CallControl {
  /** Only those in this status. Default: all. */
  readonly status?: WorkflowStatus | undefined;
  /** Only those of this workflow. Default: all. */
  readonly kind?: string | undefined;
  /** Only those on this queue. Default: all. */
  readonly queue?: string | undefined;
  /** At most so many, up to 1,000. Default: 100. */
  readonly limit?: number | undefined;
  /** Leaves out so many of the newest. Default: 0. */
  readonly offset?: number | undefined;
}

/** A page of executions. */
export interface WorkflowList {
  /** The newest first. */
  readonly workflows: readonly WorkflowSummary[];
  /** How many there are without `limit` and `offset`. */
  readonly total: number;
}
