import type { Clock, ScheduleOptions } from '../../src/runtime/clock.js';

interface Entry {
  readonly atMs: number;
  readonly callback: () => void;
  readonly keepAlive: boolean;
}

/** When a manual clock begins, in milliseconds since 1970. */
export const START_MS = 1_000_000;

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #nowMs = START_MS;
  readonly #entries = new Set<Entry>();

  nowMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void, options: ScheduleOptions = {}): () => void {
    const entry = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      callback,
      keepAlive: options.keepAlive ?? true,
    };
    this.#entries.add(entry);
    return () => this.#entries.delete(entry);
  }

  /** How many calls are scheduled: all, and those that a process waits for. */
  get scheduled(): { all: number; keepAlive: number } {
    const entries = [...this.#entries];
    return { all: entries.length, keepAlive: entries.filter((entry) => entry.keepAlive).length };
  }

  /** Moves on to what is due next, if anything is. */
  advanceToNext(): void {
    const times = [...this.#entries].map((entry) => entry.atMs);
    if (times.length > 0) this.advance(Math.max(0, Math.min(...times) - this.#nowMs));
  }

  /** Moves on, making every call that is due on the way at its time. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#entries]
        .filter((entry) => entry.atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      this.#entries.delete(due);
      due.callback();
    }
    this.#nowMs = endMs;
  }
}
