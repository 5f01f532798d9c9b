import type { Duration } from './duration.js';
import { ConfigurationError } from './errors.js';
import { checkOptions, optionalMs } from './options.js';

/** How often and when something that failed is tried again. */
export interface RetryPolicy {
  /** Attempts after the first one. Default: 3. */
  readonly maxRetries?: number | undefined;
  /** The pause before the first retry. Default: 1 s. */
  readonly initialDelay?: Duration | undefined;
  /** No pause is longer. Default: 60 s. */
  readonly maxDelay?: Duration | undefined;
  /** Each pause is this many times the one before, at least 1. Default: 2. */
  readonly backoffMultiplier?: number | undefined;
  /**
   * Names of errors after which there is no other attempt, such as `['CardDeclined']`: compared with the `name` of what
   * was thrown. A server without our extensions does not know them for tasks. Default: none.
   */
  readonly nonRetryableErrors?: readonly string[] | undefined;
}

/** A policy with every default filled in; times in milliseconds. */
export interface RetryPlan {
  readonly maxRetries: number;
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly multiplier: number;
  readonly nonRetryableErrors: readonly string[];
}

const DEFAULTS = { maxRetries: 3, initialDelayMs: 1_000, maxDelayMs: 60_000, multiplier: 2 };

const KNOWN = ['maxRetries', 'initialDelay', 'maxDelay', 'backoffMultiplier', 'nonRetryableErrors'];

/** Reads a policy; throws `ConfigurationError` for one that cannot be meant. */
export function retryPlan(what: string, policy: RetryPolicy): RetryPlan {
  checkOptions(`${what}, retry`, policy, KNOWN);
  const { initialDelay, maxDelay } = policy;
  const initialDelayMs = optionalMs(`${what}, retry.initialDelay`, initialDelay) ?? DEFAULTS.initialDelayMs;
  const plan = {
    maxRetries: policy.maxRetries ?? DEFAULTS.maxRetries,
    initialDelayMs,
    maxDelayMs:
      optionalMs(`${what}, retry.maxDelay`, maxDelay) ?? Math.max(DEFAULTS.maxDelayMs, initialDelayMs),
    multiplier: policy.backoffMultiplier ?? DEFAULTS.multiplier,
    nonRetryableErrors: errorNames(what, policy.nonRetryableErrors),
  };
  check(
    what,
    'maxRetries',
    'a whole number from 0 up',
    plan.maxRetries,
    Number.isInteger(plan.maxRetries) && plan.maxRetries >= 0,
  );
  check(what, 'initialDelay', 'no negative time', plan.initialDelayMs, plan.initialDelayMs >= 0);
  check(what, 'maxDelay', 'at least initialDelay', plan.maxDelayMs, plan.maxDelayMs >= plan.initialDelayMs);
  const { multiplier } = plan;
  check(
    what,
    'backoffMultiplier',
    'a finite number from 1 up',
    multiplier,
    multiplier >= 1 && Number.isFinite(multiplier),
  );
  return plan;
}

/** The pause before retry number `retry`, counted from 1, in milliseconds. */
export function pauseBefore(plan: RetryPlan, retry: number): number {
  // Without this a policy of no pauses would multiply 0 by Infinity at last.
  if (plan.initialDelayMs === 0) return 0;
  return Math.min(plan.maxDelayMs, plan.initialDelayMs * plan.multiplier ** (retry - 1));
}

function errorNames(what: string, names: readonly string[] = []): readonly string[] {
  const given: unknown = names;
  if (Array.isArray(given) && given.every((name) => typeof name === 'string' && name !== '')) return names;
  throw new ConfigurationError(
    `${what}: retry.nonRetryableErrors must be a list of names of errors, got ${JSON.stringify(given)}`,
  );
}

function check(what: string, option: string, expected: string, got: number, holds: boolean): void {
  if (!holds) throw new ConfigurationError(`${what}: retry.${option} must be ${expected}, got ${got}`);
}
