import { EngineFailed } from '../errors.js';
import { textOf } from '../errors/base.js';
import type { Logger } from '../logger.js';
import type { Clock } from '../runtime/clock.js';
import { pause } from '../runtime/pause.js';
import { Backoff } from './backoff.js';

/** What a poll loop is made of. */
export interface PollLoopParts<Work> {
  /** What is polled for, for logs: `workflows`. */
  readonly what: string;
  /** How many pieces of work may be under way at once. */
  readonly maxConcurrent: number;
  /** How many polls wait while no work is under way, and never more than there is room for. */
  readonly maxPolls: () => number;
  /** The pause after an empty answer that came at once, in milliseconds. */
  readonly emptyPauseMs: number;
  /** Waits for work; undefined if none came in time. */
  readonly poll: (signal: AbortSignal) => Promise<Work | undefined>;
  /** Does the work; gives what the server answered its end with: the next piece. Must not reject. */
  readonly work: (work: Work) => Promise<Work | undefined>;
  /** Gives work back that came when nothing more was to be claimed. Must not reject. */
  readonly giveBack: (work: Work) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An empty answer that took less than this was no long poll. */
const SHORT_POLL_MS = 500;

/**
 * Polls for work for as long as there is room for more of it, with several polls at once so that a burst of work does
 * not come one round trip after the other. The next poll follows at once; only failures, and empty answers of servers
 * that do not wait, are followed by a pause.
 *
 * A piece of work whose end was answered with the next piece hands its place on to it. So each counts as a poll to come,
 * and the more are under way the fewer others wait: what they would be given costs no call of its own then.
 */
export class PollLoop<Work> {
  readonly #parts: PollLoopParts<Work>;
  readonly #controller = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #backoff = new Backoff();
  readonly #polls = new Set<Promise<void>>();
  #isOut = false;

  constructor(parts: PollLoopParts<Work>) {
    this.#parts = parts;
  }

  /** Begins to poll. */
  start(): void {
    while (this.#isPollMissing) {
      const poll = this.#poll().finally(() => {
        this.#polls.delete(poll);
        this.start();
      });
      this.#polls.add(poll);
    }
  }

  /** Claims nothing more: ends the polls under way. Work under way goes on. */
  async stop(): Promise<void> {
    this.#controller.abort();
    await Promise.all(this.#polls);
  }

  /** Whether nothing more is to be claimed. */
  get hasStopped(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Resolves when all work under way has ended. */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  get #isPollMissing(): boolean {
    const { maxConcurrent, maxPolls } = this.#parts;
    // Every poll may bring work.
    const hasRoom = this.#running.size + this.#polls.size < maxConcurrent;
    const most = Math.max(1, maxPolls() - this.#running.size);
    return !this.hasStopped && !this.#isOut && hasRoom && this.#polls.size < most;
  }

  /** Polls once; the first to fail in an outage polls alone until one succeeds. */
  async #poll(): Promise<void> {
    if (!(await this.#pollOnce())) return;
    while (this.#isOut && !this.hasStopped) {
      await pause(this.#parts.clock, this.#backoff.nextMs(), this.#controller.signal);
      // A poll from before the outage may have come through.
      if (this.#isOut && !this.hasStopped) await this.#pollOnce();
    }
  }

  /** True if it is the first to fail in an outage. */
  async #pollOnce(): Promise<boolean> {
    const { clock, poll, emptyPauseMs } = this.#parts;
    const startedMs = clock.nowMs();
    try {
      const work = await poll(this.#controller.signal);
      this.#succeeded();
      if (work !== undefined) this.#start(work);
      else if (clock.nowMs() - startedMs < SHORT_POLL_MS)
        await pause(clock, emptyPauseMs, this.#controller.signal);
      return false;
    } catch (error) {
      return !this.hasStopped && this.#failed(error);
    }
  }

  #start(work: Work): void {
    const running = this.#runAll(work).finally(() => {
      this.#running.delete(running);
      this.start();
    });
    this.#running.add(running);
  }

  async #runAll(first: Work): Promise<void> {
    let work: Work | undefined = first;
    while (work !== undefined) {
      if (this.hasStopped) return this.#parts.giveBack(work);
      work = await this.#parts.work(work);
    }
  }

  #succeeded(): void {
    if (this.#isOut) this.#parts.logger.info(`polling for ${this.#parts.what} works again`);
    this.#isOut = false;
    this.#backoff.reset();
  }

  /** True if an outage begins with it. */
  #failed(error: unknown): boolean {
    const { what, logger } = this.#parts;
    if (error instanceof EngineFailed) {
      logger.error(`polling for ${what} has ended: ${error.message}`, error);
      this.#controller.abort(error);
      return false;
    }
    // One line for an outage, however long it is.
    const isFirst = !this.#isOut;
    this.#isOut = true;
    logger[isFirst ? 'warn' : 'debug'](
      `polling for ${what} failed, trying again until it works: ${textOf(error)}`,
    );
    return isFirst;
  }
}
