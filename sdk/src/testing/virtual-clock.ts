import type { Clock, ScheduleOptions } from '../runtime/clock.js';
import { runDry } from '../runtime/run-dry.js';
import { afterRealMs } from './real-time.js';

interface Entry {
  readonly atMs: number;
  readonly callback: () => void;
  readonly upkeep: boolean;
  /** When it is due by the machine, while time flows. */
  realMs: number;
}

/**
 * A clock that stands still until it is moved.
 *
 * ```text
 * still --moveTo--> still            every call that is due is made
 * still --flow(true)--> flowing      calls are made when the machine has waited as long; in between it shows no movement
 * flowing --flow(false)--> still
 * ```
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  readonly #entries = new Set<Entry>();
  #holds = 0;
  #isFlowing = false;
  #stopFlow = (): void => {};

  /** It begins at this time, in milliseconds since 1970. */
  constructor(startMs: number) {
    this.#nowMs = Math.trunc(startMs);
  }

  nowMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void, options: ScheduleOptions = {}): () => void {
    const atMs = this.#nowMs + Math.max(0, Math.ceil(delayMs));
    const realMs = performance.now() + (atMs - this.#nowMs);
    const entry = { atMs, callback, upkeep: options.upkeep === true, realMs };
    this.#entries.add(entry);
    // What is due now needs no movement.
    if (atMs === this.#nowMs) void runDry().then(() => this.#make(entry));
    else if (this.#isFlowing) this.#armFlow();
    return () => this.#entries.delete(entry);
  }

  hold(): () => void {
    let isHeld = true;
    this.#holds += 1;
    return () => {
      if (isHeld) this.#holds -= 1;
      isHeld = false;
    };
  }

  /** Whether something works that time must not be skipped over. */
  get isHeld(): boolean {
    return this.#holds > 0;
  }

  /** When the next call is due that is more than upkeep. */
  get nextMs(): number | undefined {
    let nextMs: number | undefined;
    for (const { atMs, upkeep } of this.#entries)
      if (!upkeep && (nextMs === undefined || atMs < nextMs)) nextMs = atMs;
    return nextMs;
  }

  /** Whether it moves with the machine, as far as a call is due. */
  flow(flows: boolean): void {
    if (this.#isFlowing === flows) return;
    this.#isFlowing = flows;
    this.#stopFlow();
    if (!flows) return;
    const realMs = performance.now();
    for (const entry of this.#entries) entry.realMs = realMs + (entry.atMs - this.#nowMs);
    this.#armFlow();
  }

  /**
   * Moves on and makes the calls that are due, upkeep first: signs of life belong to the time before. Calls that were
   * passed on the way, as upkeep may be, are made once.
   */
  async moveTo(ms: number): Promise<void> {
    this.#nowMs = Math.max(this.#nowMs, ms);
    const due = this.#due();
    const upkeep = due.filter((entry) => entry.upkeep);
    for (const entry of upkeep) this.#make(entry);
    if (upkeep.length > 0) await runDry();
    for (const entry of due) this.#make(entry);
  }

  #due(): Entry[] {
    return [...this.#entries].filter(({ atMs }) => atMs <= this.#nowMs).sort((a, b) => a.atMs - b.atMs);
  }

  /** Makes a call, unless that was done or it was called off. */
  #make(entry: Entry): void {
    if (this.#entries.delete(entry)) entry.callback();
  }

  #armFlow(): void {
    this.#stopFlow();
    let next: Entry | undefined;
    for (const entry of this.#entries) if (next === undefined || entry.realMs < next.realMs) next = entry;
    if (next === undefined) return;
    this.#flowTo(next);
  }

  #flowTo(next: Entry): void {
    this.#stopFlow = afterRealMs(next.realMs - performance.now(), () => {
      if (next.realMs <= performance.now() + 1 && this.#entries.has(next)) {
        this.#nowMs = Math.max(this.#nowMs, next.atMs);
        this.#make(next);
      }
      if (this.#isFlowing) this.#armFlow();
    });
  }
}
