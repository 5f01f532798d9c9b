import type { Clock, ScheduleOptions } from '../../src/runtime/clock.js';

interface Entry {
  readonly atMs: number;
  readonly callback: () => void;
  readonly keepAlive: boolean;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #nowMs = 1_000_000;
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
