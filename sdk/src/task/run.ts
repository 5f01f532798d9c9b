import { TaskTimeout } from '../errors.js';
import { nameOf, textOf } from '../errors/base.js';
import type { Clock } from '../runtime/clock.js';
import type { Serializer } from '../serde.js';
import { TaskContextImpl, type TaskContextParts } from './context.js';
import type { AnyTask } from './define.js';

/** How an attempt ended. */
export type TaskOutcome =
  | { readonly output: string }
  | {
      readonly error: string;
      /** The name of the error class. */
      readonly errorType: string;
      /** Undefined leaves it to the retry policy. */
      readonly retryable: boolean | undefined;
    };

/** Runs one attempt of a task with a payload as its input. Never throws. */
export async function runTask(
  definition: AnyTask,
  input: string,
  context: TaskContextParts,
  serializer: Serializer,
  clock: Clock,
): Promise<TaskOutcome> {
  const attempt = new AbortController();
  const onAbort = (): void => attempt.abort(context.signal.reason);
  context.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const ctx = new TaskContextImpl({ ...context, signal: attempt.signal });
    const value = serializer.deserialize<never>(input);
    const work = async (): Promise<unknown> => definition.run(ctx, value);
    const output = await withinTimeout(definition, context.taskExecutionId, attempt, clock, work);
    return { output: serializer.serialize(output) };
  } catch (error) {
    return failure(error);
  } finally {
    context.signal.removeEventListener('abort', onAbort);
  }
}

async function withinTimeout(
  definition: AnyTask,
  taskExecutionId: string,
  attempt: AbortController,
  clock: Clock,
  work: () => Promise<unknown>,
): Promise<unknown> {
  const timeoutMs = definition.timeout?.toWholeMilliseconds();
  if (timeoutMs === undefined) return work();
  let stopTimer = (): void => {};
  const timedOut = new Promise<never>((_, reject) => {
    stopTimer = clock.schedule(timeoutMs, () => {
      const error = new TaskTimeout(taskExecutionId, timeoutMs);
      reject(error);
      attempt.abort(error);
    });
  });
  try {
    return await Promise.race([work(), timedOut]);
  } finally {
    stopTimer();
  }
}

/**
 * What is reported of a thrown value. An own property `retryable` of false, as `TaskFailed` has it, ends the
 * task.
 */
function failure(thrown: unknown): TaskOutcome {
  const retryable: unknown = thrown instanceof Error ? Reflect.get(thrown, 'retryable') : undefined;
  return {
    error: textOf(thrown),
    errorType: nameOf(thrown),
    retryable: typeof retryable === 'boolean' ? retryable : undefined,
  };
}
