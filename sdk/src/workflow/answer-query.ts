import { textOf } from '../errors/base.js';
import type { Serializer } from '../serde.js';
import type { AnyWorkflow } from './define.js';
import type { QueryContext } from './handlers.js';

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
