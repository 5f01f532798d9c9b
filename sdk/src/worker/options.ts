import { ConfigurationError } from '../errors.js';
import { isLogLevel, type LogLevel } from '../logger.js';
import { checkOptions } from '../options.js';
import { isBrowser } from '../runtime/run-dry.js';
import type { Transport } from '../transport/transport.js';
import type { ExecutionCacheLimits } from './cache-metrics.js';
import type { ViolationReport } from './events.js';
import type { PollLoopParts } from './poll-loop.js';

/** How much work a worker takes, and how often it asks for it. */
export interface PollingOptions {
  /** How many pieces of work may be under way at once. Default: 100. */
  readonly maxConcurrent?: number | undefined;
  /**
   * The least pause in milliseconds after a poll that was answered at once and brought nothing. Default: 100.
   * A server that knows our extensions waits for work itself, and no pause follows then.
   */
  readonly pollIntervalMs?: number | undefined;
}

/** See `violations` of `WorkflowWorkerOptions`. */
export type ViolationReaction = 'park' | 'fail' | { readonly failAfterParks: number };

/** How a worker runs workflows. */
export interface WorkflowWorkerOptions extends PollingOptions {
  /**
   * What becomes of an execution whose code and history disagree. `park`: it is given back unchanged and
   * tried again, after a second at first and every 5 minutes at last, so that a fixed deployment continues it.
   * `fail`: it fails with failure type `DETERMINISM_VIOLATION`. `{ failAfterParks: n }`: it fails when it was
   * parked n times by this worker without going on in between. Default: `park`.
   */
  readonly violations?: ViolationReaction | undefined;
  /**
   * How many suspended executions are kept in memory, so that they go on without a replay; 0 keeps none. Default: 1000.
   */
  readonly maxCachedExecutions?: number | undefined;
  /**
   * How many bytes the executions that are kept may take together. It is an estimate: what workflow functions hold in
   * their own variables is not counted. Default: 64 MiB.
   */
  readonly maxCachedBytes?: number | undefined;
  /**
   * Keeps nothing and replays every execution from its first event at each activation, to test that its code is
   * deterministic. Default: false.
   */
  readonly alwaysReplay?: boolean | undefined;
  /** Is told of every violation, beside the log. */
  readonly onViolation?: ((report: ViolationReport) => void) | undefined;
}

/** How a worker runs tasks. */
export interface TaskWorkerOptions extends PollingOptions {
  /**
   * What tasks log at this level or above is also sent to the server, where it is kept with the task; `silent` sends
   * nothing. Default: `info`.
   */
  readonly serverLogLevel?: LogLevel | undefined;
}

const KNOWN = ['maxConcurrent', 'pollIntervalMs'];
const KNOWN_OF_WORKFLOWS = [
  'violations',
  'onViolation',
  'maxCachedExecutions',
  'maxCachedBytes',
  'alwaysReplay',
];
const DEFAULT_MAX_CONCURRENT = 100;
const DEFAULT_CACHED_EXECUTIONS = 1_000;
const DEFAULT_CACHED_BYTES = 64 * 1024 * 1024;
const DEFAULT_POLL_INTERVAL_MS = 100;
/** More would not be faster, since work under way is answered with the next piece; 1 makes a burst wait in line. */
const POLLS = 4;
/** Longer than an answer is on its way. */
const SETTLE_MS = 250;
/** Browsers open six connections to a server, and everything else needs some too. */
const POLLS_IN_BROWSERS = 1;

/** Throws `ConfigurationError` for options that cannot be meant. */
export function checkWorkflowWorkerOptions(options: WorkflowWorkerOptions): void {
  checkOptions('workflowWorkerOptions', options, [...KNOWN, ...KNOWN_OF_WORKFLOWS]);
  checkNumbers('workflowWorkerOptions', options);
  parksBeforeFailure(options.violations);
  checkCache(options);
}

function checkCache({
  maxCachedExecutions = 0,
  maxCachedBytes = 0,
  alwaysReplay,
}: WorkflowWorkerOptions): void {
  for (const [name, value] of Object.entries({ maxCachedExecutions, maxCachedBytes })) {
    if (Number.isInteger(value) && value >= 0) continue;
    throw new ConfigurationError(
      `workflowWorkerOptions.${name} must be a whole number from 0 up, got ${value}`,
    );
  }
  if (alwaysReplay !== undefined && typeof alwaysReplay !== 'boolean') {
    const got = JSON.stringify(alwaysReplay);
    throw new ConfigurationError(`workflowWorkerOptions.alwaysReplay must be true or false, got ${got}`);
  }
}

/** The options of the cache of a workflow worker. */
export function cacheLimits(options: WorkflowWorkerOptions): ExecutionCacheLimits {
  const { maxCachedExecutions = DEFAULT_CACHED_EXECUTIONS, maxCachedBytes = DEFAULT_CACHED_BYTES } = options;
  return { maxCount: options.alwaysReplay === true ? 0 : maxCachedExecutions, maxBytes: maxCachedBytes };
}

/** How often an execution is parked for a violation before it fails. Throws `ConfigurationError`. */
export function parksBeforeFailure(reaction: ViolationReaction = 'park'): number {
  if (reaction === 'park') return Number.POSITIVE_INFINITY;
  if (reaction === 'fail') return 0;
  const parks: unknown = reaction?.failAfterParks;
  if (Number.isInteger(parks) && (parks as number) >= 1) return parks as number;
  throw new ConfigurationError(
    'workflowWorkerOptions.violations must be "park", "fail" or { failAfterParks: a whole number from 1 up }, ' +
      `got ${JSON.stringify(reaction)}`,
  );
}

/** Throws `ConfigurationError` for options that cannot be meant. */
export function checkTaskWorkerOptions(options: TaskWorkerOptions): void {
  checkOptions('taskWorkerOptions', options, [...KNOWN, 'serverLogLevel']);
  checkNumbers('taskWorkerOptions', options);
  const { serverLogLevel = 'info' } = options;
  if (!isLogLevel(serverLogLevel))
    throw new ConfigurationError(
      `taskWorkerOptions.serverLogLevel must be the name of a level, such as "info", got ${JSON.stringify(serverLogLevel)}`,
    );
}

/** The options of a poll loop. */
export function pollLimits(
  options: PollingOptions,
  transport: Transport,
): Pick<PollLoopParts<unknown>, 'maxConcurrent' | 'maxPolls' | 'emptyPauseMs' | 'settleMs'> {
  return {
    maxConcurrent: options.maxConcurrent ?? DEFAULT_MAX_CONCURRENT,
    // A server that does not wait is only asked more often by more polls.
    maxPolls: () => (!transport.extended ? 1 : isBrowser() ? POLLS_IN_BROWSERS : POLLS),
    settleMs: transport.isInProcess === true ? 0 : SETTLE_MS,
    emptyPauseMs: options.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS,
  };
}

function checkNumbers(what: string, { maxConcurrent = 1, pollIntervalMs = 0 }: PollingOptions): void {
  if (!Number.isInteger(maxConcurrent) || maxConcurrent < 1) {
    throw new ConfigurationError(
      `${what}.maxConcurrent must be a whole number from 1 up, got ${maxConcurrent}`,
    );
  }
  if (!(pollIntervalMs >= 0)) {
    throw new ConfigurationError(`${what}.pollIntervalMs must be a number from 0 up, got ${pollIntervalMs}`);
  }
}
