import { checkOptions, checkText } from '../options.js';
import type { Serializer } from '../serde.js';
import { CALL_CONTROL, type CallControl } from './call-control.js';
import type { ClientCalls, CallSource } from './calls.js';
import type { WorkflowDescription } from './description.js';
import { cancelWorkflow, describeWorkflow, queryWorkflow, signalWorkflow } from './executions.js';
import type { CancelWorkflowOptions } from './options.js';
import { awaitResult } from './result.js';
import { readStream } from './stream.js';
import type { StreamOptions, WorkflowStreamEvent } from './stream-types.js';

/** An execution as a client sees it. It can be awaited, which waits for the result. */
export interface WorkflowHandle<Output = unknown> extends PromiseLike<Output> {
  /** Id of the execution, a UUID. */
  readonly workflowId: string;
  /**
   * Waits for the end of the execution, however long it takes, and gives its result. Rejects with
   * `WorkflowFailed`, whose message contains the recorded error, with `WorkflowCancelled`, or with
   * `NotFoundError`.
   */
  result(options?: CallControl): Promise<Output>;
  /**
   * Asks the execution something: the handler of that name answers from its state, or, if it has none, the value of the
   * state's key of that name is given. Works on executions that have ended, too. Rejects with `QueryFailed` when the
   * handler throws.
   */
  // What comes back is between the program and its handler.
  // oxlint-disable-next-line typescript/no-explicit-any
  query<T = any>(name: string, args?: any, options?: CallControl): Promise<T>;
  /**
   * Sends a signal to the execution; resolves when it is recorded. It is sent once: when the answer is lost the error
   * says that its fate is not known.
   */
  // oxlint-disable-next-line typescript/no-explicit-any
  signal(name: string, payload?: any, options?: CallControl): Promise<void>;
  /**
   * Asks the execution to end as cancelled; resolves when the request is recorded. Its code is told, and may make good
   * what it did before it ends, or go on. Rejects with an `RpcError` of code `FAILED_PRECONDITION` when the execution has
   * ended, and with `Unsupported` on a server without our extensions unless the client has `httpUrl`.
   */
  cancel(reason?: string, options?: CancelWorkflowOptions): Promise<void>;
  /** What the server knows of the execution. Rejects with `Unsupported` where `cancel` does. */
  describe(options?: CallControl): Promise<WorkflowDescription>;
  /**
   * What the tasks of the execution stream, and the progress that they report, as it comes and from the beginning as far
   * as the server still has it: it keeps some thousand events in memory, for minutes. The
   * loop ends when the execution has ended and everything was read; it outlives any number of failures of the network.
   * It can be read once. What becomes of the execution and its tasks (`TASK_STARTED` and the like) is not in it: `result()`
   * and `describe()` tell that, and the server-sent events of a server's REST interface. Throws `Unsupported` on a server
   * without our extensions, and `NotFoundError`.
   *
   * ```ts
   * const handle = client.getWorkflowHandle('01926d3c-7a0b-7cc4-a3a5-1b1a3c4d5e6f');
   * for await (const event of handle.stream()) {
   *   if (event.type === 'token') process.stdout.write(event.text);
   * }
   * ```
   */
  stream(options?: StreamOptions): AsyncIterableIterator<WorkflowStreamEvent>;
}

/** The handle that clients give out. */
export class WorkflowHandleImpl<Output = unknown> implements WorkflowHandle<Output> {
  readonly workflowId: string;
  readonly #calls: () => CallSource;
  readonly #serializer: Serializer | undefined;

  private constructor(workflowId: string, calls: () => CallSource, serializer: Serializer | undefined) {
    this.workflowId = workflowId;
    this.#calls = calls;
    this.#serializer = serializer;
  }

  /**
   * With the serializer of the definition, if it has one.
   * @internal
   */
  static create<Output>(
    workflowId: string,
    calls: () => CallSource,
    serializer?: Serializer,
  ): WorkflowHandleImpl<Output> {
    return new WorkflowHandleImpl<Output>(workflowId, calls, serializer);
  }

  async result(options: CallControl = {}): Promise<Output> {
    return this.#within('handle.result', options, async (calls) => {
      return (await awaitResult(calls, this.workflowId, this.#serializer)) as Output;
    });
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a handle can be awaited
  then<A = Output, B = never>(
    onFulfilled?: ((output: Output) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.result().then(onFulfilled, onRejected);
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- see the interface
  async query<T = any>(name: string, args?: any, options: CallControl = {}): Promise<T> {
    checkText('handle.query, name', name);
    return this.#within('handle.query', options, async (calls) => {
      return (await queryWorkflow(calls, this.workflowId, name, args)) as T;
    });
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- see the interface
  async signal(name: string, payload?: any, options: CallControl = {}): Promise<void> {
    checkText('handle.signal, name', name);
    await this.#within('handle.signal', options, (calls) =>
      signalWorkflow(calls, this.workflowId, name, payload),
    );
  }

  async cancel(reason?: string, options: CancelWorkflowOptions = {}): Promise<void> {
    if (reason !== undefined) checkText('handle.cancel, reason', reason);
    await this.#calls().within('handle.cancel', options, (calls) =>
      cancelWorkflow(calls, this.workflowId, reason, options),
    );
  }

  async describe(options: CallControl = {}): Promise<WorkflowDescription> {
    return this.#within('handle.describe', options, (calls) =>
      describeWorkflow(calls, this.workflowId, this.#serializer),
    );
  }

  stream(options: StreamOptions = {}): AsyncIterableIterator<WorkflowStreamEvent> {
    const source = { workflowExecutionId: this.workflowId };
    return readStream('handle.stream', this.#calls(), source, options);
  }

  async #within<T>(what: string, control: CallControl, work: (calls: ClientCalls) => Promise<T>): Promise<T> {
    checkOptions(what, control, CALL_CONTROL);
    return this.#calls().within(what, control, work);
  }
}
