/** How values are spread. All are in milliseconds. */
export interface Histogram {
  /** How many there were. */
  readonly count: number;
  /** All of them together. */
  readonly sum: number;
  /** The least; 0 without any. */
  readonly min: number;
  /** The most; 0 without any. */
  readonly max: number;
  /** How many were at most `upTo`, those of the buckets before included; the last bucket ends at 5 minutes. */
  readonly buckets: readonly HistogramBucket[];
}

/** One step of a `Histogram`. */
export interface HistogramBucket {
  /** The largest value that belongs to it; the smallest is above that of the bucket before. */
  readonly upTo: number;
  /** How many values were in it. */
  readonly count: number;
}

const BOUNDS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 120_000, 300_000,
];

/** Counts durations. */
export class DurationHistogram {
  readonly #counts = BOUNDS_MS.map(() => 0);
  #count = 0;
  #sum = 0;
  #min = 0;
  #max = 0;

  add(ms: number): void {
    this.#min = this.#count === 0 ? ms : Math.min(this.#min, ms);
    this.#max = Math.max(this.#max, ms);
    this.#count += 1;
    this.#sum += ms;
    const bucket = BOUNDS_MS.findIndex((bound) => ms <= bound);
    if (bucket >= 0) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  /** What was counted so far. */
  get values(): Histogram {
    let count = 0;
    const buckets = BOUNDS_MS.map((upTo, index) => {
      count += this.#counts[index] ?? 0;
      return { upTo, count };
    });
    return { count: this.#count, sum: this.#sum, min: this.#min, max: this.#max, buckets };
  }
}
