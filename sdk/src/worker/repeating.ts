import { type Retrying, retrying } from '../rpc/retrying.js';
import type { Clock } from '../runtime/clock.js';
import type { Stop } from '../runtime/stop.js';
import { Backoff } from './backoff.js';

const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 10_000;
/** Within about 6 s. What is met by a fault of the server each time must not hold its claim for ever. */
const FAULTS_MAX = 6;

/** How often what is not worth waiting for is tried: within about a second. */
const FEW_ATTEMPTS = 4;

/** Makes a call a few times while the server cannot be reached, unless the work is told to stop. */
export function aFewTimes<T>(clock: Clock, stop: Stop, call: () => Promise<T>): Promise<T> {
  return retryingUntil(stop, { clock, maxAttempts: FEW_ATTEMPTS }, call);
}

/** Repeats a call under a claim until it succeeds, is refused, or the work is told to stop. */
export function repeating<T>(clock: Clock, stop: Stop, call: () => Promise<T>): Promise<T> {
  return retryingUntil(stop, { clock, maxFaults: FAULTS_MAX }, call);
}

function retryingUntil<T>(
  stop: Stop,
  limits: Pick<Retrying, 'clock' | 'maxAttempts' | 'maxFaults'>,
  call: () => Promise<T>,
): Promise<T> {
  const options = {
    ...limits,
    backoff: new Backoff(FIRST_RETRY_MS, LONGEST_RETRY_MS),
    // Made when it is asked for, which is seldom.
    get signal() {
      return stop.signal;
    },
  };
  return retrying(options, call);
}
