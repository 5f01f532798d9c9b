import type { Driver } from '../workflow/driver.js';
import type { ExecutionCacheLimits } from './cache-metrics.js';

/**
 * What the promises, closures and context of a suspended function take in JavaScript beside what the core holds.
 * Measured with a function that waits for a task (`tests/bench/suspended.mjs`); what it keeps in its own variables is not
 * known.
 */
const BYTES_IN_JAVASCRIPT = 8 * 1024;

/** A driver that is suspended, as the cache sees it. */
export type Suspended = Pick<Driver, 'close' | 'isContinuable'> & {
  readonly activation: { readonly memoryBytes: number };
};

/**
 * Suspended executions, by id. An execution that is continued is taken out, and put back when it is suspended again;
 * if there is no room the one is closed that has been suspended for the longest time.
 */
export class ExecutionCache<D extends Suspended = Driver> {
  readonly #limits: ExecutionCacheLimits;
  // In the order in which they were put: the first is the one that was used least recently.
  readonly #entries = new Map<string, { readonly driver: D; readonly bytes: number }>();
  #bytes = 0;
  #evictions = 0;

  constructor(limits: ExecutionCacheLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many were let go for want of room. */
  get evictions(): number {
    return this.#evictions;
  }

  /** Keeps a driver that has been suspended, or closes it if it cannot be kept. */
  put(executionId: string, driver: D): void {
    // Under a lost claim the same execution may have been run twice at once.
    this.take(executionId)?.close();
    if (this.#limits.maxCount === 0 || !driver.isContinuable) return driver.close();
    const bytes = driver.activation.memoryBytes + BYTES_IN_JAVASCRIPT;
    this.#entries.set(executionId, { driver, bytes });
    this.#bytes += bytes;
    this.#makeRoom();
  }

  /** Takes an execution out, if it is here. Whoever takes it puts it back or closes it. */
  take(executionId: string): D | undefined {
    const entry = this.#entries.get(executionId);
    if (entry === undefined) return undefined;
    this.#entries.delete(executionId);
    this.#bytes -= entry.bytes;
    return entry.driver;
  }

  /** Closes all. */
  clear(): void {
    for (const executionId of this.#entries.keys()) this.take(executionId)?.close();
  }

  #makeRoom(): void {
    const { maxCount, maxBytes } = this.#limits;
    for (const executionId of this.#entries.keys()) {
      if (this.#entries.size <= maxCount && this.#bytes <= maxBytes) return;
      this.take(executionId)?.close();
      this.#evictions += 1;
    }
  }
}
