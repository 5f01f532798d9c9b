import { ConfigurationError, FlovynError } from '../errors.js';
import { nameClass, nameOf, stackOf, textOf } from '../errors/base.js';
import { checkOptions, optionalMs } from '../options.js';
import { type RetryPlan, pauseBefore, retryPlan } from '../retry.js';
import type { Clock } from '../runtime/clock.js';
import { pause } from '../runtime/pause.js';
import type { Serializer } from '../serde.js';
import type { OperationFunction, OperationOptions } from './context-types.js';

/** The end of an operation: a payload, or what it threw as the core wants it. */
export interface FinishedOperation {
  readonly handle: number;
  readonly result: { readonly value: string } | { readonly thrown: string };
}

/**
 * The operations of one activation: begun by workflow code, started by the driver once the turn has run dry,
 * outside the async context of the workflow, and finished whenever they are.
 */
export class Operations {
  readonly #begun = new Map<number, Begun>();
  readonly #finished: FinishedOperation[] = [];
  readonly #controller = new AbortController();
  readonly #serializer: Serializer;
  readonly #clock: Clock;
  #running = 0;
  #onFinish: (() => void) | undefined;

  constructor(serializer: Serializer, clock: Clock) {
    this.#serializer = serializer;
    this.#clock = clock;
  }

  /**
   * Keeps the function of an operation until it is started, which does not happen if its result is recorded.
   */
  begin(handle: number, name: string, fn: OperationFunction<unknown>, plan: OperationPlan): void {
    this.#begun.set(handle, { name, fn, plan });
  }

  /** Drops the function of an operation whose recorded result was delivered. */
  forget(handle: number): void {
    this.#begun.delete(handle);
  }

  /** Calls the function of an operation. Its end is told by `takeFinished`. */
  start(handle: number): void {
    const begun = this.#begun.get(handle);
    if (begun === undefined) throw new Error(`the core started operation ${handle}, which was not begun`);
    this.#begun.delete(handle);
    void this.#run(handle, begun);
  }

  /** Whether one was started and has not finished. */
  get isBusy(): boolean {
    return this.#running > 0;
  }

  /** The operations that have finished since the last call, in that order. */
  takeFinished(): FinishedOperation[] {
    return this.#finished.splice(0);
  }

  /**
   * Resolves when an operation has finished that `takeFinished` has not told yet, or when they are aborted.
   */
  async untilFinished(): Promise<void> {
    if (this.#finished.length > 0 || this.#controller.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onFinish = resolve;
    });
  }

  /** Tells running operations that nobody waits for them any more. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
    this.#onFinish?.();
  }

  async #run(handle: number, begun: Begun): Promise<void> {
    this.#running += 1;
    const result = await this.#result(begun);
    this.#running -= 1;
    this.#finished.push({ handle, result });
    this.#onFinish?.();
  }

  async #result(begun: Begun): Promise<FinishedOperation['result']> {
    try {
      const value = await this.#attempts(begun);
      // Outside the attempts: what cannot be written is no reason to do the work again.
      return { value: this.#serializer.serialize(value) };
    } catch (error) {
      return { thrown: describe(error) };
    }
  }

  async #attempts({ name, fn, plan }: Begun): Promise<unknown> {
    const { signal } = this.#controller;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(name, fn, plan.timeoutMs);
      } catch (error) {
        if (!mayRetry(plan.retry, attempt, error)) throw error;
        await pause(this.#clock, pauseBefore(plan.retry, attempt), signal);
        // Another worker may have the execution now, and the operation with it.
        if (signal.aborted) throw error;
      }
    }
  }

  async #attempt(
    name: string,
    fn: OperationFunction<unknown>,
    timeoutMs: number | undefined,
  ): Promise<unknown> {
    const signal = this.#controller.signal;
    if (timeoutMs === undefined) return fn(signal);
    const own = new AbortController();
    const onAbort = (): void => own.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    let stopTimer = (): void => {};
    const timedOut = new Promise<never>((_, reject) => {
      stopTimer = this.#clock.schedule(timeoutMs, () => {
        const error = new OperationTimeout(`Operation "${name}" timed out after ${timeoutMs} ms`);
        own.abort(error);
        reject(error);
      });
    });
    try {
      return await Promise.race([fn(own.signal), timedOut]);
    } finally {
      stopTimer();
      signal.removeEventListener('abort', onAbort);
    }
  }
}

/** Options of an operation, checked. */
export interface OperationPlan {
  readonly timeoutMs: number | undefined;
  readonly retry: RetryPlan | undefined;
}

/** Reads the options of an operation. */
export function operationPlan(name: string, options: OperationOptions): OperationPlan {
  const what = `Operation "${name}"`;
  checkOptions(what, options, ['timeout', 'retry']);
  const { timeout, retry } = options;
  const timeoutMs = optionalMs(`${what}, timeout`, timeout);
  if (timeoutMs !== undefined && timeoutMs <= 0)
    throw new ConfigurationError(`${what}: timeout must be more than no time, got ${timeout}`);
  return { timeoutMs, retry: retry && retryPlan(what, retry) };
}

interface Begun {
  readonly name: string;
  readonly fn: OperationFunction<unknown>;
  readonly plan: OperationPlan;
}

class OperationTimeout extends FlovynError {
  static {
    nameClass(this, 'OperationTimeout');
  }

  override readonly code: string = 'OPERATION_TIMEOUT';
}

function mayRetry(retry: RetryPlan | undefined, attempt: number, error: unknown): retry is RetryPlan {
  return retry !== undefined && attempt <= retry.maxRetries && retryableOf(error) !== false;
}

function retryableOf(error: unknown): boolean | undefined {
  const retryable: unknown = error instanceof Error ? Reflect.get(error, 'retryable') : undefined;
  return typeof retryable === 'boolean' ? retryable : undefined;
}

function describe(error: unknown): string {
  return JSON.stringify({
    name: nameOf(error),
    message: textOf(error),
    stack: stackOf(error) || undefined,
    retryable: retryableOf(error),
  });
}
