import type { ScheduleTaskOptions } from '../core.js';
import { checkOptions, positiveMs } from '../options.js';
import { retryPlan } from '../retry.js';
import type { AnyTask } from '../task/define.js';
import type { TaskOptions } from './handle-types.js';

const KNOWN = ['queue', 'timeout', 'totalTimeout', 'heartbeatTimeout', 'retry'];

/** What a definition says where the options of a schedule say nothing. */
type Defaults = Partial<Pick<AnyTask, 'timeout' | 'totalTimeout' | 'heartbeatTimeout' | 'retry'>>;

/**
 * The options of a task as the core takes them; undefined where the server decides everything. `extended` is whether
 * the server knows limits of single attempts.
 */
export function coreTaskOptions(
  name: string,
  options: TaskOptions,
  defaults: Defaults,
  extended: boolean,
): ScheduleTaskOptions | undefined {
  const what = `Task "${name}"`;
  checkOptions(what, options, KNOWN);
  const { queue, timeout = defaults.timeout, totalTimeout = defaults.totalTimeout } = options;
  const { heartbeatTimeout = defaults.heartbeatTimeout, retry = defaults.retry } = options;
  const given = [queue, timeout, totalTimeout, heartbeatTimeout, retry];
  if (given.every((option) => option === undefined)) return undefined;
  const timeoutMs = positiveMs(`${what}, timeout`, timeout);
  const totalTimeoutMs = positiveMs(`${what}, totalTimeout`, totalTimeout);
  const heartbeatTimeoutMs = positiveMs(`${what}, heartbeatTimeout`, heartbeatTimeout);
  const plan = retry && retryPlan(what, retry);
  return {
    queue,
    // Other servers know one limit. A worker of ours keeps that of its definition by itself.
    timeoutMs: totalTimeoutMs ?? (extended || options.timeout === undefined ? undefined : timeoutMs),
    startToCloseTimeoutMs: timeoutMs,
    heartbeatTimeoutMs,
    maxRetries: plan?.maxRetries,
    retryPolicy: plan && {
      initialDelayMs: plan.initialDelayMs,
      maxDelayMs: plan.maxDelayMs,
      multiplierMilli: Math.round(plan.multiplier * 1_000),
      nonRetryableErrors: plan.nonRetryableErrors,
    },
  };
}
