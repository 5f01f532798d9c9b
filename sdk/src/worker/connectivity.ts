import { FlovynError } from '../errors.js';
import { textOf } from '../errors/base.js';
import type { Logger } from '../logger.js';
import type { Clock } from '../runtime/clock.js';
import type { WorkerEvents } from './events.js';

/** Is told of the beginning and the end of outages. */
export type OutageListener = <Event extends 'disconnected' | 'reconnected'>(
  event: Event,
  value: WorkerEvents[Event],
) => void;

/** Whether the server can be polled. An outage is one line and one event, however many loops of polls meet it. */
export class Connectivity {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #tell: OutageListener;
  /** The loops whose last poll has failed. */
  readonly #out = new Set<string>();
  #sinceMs = 0;

  constructor(clock: Clock, logger: Logger, tell: OutageListener) {
    this.#clock = clock;
    this.#logger = logger;
    this.#tell = tell;
  }

  /** A poll for `what` has failed. */
  failed(what: string, error: unknown): void {
    const text = `the server cannot be polled for ${what}, trying again until it can: ${textOf(error)}`;
    const isFirst = this.#out.size === 0;
    this.#out.add(what);
    if (!isFirst) return this.#logger.debug(text);
    this.#sinceMs = this.#clock.nowMs();
    this.#logger.warn(text);
    this.#tell('disconnected', { error: error instanceof Error ? error : new FlovynError(textOf(error)) });
  }

  /** A poll for `what` has succeeded. */
  succeeded(what: string): void {
    if (!this.#out.delete(what) || this.#out.size > 0) return;
    const outageMs = this.#clock.nowMs() - this.#sinceMs;
    this.#logger.info(`the server can be polled again, after ${Math.round(outageMs / 1_000)} s`);
    this.#tell('reconnected', { outageMs });
  }
}
