import { Duration } from '../duration.js';
import type { TaskFailed } from '../errors.js';
import { nameOf, stackOf, textOf } from '../errors/base.js';
import { Stop } from '../runtime/stop.js';
import { parse } from '../schema/check.js';
import type { Serializer } from '../serde.js';
import { serializerFor } from '../serde/choose.js';
import { TaskContextImpl, type TaskContextParts } from './context.js';
import type { AnyTask } from './define.js';
import { callHook, type TaskHooks } from './hooks.js';
import { TimeLimit, type TimeLimitParts } from './time-limit.js';

/** How an attempt failed. */
export interface TaskFailure {
  readonly error: string;
  /** The name of the error class. */
  readonly errorType: string;
  /** Undefined leaves it to the retry policy. */
  readonly retryable?: boolean | undefined;
  /** Where it was thrown; may be absent. */
  readonly stackTrace?: string | undefined;
  /** When the next attempt begins; undefined leaves it to the retry policy. */
  readonly nextRetryDelayMs?: number | undefined;
}

/** How an attempt ended. */
export type TaskOutcome = { readonly output: string } | TaskFailure;

/** What an attempt is made with. */
export interface AttemptParts extends Omit<TaskContextParts, 'stop' | 'heartbeatDetails'>, TimeLimitParts {
  /** The payload of the last heartbeat of an earlier attempt, if it had details. */
  readonly heartbeatDetails: string | undefined;
  /** Fires when the attempt should stop. */
  readonly stop: Stop;
  /** Whether the attempt counts no more, whatever comes of it. */
  readonly isOver: () => boolean;
  readonly serializer: Serializer;
}

/** Runs one attempt of a task with a payload as its input. Never throws. */
export async function runTask(definition: AnyTask, input: string, parts: AttemptParts): Promise<TaskOutcome> {
  // Its own, since a timeout ends the attempt and not the claim, under which it is still to be reported.
  const stop = new Stop();
  const forget = parts.stop.onFire((reason) => stop.fire(reason));
  const limit = new TimeLimit(parts, stop);
  try {
    const { serializer, heartbeatDetails: details } = parts;
    const heartbeatDetails = details === undefined ? undefined : serializer.deserialize(details);
    const ctx = new TaskContextImpl({ ...parts, heartbeatDetails, stop });
    const value: unknown = serializerFor(definition, parts).deserialize(input);
    const what = { subject: `task "${definition.name}"`, side: 'input' } as const;
    const checked = await limit.within(() => parse(definition.input, value, what));
    return await attempt(definition, ctx, checked as never, parts, { stop, limit });
  } catch (error) {
    return failure(error);
  } finally {
    limit.end();
    forget();
  }
}

async function attempt(
  definition: AnyTask,
  ctx: TaskContextImpl,
  input: never,
  parts: AttemptParts,
  { stop, limit }: { readonly stop: Stop; readonly limit: TimeLimit },
): Promise<TaskOutcome> {
  const hooks: TaskHooks<never, never> | undefined = definition.hooks;
  const work = async (): Promise<unknown> => {
    if (hooks?.onStart) await callHook('onStart', ctx.log, stop, () => hooks.onStart?.(ctx, input));
    const what = { subject: `task "${definition.name}"`, side: 'output' } as const;
    return parse(definition.output, await definition.run(ctx, input), what);
  };
  try {
    const result = await limit.within(work);
    limit.end();
    const output = serializerFor(definition, parts).serialize(result);
    if (parts.isOver()) stop.throwIfFired();
    if (hooks?.onSuccess)
      await callHook('onSuccess', ctx.log, parts.stop, () => hooks.onSuccess?.(ctx, input, result as never));
    return { output };
  } catch (error) {
    if (hooks?.onFailure)
      await callHook('onFailure', ctx.log, parts.stop, () => hooks.onFailure?.(ctx, input, error));
    return failure(error);
  }
}

/** It goes into the history of the workflow, and begins with the text of the error, which may be long. */
const LONGEST_STACK = 16_384;

/** What is reported of a thrown value. Own properties `retryable` and `nextRetryDelay`, as of `TaskFailed`, count. */
export function failure(thrown: unknown): TaskFailure {
  return {
    error: textOf(thrown),
    errorType: nameOf(thrown),
    stackTrace: stackOf(thrown).slice(0, LONGEST_STACK),
    ...retryControl(thrown),
  };
}

function retryControl(thrown: unknown): Pick<TaskFailure, 'retryable' | 'nextRetryDelayMs'> {
  if (!(thrown instanceof Error)) return {};
  const { retryable, nextRetryDelay } = thrown as Partial<TaskFailed>;
  return {
    retryable: typeof retryable === 'boolean' ? retryable : undefined,
    // Errors of others may have a property of this name too.
    nextRetryDelayMs: nextRetryDelay instanceof Duration ? nextRetryDelay.toWholeMilliseconds() : undefined,
  };
}
