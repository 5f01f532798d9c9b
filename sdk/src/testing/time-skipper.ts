import { Method } from '../rpc/methods.js';
import { runDry } from '../runtime/run-dry.js';
import type { EmbeddedTransport } from '../transport/embedded.js';
import { realPause } from './real-time.js';
import type { VirtualClock } from './virtual-clock.js';

/** So often the event loop may turn before the next look is left to a timer: most work takes no longer. */
const TURNS_BEFORE_A_PAUSE = 64;
const LONGEST_PAUSE_MS = 8;

interface Advance {
  readonly untilMs: number;
  readonly resolve: () => void;
}

/**
 * Skips time in a world of one embedded engine, its clients and its workers: only while test code waits, and while
 * nothing but time can bring anything about.
 *
 * ```text
 * test code waits: a call for a result is parked, or `advance` was called
 *   calls are on their way, workflow code, an operation or a task runs  -> time flows with the machine
 *   every call is parked, nothing runs                                  -> to the next thing that is due
 *                                                                          nothing is due: wait for who knows what
 * ```
 */
export class TimeSkipper {
  readonly #clock: VirtualClock;
  readonly #transport: () => EmbeddedTransport | undefined;
  readonly #advances = new Set<Advance>();
  #isRunning = false;
  #isStopped = false;

  /** `transport` gives the engine once it is there. */
  constructor(clock: VirtualClock, transport: () => EmbeddedTransport | undefined) {
    this.#clock = clock;
    this.#transport = transport;
  }

  /** A call began to wait. */
  parked(method: string): void {
    if (method === Method.AwaitResult) this.#start();
  }

  /** Lets this much time pass; resolves when all that it brings about has been done. */
  advance(ms: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.#advances.add({ untilMs: this.#clock.nowMs() + ms, resolve });
      this.#start();
    });
  }

  /** Lets time pass until the next thing is due, once all that can happen before has been done. */
  async advanceToNext(): Promise<void> {
    await this.advance(0);
    const { nextMs } = this.#clock;
    if (nextMs === undefined) await realPause(LONGEST_PAUSE_MS);
    else await this.advance(nextMs - this.#clock.nowMs());
  }

  /** From now on time flows with the machine. */
  stop(): void {
    this.#isStopped = true;
    this.#clock.flow(true);
    for (const { resolve } of this.#advances) resolve();
    this.#advances.clear();
  }

  #start(): void {
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    void this.#run();
  }

  get #isWaitedFor(): boolean {
    return !this.#isStopped && (this.#advances.size > 0 || this.#isForResult);
  }

  get #isForResult(): boolean {
    return this.#transport()?.isParked(Method.AwaitResult) === true;
  }

  async #run(): Promise<void> {
    for (let idle = 0; this.#isWaitedFor; idle += 1) {
      await (idle < TURNS_BEFORE_A_PAUSE ? runDry() : realPause(Math.min(LONGEST_PAUSE_MS, idle / 64)));
      if (await this.#step()) idle = 0;
    }
    this.#isRunning = false;
    if (!this.#isStopped) this.#clock.flow(false);
  }

  /** Whether time has passed. */
  async #step(): Promise<boolean> {
    if (!this.#isWaitedFor) return false;
    const clock = this.#clock;
    const isQuiet = !clock.isHeld && this.#transport()?.isStill !== false;
    clock.flow(!isQuiet);
    if (!isQuiet) return false;
    const { nextMs } = clock;
    const untilMs = Math.min(...[...this.#advances].map((advance) => advance.untilMs));
    if (nextMs !== undefined && (this.#isForResult || nextMs <= untilMs)) {
      await clock.moveTo(Math.max(nextMs, clock.nowMs()));
      return true;
    }
    if (untilMs === Number.POSITIVE_INFINITY) return false;
    if (untilMs > clock.nowMs()) await clock.moveTo(untilMs);
    else this.#finish();
    return true;
  }

  #finish(): void {
    for (const advance of this.#advances) {
      if (advance.untilMs > this.#clock.nowMs()) continue;
      this.#advances.delete(advance);
      advance.resolve();
    }
  }
}
