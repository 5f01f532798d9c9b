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

  /** Parks a call that is not parked. `stopTimer` calls off the timer of its deadline. */
  add(call: Call, keys: readonly string[], stopTimer: () => void): void {
    this.#spots.set(call, { keys, stopTimer });
    for (const key of keys) {
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

  /** Takes out every call parked under one of `keys`, the one that has waited longest first. */
  take(keys: readonly string[]): Call[] {
    const calls = new Set(keys.flatMap((key) => [...(this.#callsByKey.get(key) ?? [])]));
    for (const call of calls) this.remove(call);
    return [...calls];
  }

  #removeFrom(key: string, call: Call): void {
    const calls = this.#callsByKey.get(key);
    calls?.delete(call);
    if (calls?.size === 0) this.#callsByKey.delete(key);
  }
}

interface Spot {
  readonly keys: readonly string[];
  readonly stopTimer: () => void;
}
