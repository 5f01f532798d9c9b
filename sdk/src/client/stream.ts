import { decodeText } from '../codec.js';
import { decodeReadStream, encodeReadStream, type StreamedEvent } from '../core.js';
import { ConfigurationError, RpcError, Unsupported } from '../errors.js';
import { checkOptions } from '../options.js';
import { CALL_DEADLINE_MS, Method, WAIT_MARGIN_MS } from '../rpc/methods.js';
import { retrying } from '../rpc/retrying.js';
import { linkedSignal } from '../runtime/linked-signal.js';
import type { AbortSignal } from '../runtime/platform-types.js';
import type { StreamEvent } from '../task/stream-events.js';
import type { Subject } from '../transport/transport.js';
import { Backoff } from '../worker/backoff.js';
import { type ClientCalls, executionSubject } from './calls.js';

/** A stream event of a task, as those see it who watch: `switch (event.type)` tells which it is. */
export type WorkflowStreamEvent = StreamEvent & {
  /** Its number in the stream, which rises, with gaps: what `afterSequence` takes. */
  readonly sequence: number;
  /** Id of the task that streamed it. */
  readonly taskExecutionId: string;
  /** When the task gave it. */
  readonly timestamp: Date;
};

/** How a stream is read. */
export interface StreamOptions {
  /** Begins after the event with this number, to go on where an earlier reader stopped. Default: 0, the first one. */
  readonly afterSequence?: number | undefined;
  /** Ends the reading: the loop throws an `RpcError` of code `CANCELLED` then. */
  readonly signal?: AbortSignal | undefined;
}

/** Whose stream is read. */
export type StreamSource = { readonly workflowExecutionId: string } | { readonly taskExecutionId: string };

/** The events of a stream, as they come, until the source has ended. */
export function readStream(
  what: string,
  calls: ClientCalls,
  source: StreamSource,
  options: StreamOptions,
): AsyncIterableIterator<WorkflowStreamEvent> {
  checkOptions(what, options, ['afterSequence', 'signal']);
  const { afterSequence = 0, signal } = options;
  if (!Number.isSafeInteger(afterSequence) || afterSequence < 0)
    throw new ConfigurationError(
      `${what}, afterSequence: expected a whole number from 0 up, got ${String(afterSequence)}`,
    );
  return events(what, calls, source, afterSequence, signal);
}

const PAGE = 1_000;

async function* events(
  what: string,
  calls: ClientCalls,
  source: StreamSource,
  afterSequence: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<WorkflowStreamEvent, void, void> {
  await checkOffered(what, calls, source);
  let last = afterSequence;
  for (;;) {
    const page = await nextPage(calls, source, last, signal);
    for (const event of page.events) {
      last = event.sequence;
      const decoded = await decode(calls, event);
      if (decoded !== undefined) yield decoded;
    }
    if (page.end) return;
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
  calls: ClientCalls,
  source: StreamSource,
  afterSequence: number,
  signal: AbortSignal | undefined,
): Promise<ReturnType<typeof decodeReadStream>> {
  const request = encodeReadStream({ ...source, afterSequence, timeoutMs: CALL_DEADLINE_MS, limit: PAGE });
  return calls.stopped.with(async (stopped) => {
    const ended = linkedSignal(stopped, signal);
    try {
      const deadlineMs = CALL_DEADLINE_MS + WAIT_MARGIN_MS;
      const call = { deadlineMs, subject: subjectOf(source), signal: ended.signal, repeatable: true };
      const retry = { clock: calls.settings.clock, backoff: new Backoff(), signal: ended.signal };
      return decodeReadStream(await retrying(retry, () => calls.call(Method.ReadStream, request, call)));
    } catch (error) {
      if (!ended.signal.aborted) throw error;
      const options = { method: Method.ReadStream, cause: ended.signal.reason };
      throw new RpcError(
        'CANCELLED',
        'Reading a stream was ended by its signal, or with its client',
        options,
      );
    } finally {
      ended.unlink();
    }
  });
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
