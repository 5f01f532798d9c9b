import { ConfigurationError } from '../errors.js';
import { checkOptions } from '../options.js';
import type { Clock } from '../runtime/clock.js';
import type { CallOptions, Transport, UnaryAnswer } from '../transport/transport.js';
import type { DrainEnd, DrainOptions, DrainReport } from './drain-types.js';

/** How far a sweep may go. */
export interface SweepLimits {
  /** From the start to the end, in milliseconds. */
  readonly maxMs: number;
  /** From the start to the last claim, in milliseconds. */
  readonly claimMs: number;
  readonly maxPieces: number;
  readonly maxRequests: number;
}

/** One of the two halves of a worker, as a sweep needs it. */
export interface Claimant {
  /** Whether one more piece of work may be under way. */
  readonly hasRoom: boolean;
  /** Polls once, without waiting; true if that brought work, which is under way then. */
  take(sweep: Sweep): Promise<boolean>;
}

const RESERVE_MS = 1_000;
/** One registers the worker, one polls, and one ends what came. */
const LEAST_REQUESTS = 3;

/** The limits that options of `drain` give. Throws `ConfigurationError` for those that cannot be meant. */
export function sweepLimits(options: DrainOptions): SweepLimits {
  checkOptions('drain', options, ['maxMs', 'reserveMs', 'maxActivations', 'maxRequests', 'signal']);
  const none = Number.POSITIVE_INFINITY;
  const { maxMs = none, maxActivations = none, maxRequests = none } = options;
  const { reserveMs = Math.min(RESERVE_MS, maxMs / 2) } = options;
  if (!(maxMs > 0)) throw refusal('maxMs', 'a number of milliseconds above 0', maxMs);
  if (!(reserveMs >= 0 && reserveMs < maxMs))
    throw refusal('reserveMs', `a number of milliseconds from 0 up, less than maxMs (${maxMs})`, reserveMs);
  if (!(maxActivations >= 1)) throw refusal('maxActivations', 'a number from 1 up', maxActivations);
  if (!(maxRequests >= LEAST_REQUESTS))
    throw refusal('maxRequests', `a number from ${LEAST_REQUESTS} up`, maxRequests);
  const claimMs = maxMs === none ? none : maxMs - reserveMs;
  return { maxMs, claimMs, maxPieces: maxActivations, maxRequests };
}

function refusal(name: string, expected: string, got: unknown): ConfigurationError {
  return new ConfigurationError(`drain: ${name} must be ${expected}, got ${String(got)}`);
}

/**
 * Claims what is ready until nothing is, or a limit is reached, for a worker that does not poll all the time.
 *
 * Limits are kept by counting ahead: a piece of work under way may be answered with the next one, so each is counted
 * twice before one more is asked for.
 */
export class Sweep {
  readonly #limits: SweepLimits;
  readonly #clock: Clock;
  readonly #startedMs: number;
  #requests = 0;
  #polls = 0;
  readonly #begun = { workflows: 0, tasks: 0 };
  #ended = 0;
  #closedBy: DrainEnd | undefined;
  #onClosed = (): void => {};
  #pieceEnded = (): void => {};

  constructor(limits: SweepLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#startedMs = clock.nowMs();
  }

