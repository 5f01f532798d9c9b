import { ConfigurationError, type FlovynError, RpcError } from '../errors.js';
import type { Clock } from '../runtime/clock.js';
import type { CallFacts } from './status.js';
import type { CallOptions } from './transport.js';

/**
 * The life of one call: it ends by its answer, or early by the caller's signal, its deadline, or the transport's end.
 * Whatever the way, `dispose` leaves no timer and no listener behind.
 */
export class CallScope {
  /** Which call this is. */
  readonly facts: CallFacts;
  readonly #signal: AbortSignal | undefined;
  #failure: FlovynError | undefined;
  #onEnd: ((failure: FlovynError) => void) | undefined;
  #stopTimer: (() => void) | undefined;

  constructor(method: string, serverUrl: string, options: CallOptions, clock: Clock) {
    this.facts = { method, serverUrl, subject: options.subject };
    this.#signal = options.signal;
    if (options.deadlineMs !== undefined) this.#startDeadline(options.deadlineMs, clock);
    if (this.#signal?.aborted) this.#onAbort();
    else this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Why the call ended early, if it did. */
  get failure(): FlovynError | undefined {
    return this.#failure;
  }

  /** Calls `listener` once if the call ends early, or now if it has. There is one listener; a new one replaces it. */
  onEnd(listener: (failure: FlovynError) => void): void {
    if (this.#failure === undefined) this.#onEnd = listener;
    else listener(this.#failure);
  }

  /** Ends the call early. Only the first reason counts. */
  end(failure: FlovynError): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    const listener = this.#onEnd;
    this.dispose();
    listener?.(failure);
  }

  /** Lets go of the timer and the listeners. */
  dispose(): void {
    this.#onEnd = undefined;
    this.#stopTimer?.();
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  #startDeadline(deadlineMs: number, clock: Clock): void {
    if (!(deadlineMs >= 0)) {
      throw new ConfigurationError(
        `deadlineMs must be a number of milliseconds from 0 up, got ${deadlineMs}`,
      );
    }
    if (deadlineMs === Number.POSITIVE_INFINITY) return;
    const onDeadline = (): void => {
      const { method } = this.facts;
      const text = `${method} got no answer within its deadline of ${deadlineMs} ms`;
      this.end(new RpcError('DEADLINE_EXCEEDED', text, { method }));
    };
    this.#stopTimer = clock.schedule(deadlineMs, onDeadline, { upkeep: true });
  }

  readonly #onAbort = (): void => {
    const { method } = this.facts;
    const cause = this.#signal?.reason;
    this.end(new RpcError('CANCELLED', `${method} was aborted by the caller`, { method, cause }));
  };
}

/** What a call is told whose transport is closed. */
export function closedError(method: string): RpcError {
  return new RpcError(
    'CANCELLED',
    `${method} was ended: the transport is closed. Create a new client to go on`,
    { method },
  );
}
