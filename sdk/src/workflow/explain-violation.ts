import { nextStep, pollJob } from '../core.js';
import { DeterminismViolation } from '../errors.js';
import { silentLogger } from '../logger.js';
import type { Activation, ActivationHost } from './activation.js';
import { type CallSite, CallSites } from './call-sites.js';
import { type RunParts, WorkflowRun } from './workflow-run.js';

/** A list of places that is longer helps nobody. */
const PLACES_MAX = 5;

/**
 * The violation with the line of workflow code that it is about, found by replaying the history once more with
 * a look at where each call comes from. As it was where that cannot be found out.
 */
export async function explainViolation(
  violation: DeterminismViolation,
  activation: Activation,
  host: ActivationHost,
  parts: RunParts,
): Promise<DeterminismViolation> {
  const copy = await activation.copy(host).catch(() => undefined);
  if (copy === undefined) return violation;
  try {
    const sites = new CallSites();
    const run = new WorkflowRun(copy, { ...parts, logger: silentLogger, onStarted: undefined }, sites);
    const again = await replay(copy, run, host);
    return again === undefined ? violation : located(again, sites, run);
  } catch {
    return violation;
  } finally {
    copy.close();
  }
}

/** Replays as far as the history goes, beginning and sending nothing. */
async function replay(
  { id }: Activation,
  run: WorkflowRun,
  { stop }: ActivationHost,
): Promise<DeterminismViolation | undefined> {
  try {
    for (let job = pollJob(id); job !== undefined && stop.reason === undefined; job = pollJob(id))
      await run.give(job);
    nextStep(id);
    return undefined;
  } catch (error) {
    if (error instanceof DeterminismViolation) return error;
    throw error;
  } finally {
    run.turn.close();
  }
}

/** The violation with the line that it is about, as far as a replay with `sites` that ended with it shows. */
export function located(
  violation: DeterminismViolation,
  sites: CallSites,
  { pending }: WorkflowRun,
): DeterminismViolation {
  const details = violation.details as { readonly hint?: string; readonly handle?: number };
  const source = sites.ofViolation ?? (details.handle === undefined ? undefined : sites.of(details.handle));
  if (source !== undefined) {
    const place = shown(source);
    const hint = `${details.hint ?? ''} The call is at ${place}`.trim();
    return new DeterminismViolation(`${violation.message} (${place})`, { ...details, hint, source });
  }
  const waits = pending.sites().slice(0, PLACES_MAX);
  if (waits.length === 0) return violation;
  const places = waits.map(shown).join(', ');
  const hint = `${details.hint ?? ''} The code waits for ${places}`.trim();
  const message = `${violation.message} (the code waits for ${places})`;
  return new DeterminismViolation(message, { ...details, hint, pending: waits });
}

/** A place in a message. */
export function shown({ verb, file, line, column }: CallSite): string {
  return `${verb} at ${file}:${line}:${column}`;
}
