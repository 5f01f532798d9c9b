import { DeterminismViolation } from '../../errors.js';
import { textOf } from '../../errors/base.js';
import { checkOptions } from '../../options.js';
import { systemClock } from '../../runtime/clock.js';
import type { AnyWorkflow } from '../../workflow/define.js';
import { shown } from '../../workflow/explain-violation.js';
import type { HistoryEvent, HistorySource } from '../history-types.js';
import { patchesOf, type Prefix, prefixesOf } from './prefixes.js';
import { readHistory } from './read-history.js';
import type { CheckEveryPrefixOptions, ReplayedCommand } from './types.js';
import { checkKind, givenSerializer, type Replayed, type Rerun, rerun } from './rerun.js';

/**
 * Re-executes a workflow from every prefix of a history that a worker may have held when it submitted something, and
 * demands that the code asks for the same commands each time: the same inputs, durations and values, which a replay alone
 * does not compare. It finds code that is not deterministic, such as an input made with `Math.random()`, which a run in
 * one go hides. No task and no operation is run, and nothing is sent. Gives the number of prefixes.
 *
 * Rejects with `DeterminismViolation` that names the prefix, the command and, where it can be found, the line; and with
 * `ConfigurationError` for what is no complete history of that workflow. For histories that this SDK has written.
 */
export async function checkEveryPrefix(
  workflow: AnyWorkflow,
  history: HistorySource,
  options: CheckEveryPrefixOptions = {},
): Promise<number> {
  checkOptions('checkEveryPrefix', options, ['workflowExecutionId', 'serializer']);
  const read = readHistory(history);
  checkKind(workflow, read);
  const { workflowExecutionId = read.workflowExecutionId } = options;
  const { events } = read;
  const whole: Replayed = {
    definition: workflow,
    workflowExecutionId,
    events,
    taskTimeMs: systemClock.nowMs(),
    serializer: givenSerializer('checkEveryPrefix', options.serializer),
  };
  const full = await rerun(whole);
  if (full.violation !== undefined)
    throw (await rerun({ ...whole, lines: true })).violation ?? full.violation;
  const patches = patchesOf(events);
  const prefixes = prefixesOf(events);
  let taskTimeMs = 0;
  for (const prefix of prefixes) {
    taskTimeMs = prefix.taskTimeMs ?? taskTimeMs;
    await checkPrefix({ ...whole, events: prefix.events, taskTimeMs, patches }, prefix, full);
  }
  return prefixes.length;
}

/** What a prefix asks for that is not what the whole history does. */
interface Difference {
  readonly expected: string;
  readonly got: string;
  /** The number of the command, if it is one. */
  readonly index?: number | undefined;
  readonly violation?: DeterminismViolation | undefined;
}

async function checkPrefix(given: Replayed, prefix: Prefix, full: Rerun): Promise<void> {
  const again = await rerun(given);
  const difference = differenceOf(prefix, full, again);
  if (difference === undefined) return;
  // Once more, to name the line. Code that is not deterministic may do as it should this time.
  const located = await rerun({ ...given, lines: true });
  throw mismatch(given, prefix, difference, located);
}

function differenceOf(prefix: Prefix, full: Rerun, again: Rerun): Difference | undefined {
  if (again.violation !== undefined) return { ...textsOf(again.violation), violation: again.violation };
  const [expected, got] = [full.commands, again.commands].map(withoutOperations) as [Numbered[], Numbered[]];
  for (let at = 0; at < prefix.commands; at += 1) {
    const [wanted, found] = [expected[at], got[at]];
    if (wanted?.text !== found?.text)
      return { expected: wanted?.text ?? 'nothing', got: found?.text ?? 'nothing', index: found?.index };
  }
  const { operation, end } = prefix;
  if (operation !== undefined && !again.operations.includes(operation)) {
    const begun = again.operations.map((name) => `"${name}"`).join(', ') || 'none';
    return { expected: `operation "${operation}" to be begun`, got: begun };
  }
  return end && differenceOfEnds(end, again);
}

interface Numbered {
  readonly text: string;
  readonly index: number;
}

/** Operations are listed when their record is told, which is at another place where it has not been. */
function withoutOperations(commands: readonly ReplayedCommand[]): Numbered[] {
  return commands
    .map((command, index) => ({ text: commandText(command), index }))
    .filter((_, index) => commands[index]?.type !== 'RECORD_OPERATION');
}

function commandText({ type, ...fields }: ReplayedCommand): string {
  return `${type} ${JSON.stringify(fields)}`;
}

function differenceOfEnds({ eventType, data }: HistoryEvent, again: Rerun): Difference | undefined {
  const { output, error } = JSON.parse(data) as Readonly<Record<string, unknown>>;
  const isCompleted = eventType === 'WORKFLOW_COMPLETED';
  const expected = isCompleted ? `completed with ${JSON.stringify(output)}` : `failed with ${String(error)}`;
  const got = endText(again);
  return got === expected ? undefined : { expected, got };
}

function endText({ end, serializer }: Rerun): string {
  switch (end?.type) {
    case 'completed':
      return `completed with ${JSON.stringify(JSON.parse(serializer.serialize(end.output)))}`;
    case 'failed':
      return `failed with ${textOf(end.error)}`;
    case 'cancelled':
      return `cancelled with ${textOf(end.error)}`;
    case undefined:
      return 'not ended';
  }
}

function textsOf({ details, message }: DeterminismViolation): { expected: string; got: string } {
  const { expected = 'what the history has', got = message } = details as Partial<
    Record<'expected' | 'got', string>
  >;
  return { expected, got };
}

function mismatch(
  { definition, events }: Replayed,
  prefix: Prefix,
  { expected, got, index, violation }: Difference,
  again: Rerun,
): DeterminismViolation {
  const last = prefix.events.at(-1);
  const source =
    (index === undefined ? undefined : again.sites.ofCommand(index)) ?? sourceOf(again.violation);
  const waits = source === undefined ? again.waits.sites() : [];
  const where = source ? ` (${shown(source)})` : waits[0] ? ` (the code waits for ${shown(waits[0])})` : '';
  const message =
    `Workflow "${definition.name}", executed again from its first ${events.length} events (up to ${last?.sequence} ` +
    `${last?.eventType}), does not do the same: expected ${expected}, got ${got}${where}`;
  const hint =
    'The code is not deterministic. Take time, random numbers and ids from the context, and do what else depends on the ' +
    'world outside in ctx.run or in a task';
  return new DeterminismViolation(`${message}. ${hint}`, {
    ...(violation?.details as object | undefined),
    prefix: events.length,
    expected,
    got,
    hint,
    source,
    pending: waits,
  });
}

function sourceOf(violation: DeterminismViolation | undefined): ReturnType<Rerun['sites']['ofCommand']> {
  const { source } = (violation?.details ?? {}) as { source?: ReturnType<Rerun['sites']['ofCommand']> };
  return source;
}
