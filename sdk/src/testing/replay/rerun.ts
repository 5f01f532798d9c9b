import { activationOpenHistory, describeCommands, nextStep, pollJob } from '../../core.js';
import { ConfigurationError, DeterminismViolation } from '../../errors.js';
import { silentLogger } from '../../logger.js';
import { systemClock } from '../../runtime/clock.js';
import { JsonSerializer, type Serializer } from '../../serde.js';
import { checkSerializer, serializerFor, trusted } from '../../serde/choose.js';
import { watchUnhandledRejections } from '../../worker/unhandled-rejections.js';
import { Activation } from '../../workflow/activation.js';
import type { AnyWorkflow } from '../../workflow/define.js';
import { located } from '../../workflow/explain-violation.js';
import { type WorkflowEnd, WorkflowRun } from '../../workflow/workflow-run.js';
import type { HistoryEvent } from '../history-types.js';
import type { ReadHistory } from './read-history.js';
import { ReplaySites, type SitesOptions } from './replay-sites.js';
import type { ReplayedCommand } from './types.js';

/** What is replayed. */
export interface Replayed extends SitesOptions {
  readonly definition: AnyWorkflow;
  readonly workflowExecutionId: string | undefined;
  readonly events: readonly HistoryEvent[];
  /** The time of what comes after the last event, in milliseconds since 1970. */
  readonly taskTimeMs: number;
  readonly tolerant?: boolean | undefined;
  /** That of the client; the definition may have its own. Default: a `JsonSerializer`. */
  readonly serializer?: Serializer | undefined;
}

/** How far the code came with the events. */
export interface Rerun {
  /** All commands, those that have an event and those beyond the last one; operations once their record was told. */
  readonly commands: readonly ReplayedCommand[];
  /** Operations that were begun and have no record; they were not run. */
  readonly operations: readonly string[];
  /** How the function ended, if it did. */
  readonly end: WorkflowEnd | undefined;
  /** What wrote and read its input and output. */
  readonly serializer: Serializer;
  readonly violation: DeterminismViolation | undefined;
  readonly sites: ReplaySites;
  /** What the function still waits for. */
  readonly waits: WorkflowRun['pending'];
}

/** Stands for an id that nobody knows. */
const SOME_ID = '00000000-0000-4000-8000-000000000000';

export const serializer: Serializer = new JsonSerializer();

/**
 * Runs a workflow function along events, as a worker does that has nothing in memory, as far as these go. Nothing is sent,
 * and no operation is run.
 */
export async function rerun(given: Replayed): Promise<Rerun> {
  const { definition, workflowExecutionId, serializer: outside = serializer } = given;
  const activation = Activation.of(activationOpenHistory(historyJson(given)), undefined);
  const { id } = activation;
  const sites = new ReplaySites(id, given);
  const parts = { definition, serializer: outside, logger: silentLogger, clock: systemClock };
  let run: WorkflowRun | undefined;
  // No worker need be there that does: branches which nobody awaits must not end the process.
  const stopWatching = watchUnhandledRejections(silentLogger);
  try {
    run = new WorkflowRun(activation, parts, sites);
    const violation = await follow(id, run);
    if (workflowExecutionId === undefined && sites.usesId) throw idMissing(definition.name);
    return {
      commands: JSON.parse(describeCommands(id)) as ReplayedCommand[],
      operations: run.operations.begun,
      end: run.end,
      serializer: serializerFor(definition, parts),
      violation: violation && given.lines === true ? located(violation, sites, run) : violation,
      sites,
      waits: run.pending,
    };
  } finally {
    run?.turn.close();
    activation.close();
    stopWatching();
  }
}

/** Tells the code all that there is to tell. */
async function follow(id: number, run: WorkflowRun): Promise<DeterminismViolation | undefined> {
  run.turn.open();
  try {
    for (let job = pollJob(id); job !== undefined; job = pollJob(id)) await run.give(job);
    nextStep(id);
    if (run.turn.fatal !== undefined) throw run.turn.fatal;
    return undefined;
  } catch (error) {
    if (error instanceof DeterminismViolation) return error;
    throw error;
  }
}

function historyJson({ definition, workflowExecutionId, events, taskTimeMs, tolerant }: Replayed): string {
  const execution = JSON.stringify({
    executionId: workflowExecutionId ?? SOME_ID,
    kind: definition.name,
    taskTimeMs: Math.trunc(taskTimeMs),
    extended: true,
    tolerant: tolerant === true,
    keepsCommands: true,
  });
  // The data as the text that it is: numbers in it may be larger than JavaScript can hold.
  const list = events.map(
    ({ sequence, eventType, data }) =>
      `{"sequence":${sequence},"eventType":${JSON.stringify(eventType)},"data":${data}}`,
  );
  return `{"execution":${execution},"events":[${list.join(',')}]}`;
}

function idMissing(name: string): ConfigurationError {
  return new ConfigurationError(
    `Workflow "${name}" uses random numbers, ids or the id of its execution, which depend on that id, and the history ` +
      'does not say it: give { workflowExecutionId }, or a history that has it as a member',
  );
}

/** The serializer that was given, if one was. Throws `ConfigurationError` for what is none. */
export function givenSerializer(what: string, given: Serializer | undefined): Serializer | undefined {
  checkSerializer(`${what}: serializer`, given);
  return given && trusted(given);
}

/** The history, if it is one of this workflow. */
export function checkKind(definition: AnyWorkflow, { kind }: ReadHistory): void {
  if (typeof definition?.run !== 'function')
    throw new ConfigurationError('expected a workflow definition, as workflow({ .. }) gives it');
  if (kind !== undefined && kind !== definition.name)
    throw new ConfigurationError(
      `the history is one of workflow "${kind}", got workflow "${definition.name}"`,
    );
}
