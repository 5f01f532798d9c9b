import type { Duration } from '../duration.js';
import { ConfigurationError, FlovynError, Unsupported } from '../errors.js';
import { textOf } from '../errors/base.js';
import { checkOptions, checkText, optionalMs, positiveMs } from '../options.js';
import type { AnyTask } from '../task/define.js';
import { onShutdownSignal } from '../runtime/process-signals.js';
import type { ExecutionCacheMetrics } from '../worker/cache-metrics.js';
import { register } from '../worker/definitions.js';
import { Worker, WorkerSource } from '../worker/worker.js';
import type { InputAndOptions } from '../workflow/handle-types.js';
import type { AnyWorkflow, WorkflowDefinition } from '../workflow/define.js';
import { bounded, CALL_CONTROL, type CallControl } from './call-control.js';
import { type ClientCalls, CallSource, type Startable } from './calls.js';
import type { ListWorkflowsOptions, WorkflowList } from './description.js';
import { listWorkflows, signalWithStart, signalWorkflow } from './executions.js';
import { type WorkflowHandle, WorkflowHandleImpl } from './handle.js';
import type {
  CancelWorkflowOptions,
  FlovynClientOptions,
  SignalWithStartOptions,
  StartWorkflowOptions,
} from './options.js';
import { type ClientSettings, clientSettings, type Connection } from './settings.js';
import { readStream } from './stream.js';
import type { StreamOptions, WorkflowStreamEvent } from './stream-types.js';

const START_OPTIONS = [
  'queue',
  'workflowVersion',
  'idempotencyKey',
  'timeout',
  'prioritySeconds',
  ...CALL_CONTROL,
];
const SIGNAL_WITH_START_OPTIONS = [
  'workflowId',
  'input',
  'signalName',
  'signalValue',
  ...START_OPTIONS.filter((option) => option !== 'idempotencyKey'),
];
const LATER_START_OPTIONS = {
  metadata: 'metadata of executions',
  idempotencyKeyTtl: 'idempotency keys that are kept for longer or shorter than a day',
};

/** A started workflow. */
export interface StartedWorkflow<Output> {
  /** In an object of its own, since awaiting a handle waits for the result. */
  readonly handle: WorkflowHandle<Output>;
}

/**
 * Starts workflows and, for what is registered with it, runs them and their tasks.
 *
 * ```text
 * new --start--> started --stop--> stopped --start--> started ..
 *      register          call
 * ```
 */
export class FlovynClient {
  readonly #settings: ClientSettings;
  readonly #workflows = new Map<string, AnyWorkflow>();
  readonly #tasks = new Map<string, AnyTask>();
  #worker: Worker | undefined;
  #connection: Connection | undefined;
  #running: Running | undefined;
  #starting: Promise<Running> | undefined;
  #stopping: Promise<void> | undefined;

  /** Throws `ConfigurationError` for options that cannot be meant. Nothing is sent before `start`. */
  constructor(options: FlovynClientOptions) {
    this.#settings = clientSettings(options);
  }

