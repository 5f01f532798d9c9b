import type { HistoryEvent } from '../history-types.js';

/** A beginning of a history that a worker held when it made a submission, and what that submission was. */
export interface Prefix {
  /** What the worker held, or more: what landed before the submission did. */
  readonly events: readonly HistoryEvent[];
  /** How many commands the code had issued in all once it had made the submission, operations apart. */
  readonly commands: number;
  /** The operation whose record the submission ends with. */
  readonly operation: string | undefined;
  /** The time that the submission recorded, if it did. */
  readonly taskTimeMs: number | undefined;
  /** The event by which the code ended the execution, if it did so in the submission. */
  readonly end: HistoryEvent | undefined;
}

/** Events that stand for a command of workflow code; operations apart. */
const COMMANDS: ReadonlySet<string> = new Set([
  'TASK_SCHEDULED',
  'TASK_CANCELLATION_REQUESTED',
  'TIMER_STARTED',
  'TIMER_CANCELLED',
  'PROMISE_CREATED',
  'CHILD_WORKFLOW_INITIATED',
  'CHILD_WORKFLOW_CANCELLATION_REQUESTED',
  'STATE_SET',
  'STATE_CLEARED',
]);
const ENDS: ReadonlySet<string> = new Set([
  'WORKFLOW_COMPLETED',
  'WORKFLOW_EXECUTION_FAILED',
  'WORKFLOW_FAILED',
]);

type Data = Readonly<Record<string, unknown>>;

/**
 * Every prefix of a history that ends where a submission begins. The events of one stand together: it ends with
 * WORKFLOW_SUSPENDED, with the record of an operation, or before an event that something else brought about.
 */
export function prefixesOf(events: readonly HistoryEvent[]): Prefix[] {
  const prefixes: Prefix[] = [];
  let commands = 0;
  for (let at = 0; at < events.length; ) {
    if (!isOfSubmission(events[at])) {
      at += 1;
      continue;
    }
    const submission = submissionAt(events, at);
    commands += submission.filter(({ eventType }) => COMMANDS.has(eventType)).length;
    const held = heldBefore(at, submission, prefixes.length === 0);
    prefixes.push({ events: events.slice(0, held), commands, ...factsOf(submission) });
    at += submission.length;
  }
  return prefixes;
}

/** The ids of the patches that a history has. */
export function patchesOf(events: readonly HistoryEvent[]): Set<string> {
  const names = events.flatMap((event) => operationOf(event) ?? []);
  return new Set(names.filter((name) => name.startsWith('$patch:')).map((name) => name.slice(7)));
}

function submissionAt(events: readonly HistoryEvent[], start: number): HistoryEvent[] {
  const submission: HistoryEvent[] = [];
  for (const event of events.slice(start)) {
    if (!isOfSubmission(event)) break;
    submission.push(event);
    if (event.eventType === 'WORKFLOW_SUSPENDED' || isUserOperation(event)) break;
  }
  return submission;
}

/** How many events the worker held, or may be given as if it had. */
function heldBefore(start: number, submission: readonly HistoryEvent[], isFirst: boolean): number {
  // What landed during an activation stands behind all that the code was told in it, so that it changes nothing before.
  if (!isFirst) return start;
  // But the first turn sees the signals that were there.
  const signals = recorded(submission, '$signals');
  return Math.min(start, 1 + (typeof signals === 'number' ? signals : 0));
}

function factsOf(submission: readonly HistoryEvent[]): Omit<Prefix, 'events' | 'commands'> {
  const last = submission.at(-1);
  const taskTimeMs = recorded(submission, '$time');
  return {
    operation: last && isUserOperation(last) ? operationOf(last) : undefined,
    taskTimeMs: typeof taskTimeMs === 'number' ? taskTimeMs : undefined,
    end: submission.find((event) => ENDS.has(event.eventType) && !isByServer(event)),
  };
}

function isOfSubmission(event: HistoryEvent | undefined): boolean {
  if (event === undefined) return false;
  const { eventType } = event;
  const isOwn = eventType === 'OPERATION_COMPLETED' || eventType === 'WORKFLOW_SUSPENDED';
  return isOwn || COMMANDS.has(eventType) || (ENDS.has(eventType) && !isByServer(event));
}

/** Whether the server ended the execution, as it does with one that takes too long. */
function isByServer(event: HistoryEvent): boolean {
  return dataOf(event)['byServer'] === true;
}

function isUserOperation(event: HistoryEvent): boolean {
  return operationOf(event)?.startsWith('$') === false;
}

function operationOf(event: HistoryEvent): string | undefined {
  return event.eventType === 'OPERATION_COMPLETED' ? String(dataOf(event)['operationName']) : undefined;
}

/** What the first internal operation of this name recorded. */
function recorded(submission: readonly HistoryEvent[], name: string): unknown {
  const record = submission.find((event) => operationOf(event) === name);
  return record && dataOf(record)['result'];
}

function dataOf({ data }: HistoryEvent): Data {
  return JSON.parse(data) as Data;
}
