import { decodeOne, decodeText } from '../codec.js';
import type { WorkflowDescription as Described } from '../core.js';
import { Duration } from '../duration.js';
import type { WorkflowDescription, WorkflowStatus, WorkflowSummary } from './description.js';
import type { ClientSettings } from './settings.js';

/** A description for programs: payloads decoded, times as dates. */
export async function describe(
  { codec, serializer }: ClientSettings,
  found: Described,
): Promise<WorkflowDescription> {
  const payload = async (json: string): Promise<unknown> =>
    serializer.deserialize(await decodeOne(codec, json));
  return {
    ...summarize(found),
    input: await payload(found.input),
    output: await payload(found.output),
    error: given(await decodeText(codec, found.error)),
    metadata: found.metadata,
  };
}

/** The part of a description that lists have. */
export function summarize(found: Described): WorkflowSummary {
  return {
    workflowId: found.workflowExecutionId,
    kind: found.kind,
    queue: found.queue,
    // A status that is not known yet is better shown than refused.
    status: found.status as WorkflowStatus,
    historyLength: found.currentSequence,
    workflowVersion: given(found.workflowVersion),
    parentWorkflowId: given(found.parentWorkflowExecutionId),
    workerId: given(found.workerId),
    createdAt: new Date(found.createdAtMs),
    startedAt: time(found.startedAtMs),
    completedAt: time(found.completedAtMs),
    updatedAt: new Date(found.updatedAtMs),
    timeout: found.timeoutMs > 0 ? Duration.milliseconds(found.timeoutMs) : undefined,
    cancelReason: given(found.cancelReason),
    parks: found.parks,
    parkReason: given(found.parkReason),
  };
}

function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}

function time(ms: number): Date | undefined {
  return ms > 0 ? new Date(ms) : undefined;
}
