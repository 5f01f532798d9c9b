import { CoreError, CoreTrapped, DeterminismViolation, FlovynError } from '../errors.js';
import { markOwn } from './own-errors.js';

/**
 * The right of workflow code to use its context: from the moment when it is told a job until it has run dry.
 *
 * Errors that end the activation are kept, since workflow code may catch them; whatever it does then counts
 * no more.
 */
export class Turn {
  readonly #id: number;
  readonly #onStray: (error: CoreError) => void;
  #open = false;
  #over = true;
  #strayed = false;
  #fatal: Error | undefined;

  /** `id` is the activation's in the core. `onStray` is told of the first call outside a turn, which is refused. */
  constructor(id: number, onStray: (error: CoreError) => void) {
    this.#id = id;
    this.#onStray = onStray;
  }

  /** Whether workflow code may act. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether the activation goes on: turns may follow, and operations of it run. */
  get isLive(): boolean {
    return !this.#over && this.#fatal === undefined;
  }

  /** Whether code acted, or tried to, outside a turn: it is not where a replay would have it. */
  get hasStrayed(): boolean {
    return this.#strayed;
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
   * The activation has ended: whatever the function does until the next one begins is done by one that was
   * left behind.
   */
  close(): void {
    this.#open = false;
    this.#over = true;
  }

  /** Ends the activation. Only the first reason counts. */
  stop(reason: Error): void {
    this.#fatal ??= reason;
  }

  /** Code did something outside a turn that only a turn may do. Gives the error back. */
  stray(error: CoreError): CoreError {
    if (!this.#strayed) this.#onStray(error);
    this.#strayed = true;
    return error;
  }

  /**
   * Runs a call of the context. `verb` is what workflow code called, such as `ctx.schedule`; our errors are
   * marked with it, so that a branch that nobody awaits does not end the process with them.
   */
  do<R>(verb: string, call: (id: number) => R): R {
    if (!this.#open) throw markOwn(this.stray(notInTurn(verb)), verb);
    try {
      return call(this.#id);
    } catch (error) {
      if (!(error instanceof FlovynError)) throw error;
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
