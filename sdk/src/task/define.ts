import type { Duration } from '../duration.js';
import { ConfigurationError } from '../errors.js';
import { checkOptions, positiveMs } from '../options.js';
import { type RetryPolicy, retryPlan } from '../retry.js';
import type { TaskContext } from './context-types.js';
import { checkHooks, type TaskHooks } from './hooks.js';

/** A task function: it may call anything, and may be called more than once for one task. */
export type TaskFunction<Input, Output> = (ctx: TaskContext, input: Input) => Output | PromiseLike<Output>;

/** What `task` takes. */
export interface TaskConfig<Input, Output> {
  /** The kind of the task: workflows schedule it by this name. At most 255 bytes. */
  readonly name: string;
  /** For people. */
  readonly description?: string | undefined;
  /**
   * How long one attempt may take; after it the attempt fails with a `TaskTimeout` and is retried as any
   * other failure. The function's `ctx.signal` fires then, and its result is dropped. Default: no limit.
   */
  readonly timeout?: Duration | undefined;
  /**
   * The whole life of a task from when it is scheduled, retries and the time before the first attempt included; after
   * it the task fails. Default: no limit.
   */
  readonly totalTimeout?: Duration | undefined;
  /**
   * How long an attempt may go without `ctx.heartbeat()`; after it the server fails the attempt, which is retried as any
   * other failure. Servers without our extensions do not know it. Default: no limit.
   */
  readonly heartbeatTimeout?: Duration | undefined;
  /** How failed attempts are retried. Default: what the server does, 3 retries after 1 s, 2 s, 4 s. */
  readonly retry?: RetryPolicy | undefined;
  /** Are told of each attempt. */
  readonly hooks?: TaskHooks<Input, Output> | undefined;
  /**
   * Does the work. What it throws fails the attempt; a `TaskFailed` with `retryable` false fails the task for
   * good.
   */
  readonly run: TaskFunction<Input, Output>;
}

/** A task that can be registered, and scheduled with typed input. */
export interface TaskDefinition<Input = unknown, Output = unknown> {
  readonly name: string;
  readonly description: string | undefined;
  readonly timeout: Duration | undefined;
  readonly totalTimeout: Duration | undefined;
  readonly heartbeatTimeout: Duration | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly hooks: TaskHooks<Input, Output> | undefined;
  readonly run: TaskFunction<Input, Output>;
}

/** Any definition, whatever its input and output. */
export type AnyTask = TaskDefinition<never, unknown>;

const KNOWN = ['name', 'description', 'timeout', 'totalTimeout', 'heartbeatTimeout', 'retry', 'hooks', 'run'];
const LATER = {
  input: 'schemas',
  output: 'schemas',
};

/**
 * Defines a task. Input and output types flow from `run` to wherever the definition is used.
 *
 * Throws `ConfigurationError` when the name or the function is missing, and `Unsupported` for options of
 * later versions.
 */
export function task<Input = unknown, Output = unknown>(
  config: TaskConfig<Input, Output>,
): TaskDefinition<Input, Output> {
  if (!config?.name) throw new ConfigurationError('Task name is required');
  if (typeof config.run !== 'function') throw new ConfigurationError('Task run function is required');
  const { name, description, timeout, totalTimeout, heartbeatTimeout, retry, hooks, run } = config;
  const what = `Task "${name}"`;
  checkOptions(what, config, KNOWN, LATER);
  positiveMs(`${what}, timeout`, timeout);
  positiveMs(`${what}, totalTimeout`, totalTimeout);
  positiveMs(`${what}, heartbeatTimeout`, heartbeatTimeout);
  if (retry !== undefined) retryPlan(what, retry);
  if (hooks !== undefined) checkHooks(what, hooks);
  return { name, description, timeout, totalTimeout, heartbeatTimeout, retry, hooks, run };
}
