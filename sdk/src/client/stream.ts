import { decodeText } from '../codec.js';
import { decodeReadStream, encodeReadStream, type StreamedEvent } from '../core.js';
import { ConfigurationError, Unsupported } from '../errors.js';
import { checkOptions } from '../options.js';
import { CALL_DEADLINE_MS, Method, WAIT_MARGIN_MS } from '../rpc/methods.js';
import { retrying } from '../rpc/retrying.js';
import type { Subject } from '../transport/transport.js';
import { Backoff } from '../worker/backoff.js';
import { type CallSource, type ClientCalls, executionSubject } from './calls.js';
import type { StreamOptions, WorkflowStreamEvent } from './stream-types.js';

/** Whose stream is read. */
export type StreamSource = { readonly workflowExecutionId: string } | { readonly taskExecutionId: string };

/** The events of a stream, as they come, until the source has ended. */
export function readStream(
  what: string,
  calls: CallSource,
  source: StreamSource,
  options: StreamOptions,
): AsyncIterableIterator<WorkflowStreamEvent> {
  checkOptions(what, options, ['afterSequence', 'signal']);
  const { afterSequence = 0, signal } = options;
  if (!Number.isSafeInteger(afterSequence) || afterSequence < 0)
    throw new ConfigurationError(
      `${what}, afterSequence: expected a whole number from 0 up, got ${String(afterSequence)}`,
    );
  const page = (after: number): Promise<Page> =>
    calls.within(what, { signal }, async (ready) => nextPage(what, ready, source, after));
  return events(page, afterSequence);
}

const PAGE = 1_000;

interface Page {
  readonly events: readonly WorkflowStreamEvent[];
  /** The number of the last event, also if it is none of these. */
  readonly last: number;
  readonly end: boolean;
}

async function* events(
  page: (afterSequence: number) => Promise<Page>,
  afterSequence: number,
): AsyncGenerator<WorkflowStreamEvent, void, void> {
  for (let after = afterSequence; ; ) {
    const { events: found, last, end } = await page(after);
    yield* found;
    if (end) return;
    after = last;
  }
}

async function checkOffered(what: string, calls: ClientCalls, source: StreamSource): Promise<void> {
  const id = 'workflowExecutionId' in source ? source.workflowExecutionId : undefined;
  if (await calls.isExtended(id)) return;
  throw new Unsupported(
    `${what}: the server has not announced our extensions (or the option extensions is false), and the gRPC contract has ` +
      'no call that reads a stream: read the server-sent events of the REST interface of the server instead',
  );
}

/** Waits for events, through any number of outages: a stream may go on for months. */
async function nextPage(
  what: string,
  calls: ClientCalls,
  source: StreamSource,
  afterSequence: number,
): Promise<Page> {
  await checkOffered(what, calls, source);
  const { signal, settings } = calls;
  const request = encodeReadStream({ ...source, afterSequence, timeoutMs: CALL_DEADLINE_MS, limit: PAGE });
  const deadlineMs = CALL_DEADLINE_MS + WAIT_MARGIN_MS;
  const call = { deadlineMs, subject: subjectOf(source), signal, repeatable: true };
  const retry = { clock: settings.clock, backoff: new Backoff(), signal };
  const answer = decodeReadStream(await retrying(retry, () => calls.call(Method.ReadStream, request, call)));
  const decoded: WorkflowStreamEvent[] = [];
  for (const event of answer.events) {
    const known = await decode(calls, event);
    if (known !== undefined) decoded.push(known);
  }
  return { events: decoded, last: answer.events.at(-1)?.sequence ?? afterSequence, end: answer.end };
}

function subjectOf(source: StreamSource): Subject {
  if ('workflowExecutionId' in source) return executionSubject(source.workflowExecutionId);
  return { type: 'Task execution', id: source.taskExecutionId };
}

/** Undefined for what no task has streamed, and for a type that this version does not know. */
async function decode(
  calls: ClientCalls,
  { sequence, taskExecutionId, type, payloadJson, timestampMs }: StreamedEvent,
): Promise<WorkflowStreamEvent | undefined> {
  const { codec } = calls.settings;
  const event = { sequence, taskExecutionId, timestamp: new Date(timestampMs) };
  const members = objectOf(payloadJson);
  const text = async (name: string): Promise<string | undefined> => {
    const value = members[name];
    return typeof value === 'string' ? decodeText(codec, value) : undefined;
  };
  switch (type) {
    case 1:
      return { ...event, type: 'token', text: (await text('text')) ?? '' };
    case 2:
      return {
        ...event,
        type: 'progress',
        progress: Number(members['progress'] ?? 0),
        details: await text('details'),
      };
    case 3:
      // What becomes of tasks and of the execution stands in the same stream.
      if (members['type'] === 'Event') return undefined;
      return { ...event, type: 'data', data: await calls.decode(JSON.stringify(members['data'] ?? null)) };
    case 4:
      return {
        ...event,
        type: 'error',
        message: (await text('message')) ?? '',
        code: await text('code'),
      };
    default:
      return undefined;
  }
}

/** Other clients may stream anything. */
function objectOf(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
