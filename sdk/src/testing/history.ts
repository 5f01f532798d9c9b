import { decodeEvents, encodeGetEvents } from '../core.js';
import { CALL_DEADLINE_MS, Method } from '../rpc/methods.js';
import type { Transport } from '../transport/transport.js';
import type { HistoryEvent } from './history-types.js';

/** Fetches the whole history of an execution. */
export async function fetchHistory(
  transport: Transport,
  workflowExecutionId: string,
): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  const subject = { type: 'Workflow execution', id: workflowExecutionId };
  for (let hasMore = true; hasMore; ) {
    const afterSequence = events.at(-1)?.sequence ?? 0;
    const request = encodeGetEvents({ workflowExecutionId, afterSequence, pageSize: 0 });
    const options = { deadlineMs: CALL_DEADLINE_MS, subject, repeatable: true };
    const page = decodeEvents((await transport.unary(Method.GetEvents, request, options)).body);
    events.push(...page.events);
    hasMore = page.hasMore;
  }
  return events;
}
