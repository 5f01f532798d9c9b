const FIRST_MS = 1_000;
const LONGEST_MS = 5 * 60_000;
const REMEMBERED = 10_000;

/** How long executions that cannot go on are left alone: twice as long each time, at most 5 minutes. */
export class Parking {
  readonly #parks = new Map<string, number>();
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** How often the execution was parked since it last went on. */
  parksOf(executionId: string): number {
    return this.#parks.get(executionId) ?? 0;
  }

  /** Counts a park; how long it is to last in milliseconds. */
  nextMs(executionId: string): number {
    const parks = this.parksOf(executionId);
    // Deleted first, so that the map stays in the order of the last park and the oldest is forgotten first.
    this.#parks.delete(executionId);
    this.#parks.set(executionId, parks + 1);
    if (this.#parks.size > REMEMBERED) this.#forgetOldest();
    const longestMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** parks);
    return longestMs * (0.5 + 0.5 * this.#random());
  }

  /** The execution went on. */
  forget(executionId: string): void {
    this.#parks.delete(executionId);
  }

  #forgetOldest(): void {
    for (const oldest of this.#parks.keys()) {
      this.#parks.delete(oldest);
      return;
    }
  }
}
