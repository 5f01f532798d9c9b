import { comingLater } from '../options.js';
import type { ClientCalls } from './calls.js';
import { awaitResult } from './result.js';

/** An execution as a client sees it. It can be awaited, which waits for the result. */
export interface WorkflowHandle<Output = unknown> extends PromiseLike<Output> {
  /** Id of the execution, a UUID. */
  readonly workflowId: string;
  /**
   * Waits for the end of the execution, however long it takes, and gives its result. Rejects with
   * `WorkflowFailed`, whose message contains the recorded error, with `WorkflowCancelled`, or with
   * `NotFoundError`.
   */
  result(): Promise<Output>;
  /** Throws `Unsupported`: comes with queries. */
  query<T = unknown>(name: string, args?: unknown): Promise<T>;
  /** Throws `Unsupported`: comes with signals. */
  signal(name: string, payload?: unknown): Promise<void>;
  /** Throws `Unsupported`: comes with cancellation. */
  cancel(reason?: string): Promise<void>;
}

/** The handle that clients give out. */
export class WorkflowHandleImpl<Output = unknown> implements WorkflowHandle<Output> {
  readonly workflowId: string;
  readonly #calls: () => ClientCalls;

  private constructor(workflowId: string, calls: () => ClientCalls) {
    this.workflowId = workflowId;
    this.#calls = calls;
  }

  /** @internal */
  static create<Output>(workflowId: string, calls: () => ClientCalls): WorkflowHandleImpl<Output> {
    return new WorkflowHandleImpl<Output>(workflowId, calls);
  }

  async result(): Promise<Output> {
    return (await awaitResult(this.#calls(), this.workflowId)) as Output;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a handle can be awaited
  then<A = Output, B = never>(
    onFulfilled?: ((output: Output) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.result().then(onFulfilled, onRejected);
  }

  query(): never {
    throw comingLater('handle.query', 'queries');
  }

  signal(): never {
    throw comingLater('handle.signal', 'signals; until then use client.resolvePromise');
  }

  cancel(): never {
    throw comingLater('handle.cancel', 'cancellation');
  }
}
