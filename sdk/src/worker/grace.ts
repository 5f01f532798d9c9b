import type { Clock } from '../runtime/clock.js';

/** How long a shutdown waits for work under way. It can be made shorter while it runs, never longer. */
export class Grace {
  /** Resolves when it is over. */
  readonly over: Promise<void>;
  readonly #clock: Clock;
  readonly #stopTimers: (() => void)[] = [];
  #isDisposed = false;
  #end!: () => void;

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.limit(ms);
  }

  /** It ends so long from now at the latest. */
  limit(ms: number): void {
    if (!this.#isDisposed) this.#stopTimers.push(this.#clock.schedule(ms, () => this.#end()));
  }

  /** Nobody waits for it any more. */
  dispose(): void {
    this.#isDisposed = true;
    for (const stop of this.#stopTimers) stop();
  }
}
