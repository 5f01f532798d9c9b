import { ConfigurationError } from '../errors.js';
import { textOf } from '../errors/base.js';
import type { Logger } from '../logger.js';
import { checkOptions } from '../options.js';
import type { Stop } from '../runtime/stop.js';
import type { TaskContext } from './context-types.js';

/**
 * Functions that are told of each attempt of a task. An attempt waits for what they return, but what they throw is only
 * logged and changes nothing of how the attempt ends.
 */
export interface TaskHooks<Input = unknown, Output = unknown> {
  /** Called before the task's function, at every attempt. It takes from the time that the attempt has. */
  readonly onStart?: Hook<[ctx: TaskContext, input: Input]> | undefined;
  /** Called when the task's function has given its result, before that is reported. */
  readonly onSuccess?: Hook<[ctx: TaskContext, input: Input, output: Output]> | undefined;
  /**
   * Called when an attempt has not succeeded, before that is reported, whether or not another attempt follows: with
   * what the task's function threw, with a `TaskTimeout`, with the `SerializationError` of a result that cannot be sent,
   * or, where the result counts no more, with the reason of `ctx.signal`.
   */
  readonly onFailure?: Hook<[ctx: TaskContext, input: Input, error: unknown]> | undefined;
}

/** The type of a method, so that the definition of any task is an `AnyTask`. */
type Hook<Args extends unknown[]> = { method(...args: Args): void | PromiseLike<void> }['method'];

const KNOWN = ['onStart', 'onSuccess', 'onFailure'];

/** Throws `ConfigurationError` for hooks that cannot be meant. */
export function checkHooks(what: string, hooks: TaskHooks<never, never>): void {
  checkOptions(`${what}, hooks`, hooks, KNOWN);
  for (const [name, hook] of Object.entries(hooks)) {
    if (hook !== undefined && typeof hook !== 'function')
      throw new ConfigurationError(`${what}: hooks.${name} must be a function, got ${typeof hook}`);
  }
}

/** Calls a hook and waits for it, but not longer than the attempt may go on. Never throws. */
export async function callHook(
  name: string,
  logger: Logger,
  stop: Stop,
  hook: () => void | PromiseLike<void> | undefined,
): Promise<void> {
  const called = (async () => {
    try {
      await hook();
    } catch (error) {
      logger.error(`its hook ${name} failed: ${textOf(error)}`, error);
    }
  })();
  if (stop.reason !== undefined) return called;
  let forget = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    forget = stop.onFire(() => resolve());
  });
  await Promise.race([called, stopped]);
  forget();
}
