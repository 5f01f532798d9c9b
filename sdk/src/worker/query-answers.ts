import { encodeOne, encodeText } from '../codec.js';
import { encodeAnswerQuery, type Polled } from '../core.js';
import { textOf } from '../errors/base.js';
import { CALL_DEADLINE_MS, Method } from '../rpc/methods.js';
import type { Clock } from '../runtime/clock.js';
import type { AnyWorkflow } from '../workflow/define.js';
import { answerQuery, type QueryAnswer } from '../workflow/answer-query.js';
import type { WorkerParts } from './worker-parts.js';

/** Whether any of the workflows answers queries by code of its own. */
export function haveQueryHandlers(definitions: Iterable<AnyWorkflow>): boolean {
  return [...definitions].some((definition) => queryNames(definition).length > 0);
}

/** The queries that a workflow answers by code of its own. */
export function queryNames({ handlers }: AnyWorkflow): string[] {
  return Object.keys(handlers?.queries ?? {});
}

/** Who asked does not wait for longer. */
const HANDLER_LIMIT_MS = 10_000;

/** Answers the query that a poll brought. Never rejects: who asked hears of what goes wrong, or waits in vain. */
export async function answerPolledQuery(
  parts: WorkerParts,
  definition: AnyWorkflow | undefined,
  polled: Polled & { readonly query: NonNullable<Polled['query']> },
): Promise<void> {
  const { transport, clock, logger } = parts;
  const { queryId, name } = polled.query;
  try {
    const answer = await within(clock, name, answered(parts, definition, polled));
    const subject = { type: 'Query', id: queryId };
    const options = { deadlineMs: CALL_DEADLINE_MS, subject };
    await transport.unary(Method.AnswerQuery, encodeAnswerQuery({ queryId, ...answer }), options);
  } catch (error) {
    logger.debug(`the query "${name}" of workflow ${polled.executionId} was not answered: ${textOf(error)}`);
  }
}

/** A handler that never settles must not take a place of the worker for ever. */
async function within(clock: Clock, name: string, answer: Promise<QueryAnswer>): Promise<QueryAnswer> {
  let stopTimer = (): void => {};
  const tooLate = new Promise<QueryAnswer>((resolve) => {
    const error = `The handler of query "${name}" gave no answer within ${HANDLER_LIMIT_MS} ms`;
    stopTimer = clock.schedule(HANDLER_LIMIT_MS, () => resolve({ error }));
  });
  return Promise.race([answer, tooLate]).finally(() => stopTimer());
}

async function answered(
  { codec, serializer }: WorkerParts,
  definition: AnyWorkflow | undefined,
  { executionId, kind, query }: Polled & { readonly query: NonNullable<Polled['query']> },
): Promise<QueryAnswer> {
  if (definition === undefined)
    return { error: `Workflow "${kind}" is not registered with the worker that was asked` };
  const { params, state, ...rest } = query;
  const payloads = [params, ...state.map(([, payload]) => payload)];
  const [paramsJson = params, ...values] = codec === undefined ? payloads : await codec.decode(payloads);
  const decoded = state.map(([key], index) => [key, values[index] ?? 'null'] as const);
  const task = { ...rest, executionId, kind, paramsJson, state: decoded };
  const answer = await answerQuery(definition, task, serializer);
  if ('result' in answer) return { result: await encodeOne(codec, answer.result) };
  return { error: await encodeText(codec, answer.error) };
}
