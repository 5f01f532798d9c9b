import type { DeterminismViolation } from '../errors.js';
import { ConfigurationError } from '../errors.js';
import { checkOptions } from '../options.js';

/** What both workers can be told. */
export interface WorkerOptions {
  /** How many pieces of work may be under way at once. Default: 100. */
  readonly maxConcurrent?: number | undefined;
  /**
   * The least pause in milliseconds after a poll that was answered at once and brought nothing. Default: 100.
   * A server that knows our extensions waits for work itself, and no pause follows then.
   */
  readonly pollIntervalMs?: number | undefined;
}

/** An execution whose code and history disagree. */
export interface ViolationReport {
  readonly workflowExecutionId: string;
  readonly workflowKind: string;
  /** What disagrees, and where. */
  readonly violation: DeterminismViolation;
}

/** What the workflow worker can be told. */
export interface WorkflowWorkerOptions extends WorkerOptions {
  /**
   * What becomes of an execution whose code and history disagree. `park`: it is given back unchanged and
   * tried again, at most every 5 minutes, so that a fixed deployment continues it. `fail`: it fails with
   * failure type `DETERMINISM_VIOLATION`. Default: `park`.
   */
  readonly violations?: 'park' | 'fail' | undefined;
  /** Is told of every violation, beside the log. */
  readonly onViolation?: ((report: ViolationReport) => void) | undefined;
}

/** What the task worker can be told. */
export interface TaskWorkerOptions extends WorkerOptions {}

const KNOWN = ['maxConcurrent', 'pollIntervalMs'];
const DEFAULT_MAX_CONCURRENT = 100;
const DEFAULT_POLL_INTERVAL_MS = 100;

/** Throws `ConfigurationError` for options that cannot be meant. */
export function checkWorkflowWorkerOptions(options: WorkflowWorkerOptions): void {
  checkOptions('workflowWorkerOptions', options, [...KNOWN, 'violations', 'onViolation']);
  checkNumbers('workflowWorkerOptions', options);
  const { violations } = options;
  if (violations !== undefined && violations !== 'park' && violations !== 'fail') {
    throw new ConfigurationError(
      `workflowWorkerOptions.violations must be "park" or "fail", got "${violations}"`,
    );
  }
}

/** Throws `ConfigurationError` for options that cannot be meant. */
export function checkTaskWorkerOptions(options: TaskWorkerOptions): void {
  checkOptions('taskWorkerOptions', options, KNOWN);
  checkNumbers('taskWorkerOptions', options);
}

/** The options of a poll loop. */
export function pollLimits(options: WorkerOptions): { maxConcurrent: number; emptyPauseMs: number } {
  return {
    maxConcurrent: options.maxConcurrent ?? DEFAULT_MAX_CONCURRENT,
    emptyPauseMs: options.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS,
  };
}

function checkNumbers(what: string, { maxConcurrent = 1, pollIntervalMs = 0 }: WorkerOptions): void {
  if (!Number.isInteger(maxConcurrent) || maxConcurrent < 1) {
    throw new ConfigurationError(
      `${what}.maxConcurrent must be a whole number from 1 up, got ${maxConcurrent}`,
    );
  }
  if (!(pollIntervalMs >= 0)) {
    throw new ConfigurationError(`${what}.pollIntervalMs must be a number from 0 up, got ${pollIntervalMs}`);
  }
}
