import { EngineFailed } from '../errors.js';
import type { Clock } from '../runtime/clock.js';
import { pause } from '../runtime/pause.js';
import { runDry } from '../runtime/run-dry.js';
import { Backoff } from './backoff.js';
import type { PollCounts } from './poll-counts.js';
import type { Claimant, Sweep } from './sweep.js';

/** What a poll loop is made of. */
export interface PollLoopParts<Work> {
  /** What is polled for. */
  readonly what: 'workflows' | 'tasks';
  /** How many pieces of work may be under way at once. */
  readonly maxConcurrent: number;
  /** How many polls wait while no work is under way, and never more than there is room for. */
  readonly maxPolls: () => number;
  /** How long polls may still be answered when nothing more is to be claimed, in milliseconds; 0 ends them at once. */
  readonly settleMs: number;
  /** The pause after an empty answer that came at once, in milliseconds. */
  readonly emptyPauseMs: number;
  /** Waits for work, so long on the server; undefined if none came in time. */
  readonly poll: (signal: AbortSignal, seconds: number) => Promise<Work | undefined>;
  /** Does the work; gives what the server answered its end with: the next piece. Must not reject. */
  readonly work: (work: Work) => Promise<Work | undefined>;
  /** Gives work back that came when nothing more was to be claimed. Must not reject. */
  readonly giveBack: (work: Work) => Promise<void>;
  readonly clock: Clock;
  readonly counts: PollCounts;
  readonly watcher: PollWatcher;
}

/** Is told how it goes with the polls of some loops. */
export interface PollWatcher {
  /** A poll failed, which may pass. */
  failed(what: string, error: unknown): void;
  /** A poll succeeded. */
  succeeded(what: string): void;
  /** A poll failed in a way that never passes, and the loop has ended. */
  ended(what: string, error: Error): void;
}

/** How long one poll waits on the server. */
export const POLL_SECONDS = 30;
/** In an outage, so that a server that has nothing to do is soon known to be there. */
const PROBE_SECONDS = 1;
/** A loop that had no work for so long has nothing to do. */
const BUSY_MS = 1_000;
/** An empty answer that took less than this was no long poll. */
const SHORT_POLL_MS = 500;

/**
 * Polls for work for as long as there is room for more of it, with several polls at once so that a burst of work does
 * not come one round trip after the other. The next poll follows at once; only failures, and empty answers of servers
 * that do not wait, are followed by a pause.
 *
 * A piece of work whose end was answered with the next piece hands its place on to it. So each counts as a poll to come,
 * and the more are under way the fewer others wait: what they would be given costs no call of its own then.
 *
 * ```text
 * new --start--> polling --pause--> paused --start--> polling ..
 *                polling, paused --stop--> stopped
 * ```
 */
export class PollLoop<Work> implements Claimant {
  readonly #parts: PollLoopParts<Work>;
  /** Ends the polls that are under way; each time the loop polls again it has another one. */
  #controller = new AbortController();
  #state: 'new' | 'polling' | 'paused' | 'stopped' = 'new';
  readonly #running = new Set<Promise<void>>();
  readonly #backoff = new Backoff();
  readonly #polls = new Set<Promise<void>>();
  /** What the polls wait for, unless they pause. */
  readonly #calls = new Set<Promise<unknown>>();
  #isOut = false;
  /** One poll looks whether an outage is over, and waits before it does. */
  #isProbing = false;
  /** What it polls for while it does not poll by itself. */
  #sweep: Sweep | undefined;
  #lastWorkMs = Number.NEGATIVE_INFINITY;

  constructor(parts: PollLoopParts<Work>) {
    this.#parts = parts;
  }

  /** Begins to poll, also again after a pause. */
  start(): void {
    if (this.#state === 'stopped') return;
    if (this.#state === 'paused') this.#controller = new AbortController();
    this.#state = 'polling';
    // In an outage it need not wait as long as when nobody asked for it.
    this.#backoff.reset();
    this.#fill();
  }

  /** Claims nothing more until the next start: ends the polls under way. Work under way goes on. */
  async pause(): Promise<void> {
    if (this.#state !== 'stopped') this.#state = 'paused';
    await this.#endPolls();
  }

  /** As `pause`, for good. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    await this.#endPolls();
  }

  /** Whether the end of a piece of work asks for the next one. */
  get asksForNext(): boolean {
    return this.#sweep === undefined ? this.#isPolling : this.#sweep.mayChain;
  }

  /** Whether work that comes is kept. */
  get #isClaiming(): boolean {
    return this.#sweep === undefined ? this.#isPolling : this.#sweep.isOpen;
  }

  get #isPolling(): boolean {
    return this.#state === 'polling';
  }

  /** Every poll may bring work. */
  get hasRoom(): boolean {
    return this.#running.size + this.#polls.size < this.#parts.maxConcurrent;
  }

  async take(sweep: Sweep): Promise<boolean> {
    this.#sweep = sweep;
    const taken = this.#takeOnce(sweep);
    const poll = settled(taken);
    this.#polls.add(poll);
    try {
      return await taken;
    } finally {
      this.#polls.delete(poll);
    }
  }

  async #takeOnce(sweep: Sweep): Promise<boolean> {
    const { poll, counts } = this.#parts;
    const answered = sweep.polls();
    try {
      const work = await this.#call(poll(this.#controller.signal, 0));
      counts[work === undefined ? 'empty' : 'withWork'] += 1;
      if (work !== undefined) this.#start(work);
      return work !== undefined;
    } catch (error) {
      counts.failed += 1;
      throw error;
    } finally {
      answered();
    }
  }

