/**
 * Hands out signals that fire together. One for each piece of work, because Node warns of a leak when more than ten
 * listeners are on one signal.
 */
export class SignalSource {
  readonly #open = new Set<AbortController>();
  #hasFired = false;

  /** Runs `work` with a signal of its own, which `end` fires alone. */
  async with<T>(work: (signal: AbortSignal, end: (reason: unknown) => void) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    if (this.#hasFired) controller.abort();
    this.#open.add(controller);
    try {
      return await work(controller.signal, (reason) => controller.abort(reason));
    } finally {
      this.#open.delete(controller);
    }
  }

  /** Fires all signals, those handed out later too. */
  fire(): void {
    this.#hasFired = true;
    for (const controller of this.#open) controller.abort();
  }
}
