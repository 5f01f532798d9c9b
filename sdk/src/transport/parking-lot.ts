/**
 * Calls that wait until the engine has something for them, by the keys under which it wakes them. A call is here under
 * all its keys or under none.
 */
export class ParkingLot<Call extends object> {
  readonly #callsByKey = new Map<string, Set<Call>>();
  readonly #spots = new Map<Call, Spot>();

  /** How many calls are parked. */
  get size(): number {
    return this.#spots.size;
  }

  /** Every call that is parked. */
  get calls(): IterableIterator<Call> {
    return this.#spots.keys();
  }

  /** Parks a call that is not parked. */
  add(call: Call, spot: Spot): void {
    this.#spots.set(call, spot);
    for (const key of spot.keys) {
      const calls = this.#callsByKey.get(key);
      if (calls === undefined) this.#callsByKey.set(key, new Set([call]));
      else calls.add(call);
    }
  }

  /** Takes out one call, if it is parked. */
  remove(call: Call): void {
    const spot = this.#spots.get(call);
    if (spot === undefined) return;
    spot.stopTimer();
    this.#spots.delete(call);
    for (const key of spot.keys) this.#removeFrom(key, call);
  }

  /** Whether the call is parked with this deadline. */
  isUntil(call: Call, deadlineMs: number): boolean {
    return this.#spots.get(call)?.deadlineMs === deadlineMs;
  }

  /** Every call parked under a key at this moment, the one that has waited longest first. */
  under(key: string): Call[] {
    return [...(this.#callsByKey.get(key) ?? [])];
  }

  #removeFrom(key: string, call: Call): void {
    const calls = this.#callsByKey.get(key);
    calls?.delete(call);
    if (calls?.size === 0) this.#callsByKey.delete(key);
  }
}

/** How a call is parked. */
export interface Spot {
  readonly keys: readonly string[];
  /** In milliseconds since 1970. */
  readonly deadlineMs: number;
  /** Calls off the timer of the deadline. */
  readonly stopTimer: () => void;
}