  /** Lets this client run executions of the workflow. Only before `start`; a name can be registered once. */
  registerWorkflow(definition: AnyWorkflow): void {
    if (this.#isBusy) throw new FlovynError('Cannot register workflows after client has started');
    register('Workflow', this.#workflows, definition);
  }

  /** Lets this client run tasks of the definition. Only before `start`; a name can be registered once. */
  registerTask(definition: AnyTask): void {
    if (this.#isBusy) throw new FlovynError('Cannot register tasks after client has started');
    register('Task', this.#tasks, definition);
  }

  /**
   * Connects and, if something is registered, begins to work. Rejects when the server cannot be reached or
   * does not accept the key; later outages are waited for.
   */
  async start(options: CallControl = {}): Promise<void> {
    if (this.#isBusy) throw new FlovynError('Client is already started');
    checkOptions('client.start', options, CALL_CONTROL);
    this.#starting = this.#open(options);
    try {
      this.#running = await this.#starting;
    } finally {
      this.#starting = undefined;
    }
  }

  /**
   * Claims nothing more at once, waits for work under way at most `shutdownGraceMs`, then gives it up: task
   * signals fire, executions go to other workers. Before `start` it does nothing, during one it waits for that
   * first; calls during a stop wait for the same one.
   */
  async stop(): Promise<void> {
    const running = this.#running ?? (await this.#starting?.catch(() => undefined));
    if (running !== undefined && this.#stopping === undefined) {
      this.#stopping = this.#close(running).finally(() => {
        this.#running = undefined;
        this.#stopping = undefined;
      });
    }
    await this.#stopping;
  }

  /** Whether `start` has been done and `stop` has not. */
  get isStarted(): boolean {
    return this.#running !== undefined && this.#stopping === undefined;
  }

  /**
   * What runs the workflows and tasks that are registered here: its events, metrics, pause and resume. Undefined while
   * nothing is registered. `start` and `stop` of the client start it and shut it down.
   */
  get worker(): Worker | undefined {
    if (this.#workflows.size + this.#tasks.size === 0) return undefined;
    this.#worker ??= new Worker(this.#workerSource());
    return this.#worker;
  }

  /** Ids of the executions that this client works on at the moment. */
  getActiveWorkflowExecutions(): string[] {
    return [...(this.#worker?.activeWorkflowExecutions ?? [])];
  }

  /** Ids of the tasks that this client works on at the moment. */
  getActiveTaskExecutions(): string[] {
    return [...(this.#worker?.activeTaskExecutions ?? [])];
  }

  /**
   * How well suspended executions could be kept in memory since `start`; undefined where this client runs no workflows.
   */
  getExecutionCacheMetrics(): ExecutionCacheMetrics | undefined {
    return this.#worker?.metrics().workflows.cache;
  }

  /** Starts an execution of a workflow; resolves when the server has recorded it. */
  async startWorkflow<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, StartWorkflowOptions>
  ): Promise<StartedWorkflow<Output>>;
  /** Starts an execution of a workflow that is defined elsewhere. */
  async startWorkflow<Output = unknown>(
    name: string,
    input?: unknown,
    options?: StartWorkflowOptions,
  ): Promise<StartedWorkflow<Output>>;
  async startWorkflow<Output>(
    definition: AnyWorkflow | string,
    input?: unknown,
    options: StartWorkflowOptions = {},
  ): Promise<StartedWorkflow<Output>> {
    return this.#start<Output>(definition, input, options);
  }

  async #start<Output>(
    definition: AnyWorkflow | string,
    input: unknown,
    options: StartWorkflowOptions,
  ): Promise<StartedWorkflow<Output>> {
    const workflow = startable('startWorkflow', definition);
    checkOptions('startWorkflow', options, START_OPTIONS, LATER_START_OPTIONS);
    const workflowId = await this.#calls().within('startWorkflow', options, async (calls) => {
      const timeoutMs = await startTimeoutMs(calls, 'startWorkflow', options.timeout, workflow.timeout);
      return calls.startWorkflow(workflow, input, options, timeoutMs);
    });
    return { handle: this.#handle<Output>(workflowId, workflow) };
  }

  /** Starts an execution and waits for its result. */
  async executeWorkflow<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, StartWorkflowOptions>
  ): Promise<Output>;
  /** Starts an execution of a workflow that is defined elsewhere, and waits for its result. */
  async executeWorkflow<Output = unknown>(
    name: string,
    input?: unknown,
    options?: StartWorkflowOptions,
  ): Promise<Output>;
  async executeWorkflow<Output>(
    definition: AnyWorkflow | string,
    input?: unknown,
    options: StartWorkflowOptions = {},
  ): Promise<Output> {
    const { callTimeout, signal, ...start } = options;
    const ended = new AbortController();
    const end = (reason: unknown): void => ended.abort(reason);
    const both = { signal: ended.signal };
    return bounded('executeWorkflow', { callTimeout, signal }, this.#settings.clock, end, async () => {
      const { handle } = await this.#start<Output>(definition, input, { ...start, ...both });
      return handle.result(both);
    });
  }

  /**
   * The handle of an execution that exists. That it is one of `definition`, which gives the type of the result and the
   * serializer, is taken on trust; so is `Output` without one.
   */
  getWorkflowHandle<Input, Output>(
    workflowId: string,
    definition: WorkflowDefinition<Input, Output>,
  ): WorkflowHandle<Output>;
  getWorkflowHandle<Output = unknown>(workflowId: string): WorkflowHandle<Output>;
  getWorkflowHandle<Output>(workflowId: string, definition?: AnyWorkflow): WorkflowHandle<Output> {
    return this.#handle<Output>(workflowId, definition);
  }

  /**
   * Resolves a promise that workflow code made with `ctx.promise`. `promiseId` is its UUID, `<execution
   * id>:<name>`, or its idempotency key. The first to settle a promise wins; later calls change nothing.
   */
  async resolvePromise(promiseId: string, value?: unknown, options: CallControl = {}): Promise<void> {
    await this.#within('resolvePromise', options, (calls) => calls.resolvePromise(promiseId, value));
  }

  /** As `resolvePromise`, but the workflow sees a `PromiseRejected` with this reason. */
  async rejectPromise(promiseId: string, reason: string | Error, options: CallControl = {}): Promise<void> {
    const text = typeof reason === 'string' ? reason : reason.message;
    await this.#within('rejectPromise', options, (calls) => calls.rejectPromise(promiseId, text));
  }

  /**
   * Sends a signal to an execution; the number of its event, once it is recorded. It is sent once: when the answer is
   * lost the error says that its fate is not known.
   */
  async signalWorkflow(
    workflowId: string,
    name: string,
    payload?: unknown,
    options: CallControl = {},
  ): Promise<number> {
    checkText('signalWorkflow, name', name);
    return this.#within('signalWorkflow', options, (calls) =>
      signalWorkflow(calls, workflowId, name, payload),
    );
  }

  /**
   * Sends a signal to the run under a key, which is started if none is there that has not ended; both or neither happen.
   */
  async signalWithStartWorkflow<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    options: SignalWithStartOptions<Input>,
  ): Promise<{ workflowHandle: WorkflowHandle<Output>; workflowCreated: boolean }> {
    const workflow = startable('signalWithStartWorkflow', definition);
    checkOptions('signalWithStartWorkflow', options, SIGNAL_WITH_START_OPTIONS, LATER_START_OPTIONS);
    checkText('signalWithStartWorkflow, workflowId', options.workflowId);
    checkText('signalWithStartWorkflow, signalName', options.signalName);
    const what = 'signalWithStartWorkflow';
    const { workflowExecutionId, workflowCreated } = await this.#calls().within(
      what,
      options,
      async (calls) => {
        const timeoutMs = await startTimeoutMs(calls, what, options.timeout, workflow.timeout);
        return signalWithStart(calls, workflow, options, timeoutMs);
      },
    );
    return { workflowHandle: this.#handle<Output>(workflowExecutionId, workflow), workflowCreated };
  }

  /** As `cancel` of the execution's handle. */
  async cancelWorkflow(
    workflowId: string,
    reason?: string,
    options: CancelWorkflowOptions = {},
  ): Promise<void> {
    await this.getWorkflowHandle(workflowId).cancel(reason, options);
  }

  /** What one task streams, as `stream` of a workflow's handle gives what all of its tasks do. */
  streamTask(
    taskExecutionId: string,
    options: StreamOptions = {},
  ): AsyncIterableIterator<WorkflowStreamEvent> {
    checkText('streamTask, taskExecutionId', taskExecutionId);
    return readStream('client.streamTask', this.#calls(), { taskExecutionId }, options);
  }

  /**
   * The executions of the organisation, the newest first, without what went in and came out. Rejects with `Unsupported` on a server without our extensions
   * unless the client has `httpUrl`.
   */
  async listWorkflows(options: ListWorkflowsOptions = {}): Promise<WorkflowList> {
    return this.#calls().within('listWorkflows', options, (calls) => listWorkflows(calls, options));
  }

  #handle<Output>(workflowId: string, workflow: Partial<Startable> | undefined): WorkflowHandle<Output> {
    return WorkflowHandleImpl.create<Output>(workflowId, () => this.#calls(), workflow?.serializer);
  }

  get #isBusy(): boolean {
    return this.#starting !== undefined || this.#running !== undefined;
  }

  async #within<T>(what: string, control: CallControl, work: (calls: ClientCalls) => Promise<T>): Promise<T> {
    checkOptions(what, control, CALL_CONTROL);
    return this.#calls().within(what, control, work);
  }

