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
  /** The pause after an empty answer that came at once, in milliseconds. */
  readonly emptyPauseMs: number;
  /** Waits for work; undefined if none came in time. */
  readonly poll: (signal: AbortSignal) => Promise<Work | undefined>;
  /** Does the work. Must not reject. */
  readonly work: (work: Work) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An empty answer that took less than this was no long poll. */
const SHORT_POLL_MS = 500;

/**
 * Polls for work for as long as there is room for more of it. The next poll follows at once; only failures,
 * and empty answers of servers that do not wait, are followed by a pause.
 */
export class PollLoop<Work> {
  readonly #parts: PollLoopParts<Work>;
  readonly #controller = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #backoff = new Backoff();
  #loop: Promise<void> | undefined;
  #onRoom: (() => void) | undefined;

  constructor(parts: PollLoopParts<Work>) {
    this.#parts = parts;
  }

  /** Begins to poll. */
  start(): void {
    this.#loop ??= this.#poll();
  }

  /** Claims nothing more: ends the poll under way. Work under way goes on. */
  async stop(): Promise<void> {
    this.#controller.abort();
    this.#onRoom?.();
    await this.#loop;
  }

  /** Resolves when all work under way has ended. */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #poll(): Promise<void> {
    const { signal } = this.#controller;
    while (!signal.aborted) {
      const pauseMs = await this.#pollOnce(signal);
      if (pauseMs > 0) await pause(this.#parts.clock, pauseMs, signal);
      await this.#room();
    }
  }

  /** Polls and starts what came. The pause before the next poll in milliseconds. */
  async #pollOnce(signal: AbortSignal): Promise<number> {
    const { clock, poll, emptyPauseMs } = this.#parts;
    const startedMs = clock.nowMs();
    try {
      const work = await poll(signal);
      this.#succeeded();
      if (work !== undefined) this.#start(work);
      else if (clock.nowMs() - startedMs < SHORT_POLL_MS) return emptyPauseMs;
      return 0;
    } catch (error) {
      return signal.aborted ? 0 : this.#failed(error);
    }
  }

  #start(work: Work): void {
    const running = this.#parts.work(work).finally(() => {
      this.#running.delete(running);
      this.#onRoom?.();
    });
    this.#running.add(running);
  }

  async #room(): Promise<void> {
    while (this.#running.size >= this.#parts.maxConcurrent && !this.#controller.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve;
      });
    }
  }

  #succeeded(): void {
    if (this.#backoff.failures > 0) this.#parts.logger.info(`polling for ${this.#parts.what} works again`);
    this.#backoff.reset();
  }

  #failed(error: unknown): number {
    const { what, logger } = this.#parts;
    if (error instanceof EngineFailed) {
      logger.error(`polling for ${what} has ended: ${error.message}`, error);
      this.#controller.abort(error);
      return 0;
    }
    // One line for an outage, however long it is.
    const level = this.#backoff.failures === 0 ? 'warn' : 'debug';
    logger[level](`polling for ${what} failed, trying again until it works: ${textOf(error)}`);
    return this.#backoff.nextMs();
  }
}
