import type { Duration } from '../duration.js';
import { ConfigurationError, TimeoutError } from '../errors.js';
import { positiveMs } from '../options.js';
import type { Clock } from '../runtime/clock.js';
import type { AbortSignal } from '../runtime/platform-types.js';

/** What ends a call of a client or handle early. The server may have taken it all the same. */
export interface CallControl {
  /**
   * How long the call may take as a whole, with everything that it repeats or waits for; it rejects with a
   * `TimeoutError` then. (`timeout` is another thing: the time that an execution has.) Default: no limit. What waits for
   * nothing but the server gives up after some attempts of at most 30 seconds.
   */
  readonly callTimeout?: Duration | undefined;
  /** Ends the call when it fires: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The names of the options, for `checkOptions`. */
export const CALL_CONTROL = ['callTimeout', 'signal'] as const;

/**
 * Waits for `work`, but not longer than `control` says. When it is ended early, `end` is called with what this rejects
 * with. Nothing is begun when the signal has fired before. No timer and no listener is left behind.
 */
export async function bounded<T>(
  what: string,
  control: CallControl,
  clock: Clock,
  end: (reason: unknown) => void,
  work: () => Promise<T>,
): Promise<T> {
  const limitMs = positiveMs(`${what}, callTimeout`, control.callTimeout);
  const signal = checkedSignal(what, control.signal);
  if (limitMs === undefined && signal === undefined) return work();
  if (signal?.aborted) throw signal.reason;
  let fail = (_reason: unknown): void => {};
  const ended = new Promise<never>((_, reject) => {
    fail = (reason) => {
      reject(reason);
      end(reason);
    };
  });
  const onAbort = (): void => fail(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const stopTimer =
    limitMs === undefined ? undefined : clock.schedule(limitMs, () => fail(new TimeoutError(what, limitMs)));
  try {
    return await Promise.race([work(), ended]);
  } finally {
    stopTimer?.();
    signal?.removeEventListener('abort', onAbort);
  }
}

function checkedSignal(what: string, signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined || typeof signal?.addEventListener === 'function') return signal;
  throw new ConfigurationError(`${what}: signal must be an AbortSignal, got ${typeof signal}`);
}
