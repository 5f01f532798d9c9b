import { decodeText } from '../codec.js';
import {
  type AwaitedResult,
  decodeAwaitResult,
  encodeAwaitResult,
  type HistoryEvent,
  WorkflowStatus,
} from '../core.js';
import { RpcError, WorkflowCancelled, WorkflowFailed } from '../errors.js';
import { errorOfStack } from '../errors/recorded.js';
import { CALL_DEADLINE_MS, Method, WAIT_MARGIN_MS } from '../rpc/methods.js';
import { retrying } from '../rpc/retrying.js';
import { pause } from '../runtime/pause.js';
import type { Serializer } from '../serde.js';
import { Backoff } from '../worker/backoff.js';
import { type ClientCalls, executionSubject } from './calls.js';

const FIRST_LOOK_MS = 50;
const LONGEST_LOOK_MS = 5_000;

/** Waits for the end of an execution; gives its output or throws how it failed. */
export async function awaitResult(
  calls: ClientCalls,
  executionId: string,
  serializer?: Serializer,
): Promise<unknown> {
  return concluded(calls, executionId, await awaitEnd(calls, executionId), serializer);
}

/**
 * The server is asked to say when the execution has ended, where it can; else its history is looked at again and again.
 * An execution may take months: either way outlives any number of outages, once the server has answered.
 */
async function awaitEnd(calls: ClientCalls, executionId: string): Promise<End> {
  const { settings, signal, transport } = calls;
  const retry = { clock: settings.clock, backoff: new Backoff(), signal };
  let isOffered = true;
  let afterSequence = 0;
  for (let looks = 0; ; ) {
    if (transport.extended && isOffered) {
      const end = await waitOnServer(calls, executionId);
      if (end !== undefined) return end;
      isOffered = false;
    }
    const look = (): ReturnType<ClientCalls['getEvents']> => calls.getEvents(executionId, afterSequence);
    // That the server is there at all is known only after the first answer; and what it can do.
    const { events, hasMore } = await (looks === 0 ? look() : retrying(retry, look));
    retry.backoff.reset();
    const end = events.map(endOf).find((ended) => ended !== undefined);
    if (end !== undefined) return end;
    afterSequence = events.at(-1)?.sequence ?? afterSequence;
    if (hasMore || (transport.extended && isOffered)) continue;
    await pause(settings.clock, Math.min(LONGEST_LOOK_MS, FIRST_LOOK_MS * 2 ** looks), signal);
    looks += 1;
  }
}

/** Undefined if the server has no such call. */
async function waitOnServer(calls: ClientCalls, workflowExecutionId: string): Promise<End | undefined> {
  const { signal } = calls;
  const request = encodeAwaitResult({ workflowExecutionId, timeoutMs: CALL_DEADLINE_MS });
  const options = {
    deadlineMs: CALL_DEADLINE_MS + WAIT_MARGIN_MS,
    subject: executionSubject(workflowExecutionId),
    signal,
    repeatable: true,
  };
  const retry = { clock: calls.settings.clock, backoff: new Backoff(), signal };
  for (;;) {
    try {
      const answer = decodeAwaitResult(
        await retrying(retry, () => calls.call(Method.AwaitResult, request, options)),
      );
      retry.backoff.reset();
      if (hasEnded(answer)) return answer;
    } catch (error) {
      if (error instanceof RpcError && error.code === 'UNIMPLEMENTED') return undefined;
      throw error;
    }
  }
}

/** How an execution ended, as the server tells it in one way or the other. */
type End = Pick<AwaitedResult, 'status' | 'output' | 'error' | 'failureType' | 'stackTrace'>;

function hasEnded({ status }: AwaitedResult): boolean {
  return status !== WorkflowStatus.Running && status !== WorkflowStatus.Suspended;
}

async function concluded(
  calls: ClientCalls,
  executionId: string,
  end: End,
  serializer: Serializer | undefined,
): Promise<unknown> {
  if (end.status === WorkflowStatus.Completed) return calls.decode(end.output, serializer);
  const { codec } = calls.settings;
  const text = await decodeText(codec, end.error);
  if (end.status === WorkflowStatus.Cancelled)
    throw new WorkflowCancelled(`Workflow was cancelled: ${text}`, text);
  const remoteStack = (await decodeText(codec, end.stackTrace)) || undefined;
  const recorded = { failureType: end.failureType || undefined, remoteStack };
  throw new WorkflowFailed(executionId, text, errorOfStack(text, remoteStack), recorded);
}

/** How an execution ended, if this event is its end. */
function endOf({ eventType, data }: HistoryEvent): End | undefined {
  const status = STATUS_OF[eventType];
  if (status === undefined) return undefined;
  const { output, error, reason, failureType, stackTrace } = JSON.parse(data) as Record<string, unknown>;
  return {
    status,
    output: JSON.stringify(output ?? null),
    error: text(error ?? reason),
    failureType: text(failureType),
    stackTrace: text(stackTrace),
  };
}

const STATUS_OF: Readonly<Record<string, WorkflowStatus>> = {
  WORKFLOW_COMPLETED: WorkflowStatus.Completed,
  WORKFLOW_EXECUTION_FAILED: WorkflowStatus.Failed,
  WORKFLOW_FAILED: WorkflowStatus.Failed,
  WORKFLOW_CANCELLED: WorkflowStatus.Cancelled,
};

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
