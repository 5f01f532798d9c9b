import { CoreError, CoreTrapped, DeterminismViolation } from '../errors.js';
import { markOwn } from './own-errors.js';

/**
 * The right of workflow code to use its context: from the moment when it is told a job until it has run dry.
 *
 * Errors that end the activation are kept, since workflow code may catch them; whatever it does then counts
 * no more.
 */
export class Turn {
  readonly #id: number;
  #open = false;
  #over = true;
  #fatal: Error | undefined;

  /** `id` is the activation's in the core. */
  constructor(id: number) {
    this.#id = id;
  }

  /** Whether workflow code may act. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether the activation goes on: turns may follow, and operations of it run. */
  get isLive(): boolean {
    return !this.#over && this.#fatal === undefined;
  }

  /** What ended the activation, if something did. */
  get fatal(): Error | undefined {
    return this.#fatal;
  }

  /** An activation has begun. */
  open(): void {
    this.#over = false;
  }

  /** Begins a turn. */
  begin(): void {
    this.#open = true;
  }

  /** Ends a turn. Throws what ended the activation in it. */
  end(): void {
    this.#open = false;
    if (this.#fatal !== undefined) throw this.#fatal;
  }

  /**
   * The activation has ended: whatever the function does until the next one begins is done by one that was left behind.
   */
  close(): void {
    this.#open = false;
    this.#over = true;
  }

  /** Ends the activation. Only the first reason counts. */
  stop(reason: Error): void {
    this.#fatal ??= reason;
  }

  /** Calls the core for workflow code. `verb` is what that code called, such as `ctx.schedule`. */
  do<R>(verb: string, call: (id: number) => R): R {
    if (!this.#open) throw markOwn(notInTurn(verb), verb);
    try {
      return call(this.#id);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error instanceof DeterminismViolation || error instanceof CoreTrapped) this.stop(error);
      throw markOwn(error, verb);
    }
  }
}

function notInTurn(verb: string): CoreError {
  const text =
    `${verb} was called outside a turn of the workflow: its function waited for something that Flovyn does not know ` +
    '(a fetch, a timer of the runtime), or an operation used the context. Do such work in ctx.run or in a task, and await ' +
    'only what the context gives';
  return new CoreError('NOT_IN_TURN', text);
}
