import { ConfigurationError } from '../errors.js';
import { textOf } from '../errors/base.js';
import { checkOptions } from '../options.js';
import type { Serializer } from '../serde.js';
import type { WorkflowContext } from './context-types.js';
import type { AnyWorkflow } from './define.js';
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

/** Throws `ConfigurationError` for handlers that are none. */
export function checkHandlers(what: string, handlers: WorkflowHandlers | undefined): void {
  if (handlers === undefined) return;
  checkOptions(`${what}, handlers`, handlers, ['signals', 'queries']);
  for (const [type, byName] of Object.entries(handlers)) {
    for (const [name, handler] of Object.entries((byName ?? {}) as Record<string, unknown>)) {
      if (typeof handler === 'function') continue;
      throw new ConfigurationError(
        `${what}: handlers.${type}["${name}"] must be a function, got ${typeof handler}`,
      );
    }
  }
}

/** A query that a worker was given, its payloads decoded. */
export interface QueryTask {
  readonly executionId: string;
  readonly kind: string;
  readonly name: string;
  /** The arguments as a payload. */
  readonly paramsJson: string;
  /** The state of the execution: keys and payloads, in the order of the keys. */
  readonly state: readonly (readonly [key: string, payload: string])[];
  readonly workflowVersion?: string | undefined;
  readonly currentSequence: number;
  readonly parentWorkflowExecutionId?: string | undefined;
}

/** The answer to a query: a payload, or the text of an error. */
export type QueryAnswer = { readonly result: string } | { readonly error: string };

/** Answers a query by the handler of the definition. Never rejects. */
export async function answerQuery(
  definition: AnyWorkflow,
  query: QueryTask,
  serializer: Serializer,
): Promise<QueryAnswer> {
  try {
    const handlers = definition.handlers?.queries ?? {};
    if (!Object.hasOwn(handlers, query.name)) throw new Error(noHandler(query, handlers));
    const args: unknown = serializer.deserialize(query.paramsJson);
    const result: unknown = await handlers[query.name]?.(queryContext(query, serializer), args);
    return { result: serializer.serialize(result) };
  } catch (error) {
    return { error: textOf(error) };
  }
}

function queryContext(query: QueryTask, serializer: Serializer): QueryContext {
  const state = new Map(query.state);
  return {
    get: <T>(key: string) => {
      const payload = state.get(key);
      return payload === undefined ? null : serializer.deserialize<T>(payload);
    },
    stateKeys: () => [...state.keys()],
    info: {
      workflowExecutionId: query.executionId,
      workflowKind: query.kind,
      workflowVersion: query.workflowVersion,
      parentExecutionId: query.parentWorkflowExecutionId,
      historyLength: query.currentSequence,
    },
  };
}

function noHandler({ name, kind }: QueryTask, handlers: object): string {
  const names = Object.keys(handlers).map((known) => `"${known}"`);
  return `Workflow "${kind}" has no handler for the query "${name}", but for ${names.join(', ') || 'none'}`;
}
