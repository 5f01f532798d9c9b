import { Duration } from '../../duration.js';
import type { CancellablePromise } from '../../workflow/handle-types.js';
import { track, type Writable } from './results.js';
import type { TrackedTimer } from './types.js';
import type { VirtualClock } from '../virtual-clock.js';

/** The timers that the code of an execution started. */
export class MockTimers {
  readonly tracked: Writable<TrackedTimer>[] = [];
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** A timer was started for so long. */
  started(timer: CancellablePromise<void>, duration: Duration): CancellablePromise<void> {
    const tracked: Writable<TrackedTimer> = { duration, firedAt: undefined };
    this.tracked.push(tracked);
    track(
      timer,
      () => void (tracked.firedAt = new Date(this.#clock.nowMs())),
      () => {},
    );
    return timer;
  }

  /** A timer was started until then. */
  startedUntil(timer: CancellablePromise<void>, time: Date): CancellablePromise<void> {
    const leftMs = Math.max(0, time.getTime() - this.#clock.nowMs());
    return this.started(timer, Duration.milliseconds(leftMs));
  }
}
