/** An event of a history. */
export interface HistoryEvent {
  /** Its number, from 1, without gaps. */
  readonly sequence: number;
  /** Its type, such as `TASK_COMPLETED`. */
  readonly eventType: string;
  /** What it says: a JSON object as text. */
  readonly data: string;
}

/** The history of an execution. */
export interface WorkflowHistory {
  /** Id of the execution: random numbers and ids of workflow code are derived from it. */
  readonly workflowExecutionId?: string | undefined;
  /** All of its events from the first on. */
  readonly events: readonly HistoryEventLike[];
}

/**
 * An event as somebody gives it: the REST interface (`sequence`, `eventType`, `data` as an object), `GetEvents`
 * (`sequenceNumber`, `eventType`, `eventData` as bytes, text or base64), in camel case or with underscores.
 */
export type HistoryEventLike = object;

/**
 * A history in any of the forms that it is met in: the answer of `GET .../events` of the REST interface or the array in
 * it, one of them as JSON text, what the history command of a CLI prints, or the bytes of an answer of `GetEvents`.
 */
export type HistorySource = WorkflowHistory | readonly HistoryEventLike[] | string | Uint8Array;

/** The history of an execution, as `FlovynTestEnvironment.history` gives it. */
export interface FetchedHistory extends WorkflowHistory {
  /** Id of the execution. */
  readonly workflowExecutionId: string;
  /** Its events so far. */
  readonly events: readonly HistoryEvent[];
}
