import type { Clock } from '../runtime/clock.js';
import { pause } from '../runtime/pause.js';
import type { Backoff } from '../worker/backoff.js';
import { isTransient } from './failures.js';

/** How a call is repeated. */
export interface Retrying {
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** Ends the repeating: the last error is thrown then. */
  readonly signal?: AbortSignal | undefined;
  /** How often the call is made at most. Default: no limit. */
  readonly maxAttempts?: number | undefined;
}

/** Makes a call that may safely be made twice, until it neither succeeds nor fails for a passing reason. */
export async function retrying<T>(options: Retrying, call: () => Promise<T>): Promise<T> {
  const { clock, backoff, signal, maxAttempts = Number.POSITIVE_INFINITY } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (!isTransient(error) || attempt >= maxAttempts || signal?.aborted) throw error;
    }
    await pause(clock, backoff.nextMs(), signal);
  }
}
