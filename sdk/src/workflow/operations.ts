import { FlovynError } from '../errors.js';
import { nameClass, nameOf, stackOf, textOf } from '../errors/base.js';
import { checkOptions, positiveMs } from '../options.js';
import { type RetryPlan, pauseBefore, retryPlan } from '../retry.js';
import { type Clock, holding } from '../runtime/clock.js';
import { pause } from '../runtime/pause.js';
import type { Serializer } from '../serde.js';
import type { OperationFunction, OperationOptions } from './handle-types.js';

/** The end of an operation: a payload, or what it threw as the core wants it. */
export interface FinishedOperation {
  readonly handle: number;
  readonly result: { readonly value: string } | { readonly thrown: string };
}

/**
 * The operations of one execution: begun by workflow code, started by the driver once the turn has run dry,
 * outside the async context of the workflow, and finished whenever they are.
 */
export class Operations {
  readonly #begun = new Map<number, Begun>();
  /** What ends each one that runs, by handle. */
  readonly #running = new Map<number, AbortController>();
  readonly #finished: FinishedOperation[] = [];
  readonly #serializer: Serializer;
  readonly #clock: Clock;
  #isAborted = false;
  #onFinish: (() => void) | undefined;

  constructor(serializer: Serializer, clock: Clock) {
    this.#serializer = serializer;
    this.#clock = clock;
  }

  /**
   * Keeps the function of an operation until it is started, which does not happen if its result is recorded.
   */
  begin(handle: number, name: string, fn: OperationFunction<unknown>, plan: OperationPlan): void {
    this.#begun.set(handle, { name, fn, plan, cancelled: undefined });
  }

  /** Drops the function of an operation whose recorded result was delivered. */
  forget(handle: number): void {
    this.#begun.delete(handle);
  }

  /**
   * Nobody waits for the operation any more: its signal fires. It goes on until its function ends, and starts if it has
   * not, since it is recorded all the same. Nothing happens for a handle of another kind.
   */
  cancel(handle: number, reason: Error): void {
    const begun = this.#begun.get(handle);
    if (begun !== undefined) begun.cancelled = reason;
    this.#running.get(handle)?.abort(reason);
  }

  /** Calls the function of an operation. Its end is told by `takeFinished`. */
  start(handle: number): void {
    const begun = this.#begun.get(handle);
    if (begun === undefined) throw new Error(`the core started operation ${handle}, which was not begun`);
    this.#begun.delete(handle);
    const controller = new AbortController();
    if (begun.cancelled !== undefined) controller.abort(begun.cancelled);
    this.#running.set(handle, controller);
    void this.#run(handle, begun, controller.signal);
  }

  /** The names of those that were begun and are neither started nor recorded, in that order. */
  get begun(): string[] {
    return [...this.#begun.values()].map(({ name }) => name);
  }

  /** Whether one was started and has not finished. */
  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  /** Whether `abort` was called: none of them is waited for any more. */
  get isAborted(): boolean {
    return this.#isAborted;
  }

  /** The operations that have finished since the last call, in that order. */
  takeFinished(): FinishedOperation[] {
    return this.#finished.splice(0);
  }

  /**
   * Waits until an operation has finished that `takeFinished` has not told yet, or they are aborted; no longer than so
   * many milliseconds. Whether that happened in time.
   */
  async finishWithin(ms: number): Promise<boolean> {
    if (this.#finished.length > 0 || this.#isAborted) return true;
    return new Promise<boolean>((resolve) => {
      const stopTimer = this.#clock.schedule(ms, () => resolve(false));
      this.#onFinish = () => {
        stopTimer();
        resolve(true);
      };
    });
  }

  /** Tells running operations that the worker may not go on with them. */
  abort(reason: unknown): void {
    this.#isAborted = true;
    for (const controller of this.#running.values()) controller.abort(reason);
    this.#onFinish?.();
  }

  async #run(handle: number, begun: Begun, signal: AbortSignal): Promise<void> {
    const result = await this.#result(begun, signal);
    this.#running.delete(handle);
    this.#finished.push({ handle, result });
    this.#onFinish?.();
  }

  async #result(begun: Begun, signal: AbortSignal): Promise<FinishedOperation['result']> {
    try {
      const value = await this.#attempts(begun, signal);
      // Outside the attempts: what cannot be written is no reason to do the work again.
      return { value: this.#serializer.serialize(value) };
    } catch (error) {
      return { thrown: describe(error) };
    }
  }

  async #attempts({ name, fn, plan }: Begun, signal: AbortSignal): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await holding(this.#clock, () => this.#attempt(name, fn, plan.timeoutMs, signal));
      } catch (error) {
        if (!mayRetry(plan.retry, attempt, error)) throw error;
        await pause(this.#clock, pauseBefore(plan.retry, attempt), signal);
        // Nobody waits for it, or another worker has the execution now, and the operation with it.
        if (signal.aborted) throw error;
      }
    }
  }

  async #attempt(
    name: string,
    fn: OperationFunction<unknown>,
    timeoutMs: number | undefined,
    signal: AbortSignal,
  ): Promise<unknown> {
    if (timeoutMs === undefined) return fn(signal);
    const own = new AbortController();
    const onAbort = (): void => own.abort(signal.reason);
    if (signal.aborted) onAbort();
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
  return { timeoutMs: positiveMs(`${what}, timeout`, timeout), retry: retry && retryPlan(what, retry) };
}

interface Begun {
  readonly name: string;
  readonly fn: OperationFunction<unknown>;
  readonly plan: OperationPlan;
  /** Why it was cancelled before it was started, if it was. */
  cancelled: Error | undefined;
}

class OperationTimeout extends FlovynError {
  static {
    nameClass(this, 'OperationTimeout');
  }

  override readonly code: string = 'OPERATION_TIMEOUT';
}

function mayRetry(retry: RetryPlan | undefined, attempt: number, error: unknown): retry is RetryPlan {
  if (retry === undefined || attempt > retry.maxRetries || retryableOf(error) === false) return false;
  return !retry.nonRetryableErrors.includes(nameOf(error));
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