  #calls(): CallSource {
    if (this.#running === undefined) throw new FlovynError('Client is not started');
    return this.#running.calls;
  }

  async #open(control: CallControl): Promise<Running> {
    const connection = this.#settings.connect();
    const calls = new CallSource(this.#settings, connection.calls);
    const stopListening = this.#settings.handleSignals ? this.#listenToSignals() : () => {};
    this.#connection = connection;
    try {
      const { worker } = this;
      const ended = new AbortController();
      const end = (reason: unknown): void => ended.abort(reason);
      const begin = async (): Promise<void> => worker?.start({ signal: ended.signal });
      await bounded('client.start', control, this.#settings.clock, end, begin);
      return { connection, calls, stopListening };
    } catch (error) {
      this.#connection = undefined;
      stopListening();
      // A start that was ended early lets go first.
      await this.#worker?.shutdown({ graceMs: 0 });
      await connection.close();
      throw error;
    }
  }

  async #close({ connection, calls, stopListening }: Running): Promise<void> {
    await this.#worker?.shutdown();
    this.#connection = undefined;
    calls.stop();
    stopListening();
    await connection.close();
  }

  #workerSource(): WorkerSource {
    const definitions = { workflows: this.#workflows, tasks: this.#tasks };
    const open = (): ReturnType<WorkerSource['open']> => {
      if (this.#connection === undefined) throw new FlovynError('Client is not started');
      // The client closes it.
      return { transport: this.#connection.worker, close: async () => {} };
    };
    return new WorkerSource({ settings: this.#settings, definitions, handleSignals: false, open });
  }

  #listenToSignals(): () => void {
    const { logger } = this.#settings;
    return onShutdownSignal((signal) => {
      logger.info(`${signal}: the client stops; another one ends the process at once`);
      this.stop().catch((error: unknown) => logger.error(`the client did not stop: ${textOf(error)}`, error));
    });
  }
}

/** What is started, by its definition or its name alone. */
function startable(verb: string, definition: AnyWorkflow | string): Startable {
  const started = typeof definition === 'string' ? { name: definition } : definition;
  if (started?.name) return started;
  throw new ConfigurationError(`${verb} takes a workflow definition or the name of one`);
}

/** The time that an execution is given. That of the definition is registered by its worker, too. */
async function startTimeoutMs(
  calls: ClientCalls,
  verb: string,
  asked: Duration | undefined,
  defined: Duration | undefined,
): Promise<number | undefined> {
  if (asked === undefined) return calls.transport.extended ? optionalMs(verb, defined) : undefined;
  const ms = positiveMs(`${verb}, timeout`, asked);
  if (await calls.isExtended()) return ms;
  throw new Unsupported(
    `${verb}: the option "timeout" needs a server with our extensions; this one has not announced them. ` +
      'Give the definition a timeout instead, which its worker registers',
  );
}

interface Running {
  readonly connection: Connection;
  readonly calls: CallSource;
  /** Stops listening to signals of the process. */
  readonly stopListening: () => void;
}
