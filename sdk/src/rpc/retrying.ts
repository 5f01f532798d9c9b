import type { Clock } from '../runtime/clock.js';
import { pause } from '../runtime/pause.js';
import type { Backoff } from '../worker/backoff.js';
import { isServerFault, isTransient } from './failures.js';

/** How a call is repeated. */
export interface Retrying {
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** Ends the repeating: the last error is thrown then. */
  readonly signal?: AbortSignal | undefined;
  /** How often the call is made at most. Default: no limit. */
  readonly maxAttempts?: number | undefined;
  /** After how many faults of the server the last one is thrown. Default: no limit. */
  readonly maxFaults?: number | undefined;
}

/** Makes a call that may safely be made twice, until it neither succeeds nor fails for a passing reason. */
export async function retrying<T>(options: Retrying, call: () => Promise<T>): Promise<T> {
  const { clock, backoff } = options;
  const { maxAttempts = Number.POSITIVE_INFINITY, maxFaults = Number.POSITIVE_INFINITY } = options;
  let faults = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (isServerFault(error)) faults += 1;
      if (!isTransient(error) || attempt >= maxAttempts || faults >= maxFaults) throw error;
      // Not read before: it may be one that is made when it is asked for.
      if (options.signal?.aborted) throw error;
    }
    await pause(clock, backoff.nextMs(), options.signal);
  }
}