  /** How many polls wait. */
  get waiting(): number {
    return this.#polls.size;
  }

  /** Resolves when all work under way has ended. */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /**
   * What is claimed by an answer that is on its way when its poll is ended is nobody's until the lease is over. So while
   * there is much to do, and answers come often, polls may be answered for a moment; what they bring is given back.
   */
  async #endPolls(): Promise<void> {
    const controller = this.#controller;
    if (this.#parts.settleMs > 0) await this.#settle();
    controller.abort();
    await Promise.all(this.#polls);
  }

  async #settle(): Promise<void> {
    const { clock, settleMs } = this.#parts;
    const isBusy = this.#running.size > 0 || clock.nowMs() - this.#lastWorkMs < BUSY_MS;
    const answered = new AbortController();
    void Promise.allSettled(this.#calls).then(() => answered.abort());
    if (isBusy) await pause(clock, settleMs, answered.signal);
    // What has arrived may not have been read: timers come before that in a turn of the event loop.
    await runDry();
  }

  #fill(): void {
    while (this.#isPollMissing) {
      const isProbe = this.#isOut;
      if (isProbe) this.#isProbing = true;
      const poll = (isProbe ? this.#probe() : this.#poll(POLL_SECONDS)).finally(() => {
        if (isProbe) this.#isProbing = false;
        this.#polls.delete(poll);
        this.#fill();
      });
      this.#polls.add(poll);
    }
  }

  get #isPollMissing(): boolean {
    if (!this.#isPolling || !this.hasRoom) return false;
    const most = Math.max(1, this.#parts.maxPolls() - this.#running.size);
    return this.#isOut ? !this.#isProbing : this.#polls.size < most;
  }

  /** Polls after a pause, unless a poll from before the outage has come through by then. */
  async #probe(): Promise<void> {
    const { signal } = this.#controller;
    await pause(this.#parts.clock, this.#backoff.nextMs(), signal);
    if (this.#isOut && !signal.aborted) await this.#poll(PROBE_SECONDS);
  }

  async #poll(seconds: number): Promise<void> {
    const { clock, poll, emptyPauseMs, counts } = this.#parts;
    const { signal } = this.#controller;
    const startedMs = clock.nowMs();
    try {
      const work = await this.#call(poll(signal, seconds));
      this.#succeeded();
      counts[work === undefined ? 'empty' : 'withWork'] += 1;
      if (work !== undefined) this.#start(work);
      else if (clock.nowMs() - startedMs < SHORT_POLL_MS) await pause(clock, emptyPauseMs, signal);
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
    }
  }

  async #call<T>(call: Promise<T>): Promise<T> {
    this.#calls.add(call);
    try {
      return await call;
    } finally {
      this.#calls.delete(call);
    }
  }

  #start(work: Work): void {
    this.#lastWorkMs = this.#parts.clock.nowMs();
    const running = this.#runAll(work).finally(() => {
      this.#running.delete(running);
      this.#fill();
    });
    this.#running.add(running);
  }

  async #runAll(first: Work): Promise<void> {
    const { work, giveBack, counts } = this.#parts;
    let current: Work | undefined = first;
    while (current !== undefined) {
      if (!this.#isClaiming) {
        counts.givenBack += 1;
        return giveBack(current);
      }
      this.#sweep?.begins(this.#parts.what);
      current = await work(current);
      if (current !== undefined) counts.chained += 1;
      this.#sweep?.ends();
    }
  }

  #succeeded(): void {
    this.#isOut = false;
    this.#backoff.reset();
    this.#parts.watcher.succeeded(this.#parts.what);
  }

  #failed(error: unknown): void {
    const { what, watcher, counts } = this.#parts;
    counts.failed += 1;
    if (!(error instanceof EngineFailed)) {
      this.#isOut = true;
      return watcher.failed(what, error);
    }
    this.#state = 'stopped';
    this.#controller.abort();
    watcher.ended(what, error);
  }
}

async function settled(promise: Promise<unknown>): Promise<void> {
  await Promise.allSettled([promise]);
}
