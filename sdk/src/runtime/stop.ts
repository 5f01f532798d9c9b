/**
 * The end of something that has not come to its end: fires once, with the reason. It makes an `AbortSignal` only for
 * who asks for one, since making one costs as much as a whole call of the core.
 */
export class Stop {
  #reason: Error | undefined;
  #controller: AbortController | undefined;
  readonly #listeners = new Set<(reason: Error) => void>();

  /** Why it fired; undefined as long as it has not. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  /** Fires with it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Calls `listener` when it fires, or now if it has. Returns how to call that off. */
  onFire(listener: (reason: Error) => void): () => void {
    if (this.#reason === undefined) this.#listeners.add(listener);
    else listener(this.#reason);
    return () => this.#listeners.delete(listener);
  }

  /** Only the first reason counts. */
  fire(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    for (const listener of this.#listeners) listener(reason);
    this.#listeners.clear();
    this.#controller?.abort(reason);
  }

  /** Throws the reason if it has fired. */
  throwIfFired(): void {
    if (this.#reason !== undefined) throw this.#reason;
  }
}
