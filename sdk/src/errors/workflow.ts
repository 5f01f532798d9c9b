import { FlovynError, nameClass } from './base.js';

/** Kept for programs that import it. Nothing throws it: a suspended workflow is a promise that does not settle. */
export class WorkflowSuspended extends FlovynError {
  static {
    nameClass(this, 'WorkflowSuspended');
  }

  override readonly code: string = 'WORKFLOW_SUSPENDED';
  /** The commands that the workflow had issued. */
  readonly commands: readonly unknown[];

  constructor(message: string = 'Workflow suspended', commands: readonly unknown[] = []) {
    super(message);
    this.commands = commands;
  }
}

/** The workflow was cancelled. */
export class WorkflowCancelled extends FlovynError {
  static {
    nameClass(this, 'WorkflowCancelled');
  }

  override readonly code: string = 'WORKFLOW_CANCELLED';
  /** Why, as given by whoever asked for it. */
  readonly reason: string | undefined;

  constructor(message: string = 'Workflow was cancelled', reason?: string) {
    super(message);
    this.reason = reason;
  }
}

/** The workflow ended with an error. `message` contains the recorded error text. */
export class WorkflowFailed extends FlovynError {
  static {
    nameClass(this, 'WorkflowFailed');
  }

  override readonly code: string = 'WORKFLOW_FAILED';
  /** Id of the execution that failed. */
  readonly workflowId: string;

  constructor(workflowId: string, message: string, cause?: unknown) {
    super(message, cause);
    this.workflowId = workflowId;
  }
}

/** The workflow code and the history disagree: the code was changed, or is not deterministic. */
export class DeterminismViolation extends FlovynError {
  static {
    nameClass(this, 'DeterminismViolation');
  }

  override readonly code: string = 'VIOLATION';
  /**
   * What is known of it: `eventSequence`, `event`, `expected`, `got`, `hint`, and, when the line of workflow code could
   * be found, `source`, or else `pending`, where code waits: each with `file`, `line`, `column` and the `verb` called.
   */
  readonly details: unknown;

  constructor(message: string, details?: unknown) {
    super(message);
    this.details = details;
  }
}

/** A child workflow failed or was cancelled. `message` contains the recorded error text. */
export class ChildWorkflowFailed extends FlovynError {
  static {
    nameClass(this, 'ChildWorkflowFailed');
  }

  override readonly code: string = 'CHILD_WORKFLOW_FAILED';
  /** Id of the child's execution. */
  readonly childExecutionId: string;

  constructor(childExecutionId: string, message: string, cause?: unknown) {
    super(message, cause);
    this.childExecutionId = childExecutionId;
  }
}

/** A query was not answered: its handler threw, or there is none of that name. */
export class QueryFailed extends FlovynError {
  static {
    nameClass(this, 'QueryFailed');
  }

  override readonly code: string = 'QUERY_FAILED';
  /** Id of the execution that was asked. */
  readonly workflowId: string;
  /** Name of the query. */
  readonly queryName: string;

  /** `reason` is the text of the error that the handler threw. */
  constructor(workflowId: string, queryName: string, reason: string) {
    super(`Query "${queryName}" failed: ${reason}`);
    this.workflowId = workflowId;
    this.queryName = queryName;
  }
}
