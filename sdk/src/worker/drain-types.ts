import type { AbortSignal } from '../runtime/platform-types.js';
import type { ShutdownReport } from './shutdown-report.js';

/** Options of `drain`. Without any it goes on for as long as something is ready. */
export interface DrainOptions {
  /**
   * How long it may take, in milliseconds. When it is over, the signals of work under way fire and the work is given
   * back, which takes a second at most. Default: no limit.
   */
  readonly maxMs?: number | undefined;
  /**
   * How much of `maxMs` is kept for the end of what is under way, in milliseconds: nothing more is claimed in it.
   * Default: 1000, and at most half of `maxMs`.
   */
  readonly reserveMs?: number | undefined;
  /** How many activations of workflows and attempts of tasks it may run, together. Default: no limit. */
  readonly maxActivations?: number | undefined;
  /**
   * How many requests it may send to the server, for platforms that allow so many per invocation. Nothing more is claimed
   * when a poll and the end of what it brings could exceed it. What long work sends beyond its end (further pages of a
   * long history, renewals of leases, progress) counts too, but cannot be known beforehand: leave some room for it.
   * Default: no limit.
   */
  readonly maxRequests?: number | undefined;
  /** Shuts the worker down in order when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Why a drain ended: nothing was ready (`idle`), one of its limits was reached, or it was shut down, by `shutdown`, its
 * `signal`, or SIGINT and SIGTERM.
 */
export type DrainEnd = 'idle' | 'maxMs' | 'maxActivations' | 'maxRequests' | 'shutdown';

/** What a drain did, and what became of work that had not ended in time. */
export interface DrainReport extends ShutdownReport {
  /** From the call of `drain` to its end, in milliseconds. */
  readonly durationMs: number;
  /** Why it ended. Unless it is `idle`, more may be ready. */
  readonly end: DrainEnd;
  /** How many activations of workflows it ran, and queries it answered. */
  readonly activations: number;
  /** How many attempts of tasks it ran. */
  readonly attempts: number;
  /** How many requests it sent to the server, with those that registered the worker. */
  readonly requests: number;
}
