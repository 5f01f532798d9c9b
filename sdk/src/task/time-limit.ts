import { TaskTimeout } from '../errors.js';
import type { Clock } from '../runtime/clock.js';
import type { Stop } from '../runtime/stop.js';

/** Whose time is limited, and how. */
export interface TimeLimitParts {
  readonly taskExecutionId: string;
  /** How long the attempt may take in milliseconds, if there is a limit. */
  readonly timeoutMs: number | undefined;
  readonly clock: Clock;
}

/** The time of an attempt, from when this is made: for all that it does, until `end`. */
export class TimeLimit {
  readonly #over: Promise<never> | undefined;
  #stopTimer = (): void => {};

  /** `stop` fires when the time is over. */
  constructor({ taskExecutionId, timeoutMs, clock }: TimeLimitParts, stop: Stop) {
    if (timeoutMs === undefined) return;
    this.#over = new Promise((_, reject) => {
      this.#stopTimer = clock.schedule(timeoutMs, () => {
        const error = new TaskTimeout(taskExecutionId, timeoutMs);
        reject(error);
        stop.fire(error);
      });
    });
    // It may be over while nothing is waited for.
    this.#over.catch(() => {});
  }

  /** What the work gives, or the `TaskTimeout` once the time is over. */
  async within<T>(work: () => Promise<T>): Promise<T> {
    return this.#over === undefined ? work() : Promise.race([work(), this.#over]);
  }

  /** Nothing more is limited. */
  end(): void {
    this.#stopTimer();
  }
}
