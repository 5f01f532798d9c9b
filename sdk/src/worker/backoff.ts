/** Pauses between attempts of something that fails: exponential with full jitter. */
export class Backoff {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #failures = 0;

  /** The pause is anything up to `baseMs`, then up to twice that, and so on, never more than `maxMs`. */
  constructor(baseMs: number = 1_000, maxMs: number = 60_000, random: () => number = Math.random) {
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** How many failures there were since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure; the pause before the next attempt in milliseconds. */
  nextMs(): number {
    const capMs = Math.min(this.#maxMs, this.#baseMs * 2 ** this.#failures);
    this.#failures += 1;
    return capMs * this.#random();
  }

  /** Counts a success. */
  reset(): void {
    this.#failures = 0;
  }
}
