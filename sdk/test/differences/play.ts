import type { FlovynClient } from '../../src/client/client.js';
import type { WorkflowHandle } from '../../src/client/handle.js';
import type { FlovynClientOptions, StartWorkflowOptions } from '../../src/client/options.js';
import { Duration } from '../../src/duration.js';
import { Method } from '../../src/rpc/methods.js';
import { runDry } from '../../src/runtime/run-dry.js';
import { type AnyTask, task } from '../../src/task/define.js';
import type { TaskContext } from '../../src/task/context-types.js';
import { type AnyWorkflow, workflow, type WorkflowConfig } from '../../src/workflow/define.js';
import type { WorkflowContext } from '../../src/workflow/context-types.js';
import { heldTask } from '../support/held-task.js';
import { ManualClock } from '../support/manual-clock.js';
import type { Observation } from './difference.js';
import { hidden, until, type World, world } from '../support/world.js';

export const ms = (length: number): Duration => Duration.milliseconds(length);
export const retryAtOnce = { maxRetries: 1, initialDelay: ms(1), maxDelay: ms(1), backoffMultiplier: 1 };

export const echo = task({ name: 'echo', run: (_ctx, input: unknown) => input });
export const slow = task({
  name: 'slow',
  retry: { ...retryAtOnce, maxRetries: 0 },
  run: (ctx) => aborted(ctx),
});
export const fails = task({
  name: 'fails',
  retry: { ...retryAtOnce, maxRetries: 0 },
  run: () => Promise.reject(new Error('no luck')),
});
export const child = workflow({ name: 'child', run: async (_ctx, input: unknown) => input });
export const waiting = workflow({ name: 'waiting', run: (ctx) => ctx.promise('never') });

/** What to play, and how. */
export interface Play {
  readonly run: (ctx: WorkflowContext, input: unknown) => unknown;
  readonly config?: Partial<WorkflowConfig<unknown, unknown>>;
  readonly definitions?: readonly (AnyWorkflow | AnyTask)[];
  readonly client?: Partial<FlovynClientOptions>;
  readonly input?: unknown;
  readonly start?: StartWorkflowOptions;
  readonly clock?: ManualClock;
  /** What happens outside, once it is suspended for the first time. */
  readonly act?: (stage: Stage) => unknown;
}

export interface Stage {
  readonly client: FlovynClient;
  readonly handle: WorkflowHandle;
  readonly world: World;
}

/** What came of it: the result or the error, the history and what was logged, without ids and times. */
export interface Played {
  readonly outcome: unknown;
  readonly history: readonly (readonly [type: string, data: unknown])[];
  readonly logged: readonly string[];
}

/** Plays a workflow on an embedded server, where time passes only once nothing else can happen. */
export async function play({ run, config, definitions = [], act, ...rest }: Play): Promise<Played> {
  const { clock = new ManualClock() } = rest;
  const w = world({ clock });
  const definition = workflow<unknown, unknown>({ name: 'played', ...config, run });
  const client = await w.client([definition, echo, slow, fails, child, waiting, ...definitions], {
    ...hidden({ clock }),
    ...rest.client,
  });
  const { handle } = await client.startWorkflow(definition, rest.input, rest.start);
  if (act !== undefined) {
    await untilSuspended(w, handle.workflowId);
    await act({ client, handle, world: w });
  }
  const outcome = await w.passing(outcomeOf(handle.result()));
  const history = (await w.history(handle.workflowId)).map(
    ({ type, data }) => [type, withoutIds(data)] as const,
  );
  return { outcome, history, logged: w.logger.lines.map(textWithoutIds) };
}

/** Waits until an execution waits for something. */
export async function untilSuspended(w: World, workflowId: string): Promise<void> {
  await until(async () => (await w.history(workflowId)).some(({ type }) => type === 'WORKFLOW_SUSPENDED'));
}

/** What a promise gave, or the name and text of its error. */
export async function outcomeOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    return { gave: withoutIds(await promise) };
  } catch (error) {
    const { name, message } = error as Error;
    return { failed: name, message: textWithoutIds(message) };
  }
}

/** What comes of an execution that nobody takes: it is ended from outside, which comes too late if anybody does. */
export async function outcomeOfUntaken(handle: WorkflowHandle): Promise<unknown> {
  await handle.cancel('nobody took it', { force: true });
  return outcomeOf(handle);
}

/** Why a task was told to end, if it was, by a stop a millisecond after which it ends by itself. */
export function endsWithin(
  stop: (client: FlovynClient, given: boolean) => Promise<unknown> | undefined,
  options: (given: boolean) => Partial<FlovynClientOptions> = () => ({}),
): Observation {
  return async (given) => {
    const clock = new ManualClock();
    const w = world({ clock });
    const { slow: held, one, begun, release } = heldTask({ heeds: true });
    const client = await w.client([held, one], {
      ...hidden({ clock }),
      shutdownGraceMs: 10_000,
      ...options(given),
    });
    const reasons: unknown[] = [];
    client.worker?.on('taskAbandoned', ({ reason }) => void reasons.push(reason));
    await client.startWorkflow(one);
    await begun.promise;
    const stopped = stop(client, given);
    clock.advance(1);
    // What follows from that needs no more than this.
    await runDry();
    release.open('by itself');
    await stopped;
    return reasons;
  };
}

/** Waits for the end of an attempt, and passes on why it ended. */
export function aborted(ctx: TaskContext): Promise<never> {
  const { signal } = ctx;
  return new Promise((_, reject) => {
    const end = (): void => reject(signal.reason as Error);
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
  });
}

/** What a workflow submits in its first activation. */
export async function submittedBy(run: (ctx: WorkflowContext) => unknown): Promise<string[]> {
  const w = world();
  const sent = sentBy(w, Method.SubmitWorkflowCommands);
  const submitting = workflow({ name: 'submitting', run });
  const client = await w.client([submitting]);
  const { handle } = await client.startWorkflow(submitting);
  await until(() => sent.length > 0);
  await client.cancelWorkflow(handle.workflowId, '', { force: true }).catch(() => {});
  return sent.slice(0, 1);
}

/** How a definition is registered. */
export async function registrationOf(definition: AnyWorkflow | AnyTask): Promise<string[]> {
  const w = world();
  const sent = sentBy(w, Method.RegisterWorker);
  await w.client([definition]);
  return sent;
}

/** The messages of one kind, as texts without ids: enough to see that two differ, and in what. */
function sentBy(w: World, watched: string): string[] {
  const sent: string[] = [];
  w.engine.intercept = (method, next, request) => {
    if (method === watched) sent.push(textWithoutIds(new TextDecoder().decode(request)));
    return next();
  };
  return sent;
}

const IDS_AND_TIMES = /id$|AtMs$|timestamp|^stackTrace$/i;
const IDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32,}/g;

/** A text with every id and hash written `<id>`. */
export function textWithoutIds(text: string): string {
  return text.replaceAll(IDS, '<id>');
}

/** A value without what differs each time. */
export function withoutIds(value: unknown): unknown {
  if (typeof value === 'string') return textWithoutIds(value);
  if (Array.isArray(value)) return value.map(withoutIds);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  const kept = Object.entries(value).filter(([key]) => !IDS_AND_TIMES.test(key));
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutIds(inner)]));
}
