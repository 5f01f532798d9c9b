import { ConfigurationError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { WorkerEvents, WorkerListener } from './events.js';

const NAMES: readonly string[] = Object.keys({
  start: true,
  pause: true,
  resume: true,
  stop: true,
  workflowStarted: true,
  workflowCompleted: true,
  workflowFailed: true,
  workflowCancelled: true,
  violation: true,
  taskStarted: true,
  taskCompleted: true,
  taskFailed: true,
  taskAbandoned: true,
  conflict: true,
  disconnected: true,
  reconnected: true,
} satisfies Record<keyof WorkerEvents, true>);

/** Tells listeners of the events of a worker. Their errors are logged and change nothing. */
export class Emitter {
  readonly #logger: Logger;
  readonly #listeners = new Map<keyof WorkerEvents, Set<Entry>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Adds a listener; one that is added twice is told twice. Returns how to take it away. */
  on<Event extends keyof WorkerEvents>(event: Event, listener: WorkerListener<Event>): () => void {
    if (!NAMES.includes(event))
      throw new ConfigurationError(`Worker: unknown event "${event}", expected one of ${NAMES.join(', ')}`);
    if (typeof listener !== 'function')
      throw new ConfigurationError(
        `Worker: the listener of "${event}" must be a function, got ${typeof listener}`,
      );
    const entry: Entry = { listener };
    const entries = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, entries.add(entry));
    return () => void entries.delete(entry);
  }

  /** Tells everybody who listens. */
  emit<Event extends keyof WorkerEvents>(event: Event, value: WorkerEvents[Event]): void {
    for (const { listener } of this.#listeners.get(event) ?? []) {
      callOutside(this.#logger, `a listener of the worker's event "${event}"`, () =>
        listener(value as never),
      );
    }
  }
}

interface Entry {
  readonly listener: WorkerListener<never>;
}

/** Calls code of the user whose errors are nobody's but the log's; it may be an async function. */
export function callOutside(logger: Logger, what: string, call: () => unknown): void {
  (async () => call())().catch((error: unknown) => logger.error(`${what} threw an error`, error));
}