  /** What was done so far. */
  get counts(): Pick<DrainReport, 'activations' | 'attempts' | 'requests'> {
    const { workflows, tasks } = this.#begun;
    return { activations: workflows, attempts: tasks, requests: this.#requests };
  }

  /** How long it may still take, in milliseconds. */
  get leftMs(): number {
    return Math.max(0, this.#limits.maxMs - this.#elapsedMs);
  }

  /** Whether work that comes may be kept. */
  get isOpen(): boolean {
    return this.#closedBy === undefined && this.#elapsedMs < this.#limits.claimMs;
  }

  /** Whether the end of a piece of work that is under way may ask for the next one. */
  get mayChain(): boolean {
    return this.isOpen && this.#limitReached(0) === undefined;
  }

  /** Claims nothing more. */
  close(by: DrainEnd): void {
    this.#closedBy ??= by;
    this.#onClosed();
  }

  /** The same transport, whose requests count. */
  counted(transport: Transport): Transport {
    return new CountedTransport(transport, () => {
      this.#requests += 1;
    });
  }

  /** A poll is about to be sent; gives what to call when it was answered. */
  polls(): () => void {
    this.#polls += 1;
    return () => {
      this.#polls -= 1;
    };
  }

  /** A piece of work begins. */
  begins(what: 'workflows' | 'tasks'): void {
    this.#begun[what] += 1;
  }

  /** A piece of work has ended. */
  ends(): void {
    this.#ended += 1;
    this.#pieceEnded();
  }

  /** Gives why it ended; work may still be under way if it was closed, or its time was over. Rejects if a poll fails. */
  async run(claimants: readonly Claimant[]): Promise<DrainEnd> {
    const { claimMs } = this.#limits;
    const stopTimer =
      claimMs === Number.POSITIVE_INFINITY
        ? (): void => {}
        : this.#clock.schedule(claimMs - this.#elapsedMs, () => this.close('maxMs'));
    try {
      return await this.#run(claimants);
    } finally {
      stopTimer();
      // What comes from now on is given back.
      this.close('shutdown');
    }
  }

  async #run(claimants: readonly Claimant[]): Promise<DrainEnd> {
    for (;;) {
      const endedBefore = this.#ended;
      // Polls may not be answered: those that still wait then are ended with the worker.
      const tookWork = await this.#unlessClosed(this.#claimFrom(claimants));
      if (this.#closedBy !== undefined) return this.#closedBy;
      // What has ended meanwhile may have made something ready that an earlier poll did not see.
      if (tookWork || this.#ended > endedBefore) continue;
      if (this.#running === 0) return this.isOpen ? (this.#limitReached(1) ?? 'idle') : 'maxMs';
      const pieceEnded = new Promise<void>((resolve) => {
        this.#pieceEnded = resolve;
      });
      await this.#unlessClosed(pieceEnded);
    }
  }

  /** What the work gives, or undefined as soon as nothing more is claimed. One waits at a time. */
  #unlessClosed<T>(work: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#onClosed = () => resolve(undefined);
      work.then(resolve, reject);
    });
  }

  async #claimFrom(claimants: readonly Claimant[]): Promise<boolean> {
    const claims: Promise<boolean>[] = [];
    for (const claimant of claimants) {
      // Polls that are answered with nothing make room for others.
      if (this.#limitReached(1) !== undefined) await Promise.all(claims);
      if (this.isOpen && this.#limitReached(1) === undefined && claimant.hasRoom)
        claims.push(claimant.take(this));
    }
    return (await Promise.all(claims)).includes(true);
  }

  /** Which limit could be exceeded if so many more polls were sent, and each answer that is awaited brought work. */
  #limitReached(polls: number): DrainEnd | undefined {
    const { maxPieces, maxRequests } = this.#limits;
    const awaited = this.#polls + polls;
    // The answer to the end of a piece of work may bring the next one.
    if (this.#pieces + this.#running + awaited > maxPieces) return 'maxActivations';
    // Each piece of work is ended by a request of its own.
    const requests = this.#requests + polls + awaited + this.#running * 2;
    return requests > maxRequests ? 'maxRequests' : undefined;
  }

  get #pieces(): number {
    return this.#begun.workflows + this.#begun.tasks;
  }

  get #running(): number {
    return this.#pieces - this.#ended;
  }

  get #elapsedMs(): number {
    return this.#clock.nowMs() - this.#startedMs;
  }
}

class CountedTransport implements Transport {
  readonly #inner: Transport;
  readonly #count: () => void;

  constructor(inner: Transport, count: () => void) {
    this.#inner = inner;
    this.#count = count;
  }

  get extended(): boolean {
    return this.#inner.extended;
  }

  get isInProcess(): boolean | undefined {
    return this.#inner.isInProcess;
  }

  unary(method: string, body: Uint8Array, options?: CallOptions): Promise<UnaryAnswer> {
    this.#count();
    return this.#inner.unary(method, body, options);
  }

  serverStream(method: string, body: Uint8Array, options?: CallOptions): AsyncIterable<Uint8Array> {
    this.#count();
    return this.#inner.serverStream(method, body, options);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
