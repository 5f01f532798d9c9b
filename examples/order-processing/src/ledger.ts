/** One attempt of a step. `key` is the same for all attempts of one step. */
export interface Attempt {
  readonly step: string;
  readonly orderId: string;
  readonly key: string;
  readonly attempt: number;
}

/** A line of the ledger: an attempt began, or its effect took place. */
export type LedgerLine =
  | (Attempt & { readonly type: 'attempt' })
  | (Attempt & { readonly type: 'effect'; readonly result: unknown });

/** Where the lines are kept. */
export interface LedgerStore {
  append(line: LedgerLine): Promise<void>;
  lines(): Promise<readonly LedgerLine[]>;
}

/** Lines in memory, as long as the process lives. */
export class MemoryStore implements LedgerStore {
  readonly #lines: LedgerLine[] = [];

  async append(line: LedgerLine): Promise<void> {
    this.#lines.push(line);
  }

  async lines(): Promise<readonly LedgerLine[]> {
    return this.#lines;
  }
}

/**
 * Stands in for the payment provider, the warehouse and the carrier. As they do, it takes an idempotency key and
 * performs each effect once, however often it is asked.
 */
export class Ledger {
  store: LedgerStore = new MemoryStore();
  /** How long a request travels, and its answer. */
  latencyMs = 20;

  /** Performs the effect, or gives the result of the time when it was performed. */
  async once<T>(attempt: Attempt, effect: () => T): Promise<T> {
    await this.store.append({ ...attempt, type: 'attempt' });
    await this.#travel();
    const result = await this.#perform(attempt, effect);
    await this.#travel();
    return result;
  }

  async #perform<T>(attempt: Attempt, effect: () => T): Promise<T> {
    for (const line of await this.store.lines()) {
      if (line.type === 'effect' && line.key === attempt.key) return line.result as T;
    }
    const result = effect();
    await this.store.append({ ...attempt, type: 'effect', result });
    return result;
  }

  #travel(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.latencyMs));
  }
}

/** The ledger that the tasks of this process use. */
export const ledger = new Ledger();
