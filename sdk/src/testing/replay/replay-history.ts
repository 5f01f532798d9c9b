import { checkOptions } from '../../options.js';
import { systemClock } from '../../runtime/clock.js';
import type { WorkflowDefinition } from '../../workflow/define.js';
import type { HistoryEvent, HistorySource } from '../history-types.js';
import { readHistory } from './read-history.js';
import type { Replay, ReplayHistoryOptions, ReplayResult } from './types.js';
import { checkKind, givenSerializer, type Rerun, rerun } from './rerun.js';

/**
 * Runs the code of a workflow along the history of an execution, to find out whether code that was changed can go on with
 * executions that began before the change. No task and no operation is run, and nothing is sent.
 *
 * ```ts
 * const replay = await replayHistory(reminder, await readFile('reminder-4711.json', 'utf8'));
 * if (replay.status === 'violation') throw replay.violation;
 * ```
 *
 * Rejects with `ConfigurationError` for what is no complete history of that workflow.
 */
export async function replayHistory<Input, Output>(
  workflow: WorkflowDefinition<Input, Output>,
  history: HistorySource,
  options: ReplayHistoryOptions = {},
): Promise<ReplayResult<Output>> {
  checkOptions('replayHistory', options, ['workflowExecutionId', 'tolerant', 'serializer']);
  const read = readHistory(history);
  checkKind(workflow, read);
  const { tolerant, workflowExecutionId = read.workflowExecutionId } = options;
  const given = {
    definition: workflow,
    workflowExecutionId,
    events: read.events,
    taskTimeMs: systemClock.nowMs(),
    tolerant,
    serializer: givenSerializer('replayHistory', options.serializer),
  };
  let replayed = await rerun(given);
  // Once more, to name the line.
  if (replayed.violation !== undefined) replayed = await rerun({ ...given, lines: true });
  const { commands, operations } = replayed;
  return { commands, operations, ...outcome<Output>(replayed, read.events) };
}

type Outcome<Output> =
  ReplayResult<Output> extends infer Each ? (Each extends Replay ? Omit<Each, keyof Replay> : never) : never;

function outcome<Output>(
  { violation, end, serializer }: Rerun,
  events: readonly HistoryEvent[],
): Outcome<Output> {
  if (violation !== undefined) return { status: 'violation', violation };
  switch (end?.type) {
    case 'completed':
      return {
        status: 'completed',
        result: serializer.deserialize<Output>(serializer.serialize(end.output)),
      };
    case 'failed':
      return { status: 'failed', error: end.error };
    case 'cancelled':
      return { status: 'cancelled', reason: end.error.reason ?? end.error.message };
    case undefined:
      return endByServer(events);
  }
}

/** The code waits; the server may have ended the execution all the same. */
function endByServer(events: readonly HistoryEvent[]) {
  for (const { eventType, data } of events) {
    const { error = '', reason = '' } = JSON.parse(data) as Partial<Record<'error' | 'reason', string>>;
    if (eventType === 'WORKFLOW_CANCELLED') return { status: 'cancelled', reason } as const;
    if (eventType === 'WORKFLOW_EXECUTION_FAILED' || eventType === 'WORKFLOW_FAILED')
      return { status: 'failed', error: new Error(error) } as const;
  }
  return { status: 'waiting' } as const;
}
