import type { WorkflowContext } from './context-types.js';
import type { WorkflowInfo } from './handle-types.js';

/** What a query handler may use: the state of the execution as it was last recorded. It changes nothing. */
export interface QueryContext {
  /** The value of a key of the state, null if it is not set. `T` is taken on trust. */
  get<T = unknown>(key: string): T | null;
  /** The keys that are set, in order. */
  stateKeys(): string[];
  /** What is known of the execution. `historyLength` is how many events it has. */
  readonly info: QueryInfo;
}

/** What is known of an execution that is asked. */
export type QueryInfo = Omit<WorkflowInfo, 'queue' | 'attempt' | 'historyBytes'>;

/**
 * Gets each signal of one name, in the order they came, in a turn of its own; signals that came before the execution
 * began are handled just before its function is called. It is workflow code: deterministic, with the same context as
 * the function. An error that it throws or rejects with, and does not handle, fails the execution, as one of the
 * function does. The execution does not wait for handlers: what they still do when its function returns is dropped.
 */
// The payload comes from outside: its type is the program's affair.
// oxlint-disable-next-line typescript/no-explicit-any
export type SignalHandler = (ctx: WorkflowContext, payload: any) => unknown;

/**
 * Answers a query from the state of the execution. It may be asynchronous, and what it throws is the answer's error.
 */
// Arguments and result are between the program and who asks.
// oxlint-disable-next-line typescript/no-explicit-any
export type QueryHandler = (ctx: QueryContext, args: any) => any;

/** The handlers of a workflow, by name of signal and of query. */
export interface WorkflowHandlers {
  /** Signals of these names go to the handler, not to `ctx.waitForSignal` and the like. */
  readonly signals?: Readonly<Record<string, SignalHandler>> | undefined;
  /** A query of another name gives the value of the state's key of that name. */
  readonly queries?: Readonly<Record<string, QueryHandler>> | undefined;
}
