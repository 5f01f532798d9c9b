import { DeterminismViolation } from '../errors.js';
import { checkOptions } from '../options.js';
import { systemClock } from '../runtime/clock.js';
import { shown } from '../workflow/explain-violation.js';
import type { WorkflowDefinition } from '../workflow/define.js';
import type { HistoryEvent, HistorySource } from './history-types.js';
import { readHistory } from './read-history.js';
import type { CheckEveryPrefixOptions, ReplayedCommand } from './replay-types.js';
import { checkKind, type Replayed, type Rerun, rerun } from './rerun.js';

const COMMAND_EVENTS: ReadonlySet<string> = new Set([
  'OPERATION_COMPLETED',
  'STATE_SET',
  'STATE_CLEARED',
  'TASK_SCHEDULED',
  'TASK_CANCELLATION_REQUESTED',
  'PROMISE_CREATED',
  'CHILD_WORKFLOW_INITIATED',
  'CHILD_WORKFLOW_CANCELLATION_REQUESTED',
  'TIMER_STARTED',
  'TIMER_CANCELLED',
]);
/** Names of operations that the core records for itself begin with this. */
const INTERNAL = '$';
const TIME = '$time';
const PATCH = '$patch:';

/**
 * Runs the code of a workflow anew from every prefix of the history of an execution that ends where an activation began,
 * as a worker does that has nothing in memory, and rejects with `DeterminismViolation` when the code does not ask for the
 * same as the history says it asked for then. That finds code which depends on something that is not in the history: a
 * variable outside of the function, the clock of the machine, the order of a map that changes.
 *
 * No task and no operation is run, and nothing is sent. The error names the prefix, the command, and the line of the code.
 * Rejects with `ConfigurationError` for what is no complete history of that workflow.
 */
export async function checkEveryPrefix<Input, Output>(
  workflow: WorkflowDefinition<Input, Output>,
  history: HistorySource,
  options: CheckEveryPrefixOptions = {},
): Promise<void> {
  checkOptions('checkEveryPrefix', options, ['workflowExecutionId']);
  const { events, ...read } = readHistory(history);
  checkKind(workflow, { ...read, events });
  const { workflowExecutionId = read.workflowExecutionId } = options;
  const patches = patchesOf(events);
  const given = { definition: workflow, workflowExecutionId, patches };
  const whole = await rerun({ ...given, events, taskTimeMs: systemClock.nowMs() });
  if (whole.violation !== undefined) throw whole.violation;
  for (const { length, commands } of activations(events)) {
    const prefix = { ...given, events: events.slice(0, length), taskTimeMs: timeAfter(events, length) };
    await checkPrefix(prefix, whole.commands.slice(0, commands));
  }
}

/** Where activations began: after so many events; and how many commands there were when they had ended. */
function activations(events: readonly HistoryEvent[]): { length: number; commands: number }[] {
  const begun: { length: number; commands: number }[] = [];
  let commands = 0;
  let length = 1;
  let isOpen = false;
  for (const [index, event] of events.entries()) {
    const isCommand = COMMAND_EVENTS.has(event.eventType);
    const ends = event.eventType === 'WORKFLOW_SUSPENDED' || index === events.length - 1;
    if (isCommand && !operationOf(event)?.startsWith(INTERNAL)) commands += 1;
    if (!isOpen && (isCommand || ends)) {
      isOpen = true;
      length = Math.max(index, 1);
    }
    if (!ends) continue;
    begun.push({ length, commands });
    isOpen = false;
  }
  return begun;
}

async function checkPrefix(prefix: Replayed, expected: readonly ReplayedCommand[]): Promise<void> {
  let replayed = await rerun(prefix);
  if (difference(replayed, expected) === undefined) return;
  // Once more, to name the line.
  replayed = await rerun({ ...prefix, lines: true });
  const found = difference(replayed, expected);
  if (found === undefined) return;
  const { length } = prefix.events;
  const last = prefix.events.at(-1)?.eventType ?? '';
  const site = replayed.sites.ofCommand(found.index);
  const where = site === undefined ? '' : ` (${shown(site)})`;
  const text =
    `Workflow "${prefix.definition.name}" does not do the same when it is run anew from the first ${length} events of its ` +
    `history (the last is ${last}): ${found.text}${where}. It depends on something that the history does not say`;
  throw replayed.violation ?? new DeterminismViolation(text, { prefix: length, command: found.index + 1 });
}

/** Operations that a prefix does not have are not run: what would come after them is not compared. */
function difference(
  { commands, violation }: Rerun,
  expected: readonly ReplayedCommand[],
): { index: number; text: string } | undefined {
  if (violation !== undefined) return { index: -1, text: violation.message };
  for (const [index, command] of commands.entries()) {
    const wanted = expected[index];
    if (wanted === undefined) return undefined;
    if (JSON.stringify(command) !== JSON.stringify(wanted))
      return { index, text: `command ${index + 1} was ${textOf(wanted)}, and now it is ${textOf(command)}` };
  }
  return undefined;
}

const SHOWN_MAX = 160;

function textOf(command: ReplayedCommand): string {
  const text = JSON.stringify(command);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text;
}

/** What the code was told when it asked for the time after so many events. */
function timeAfter(events: readonly HistoryEvent[], length: number): number {
  const recorded = events.slice(length).find((event) => operationOf(event) === TIME);
  const { result } = JSON.parse(recorded?.data ?? '{}') as { result?: unknown };
  return typeof result === 'number' ? result : systemClock.nowMs();
}

function patchesOf(events: readonly HistoryEvent[]): ReadonlySet<string> {
  const names = events.flatMap((event) => operationOf(event) ?? []);
  return new Set(names.filter((name) => name.startsWith(PATCH)).map((name) => name.slice(PATCH.length)));
}

function operationOf({ eventType, data }: HistoryEvent): string | undefined {
  if (eventType !== 'OPERATION_COMPLETED') return undefined;
  const { operationName } = JSON.parse(data) as { operationName?: unknown };
  return typeof operationName === 'string' ? operationName : undefined;
}
