import type { ScheduleTaskOptions } from '../core.js';
import { ConfigurationError } from '../errors.js';
import { checkOptions, optionalMs } from '../options.js';
import { retryPlan } from '../retry.js';
import type { TaskOptions } from './handle-types.js';

const KNOWN = ['queue', 'timeout', 'retry'];
const LATER = {
  totalTimeout: 'timeouts per attempt on the server; until then `timeout` is the whole life of the task',
};

/** The options of a task as the core takes them; undefined where the server decides everything. */
export function coreTaskOptions(name: string, options: TaskOptions): ScheduleTaskOptions | undefined {
  const what = `Task "${name}"`;
  checkOptions(what, options, KNOWN, LATER);
  const { queue, timeout, retry } = options;
  if (queue === undefined && timeout === undefined && retry === undefined) return undefined;
  const timeoutMs = optionalMs(`${what}, timeout`, timeout);
  if (timeoutMs !== undefined && timeoutMs <= 0) {
    throw new ConfigurationError(`${what}: timeout must be more than no time, got ${timeout}`);
  }
  const plan = retry && retryPlan(what, retry);
  return {
    queue,
    timeoutMs,
    maxRetries: plan?.maxRetries,
    retryPolicy: plan && {
      initialDelayMs: plan.initialDelayMs,
      maxDelayMs: plan.maxDelayMs,
      multiplierMilli: Math.round(plan.multiplier * 1_000),
      nonRetryableErrors: [],
    },
  };
}
