/** The time of the workers: that of the engine, with timers that fire when the schedule moves it. */
export class SimulatedClock {
  #engine;
  #timers = [];

  constructor(engine) {
    this.#engine = engine;
  }

  nowMs() {
    return this.#engine.nowMs;
  }

  schedule(delayMs, callback) {
    const timer = { dueMs: this.nowMs() + Math.max(0, Math.ceil(delayMs)), callback };
    this.#timers.push(timer);
    return () => this.#remove(timer);
  }

  /** When the next timer is due; undefined if there is none. */
  get dueMs() {
    return this.#timers.reduce((least, { dueMs }) => (least <= dueMs ? least : dueMs), undefined);
  }

  /** Fires what is due, in the order in which it is due. */
  fire() {
    const due = this.#timers.filter(({ dueMs }) => dueMs <= this.nowMs());
    due.sort((left, right) => left.dueMs - right.dueMs);
    for (const timer of due) {
      if (this.#remove(timer)) timer.callback();
    }
  }

  #remove(timer) {
    const at = this.#timers.indexOf(timer);
    if (at >= 0) this.#timers.splice(at, 1);
    return at >= 0;
  }
}
