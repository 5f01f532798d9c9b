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

/** What is recorded of how an execution failed, besides the text of its error. */
export interface RecordedFailure {
  /**
   * The kind of the failure, such as `ERROR`, `TIMEOUT`, `DETERMINISM_VIOLATION`, or `BUSINESS_LOGIC` for an error that
   * said of itself that trying again would not help. Undefined where it was not recorded.
   */
  readonly failureType?: string | undefined;
  /** The stack of the error where it was thrown, on another machine perhaps: a text, for people. */
  readonly remoteStack?: string | undefined;
}

/** Whether another run could succeed, as far as a failure type says it. */
function mayHelp(failureType: string | undefined): boolean {
  return failureType !== 'BUSINESS_LOGIC';
}

/**
 * The workflow ended with an error. `message` contains the recorded error text; `cause` is an error made of what was
 * recorded of the one that was thrown: its name, message and stack.
 */
export class WorkflowFailed extends FlovynError {
  static {
    nameClass(this, 'WorkflowFailed');
  }

  override readonly code: string = 'WORKFLOW_FAILED';
  /** Id of the execution that failed. */
  readonly workflowId: string;

  /** See `RecordedFailure`. */
  readonly failureType: string | undefined;
  /** See `RecordedFailure`. */
  readonly remoteStack: string | undefined;
  /** False when the error said of itself that trying again would not help. */
  readonly retryable: boolean;

  constructor(workflowId: string, message: string, cause?: unknown, recorded: RecordedFailure = {}) {
    super(message, cause);
    this.workflowId = workflowId;
    this.failureType = recorded.failureType;
    this.remoteStack = recorded.remoteStack;
    this.retryable = mayHelp(recorded.failureType);
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

/**
 * A child workflow failed or was cancelled. `message` contains the recorded error text; `cause` is an error made of what
 * was recorded of the one that was thrown: its name, message and stack.
 */
export class ChildWorkflowFailed extends FlovynError {
  static {
    nameClass(this, 'ChildWorkflowFailed');
  }

  override readonly code: string = 'CHILD_WORKFLOW_FAILED';
  /** Id of the child's execution. */
  readonly childExecutionId: string;

  /** See `RecordedFailure`. Undefined for a child that was cancelled. */
  readonly failureType: string | undefined;
  /** See `RecordedFailure`. */
  readonly remoteStack: string | undefined;
  /** False when the error said of itself that trying again would not help. */
  readonly retryable: boolean;

  constructor(childExecutionId: string, message: string, cause?: unknown, recorded: RecordedFailure = {}) {
    super(message, cause);
    this.childExecutionId = childExecutionId;
    this.failureType = recorded.failureType;
    this.remoteStack = recorded.remoteStack;
    this.retryable = mayHelp(recorded.failureType);
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
