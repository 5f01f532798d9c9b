import { ConfigurationError, FlovynError } from '../errors.js';
import { checkOptions, comingLater } from '../options.js';
import type { AnyTask } from '../task/define.js';
import { watchUnhandledRejections } from '../worker/unhandled-rejections.js';
import { SignalSource } from '../runtime/signal-source.js';
import { WorkerHost } from '../worker/worker-host.js';
import type { InputAndOptions } from '../workflow/handle-types.js';
import type { AnyWorkflow, WorkflowDefinition } from '../workflow/define.js';
import { ClientCalls } from './calls.js';
import { type WorkflowHandle, WorkflowHandleImpl } from './handle.js';
import type { FlovynClientOptions, StartWorkflowOptions } from './options.js';
import { type ClientSettings, clientSettings, type Connection } from './settings.js';

const START_OPTIONS = ['queue', 'workflowVersion', 'idempotencyKey'];
const LATER_START_OPTIONS = {
  prioritySeconds: 'priorities',
  timeout: 'workflow timeouts; until then race the work against ctx.sleep',
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
  async start(): Promise<void> {
    if (this.#isBusy) throw new FlovynError('Client is already started');
    this.#starting = this.#open();
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

  /** Ids of the executions that this client works on at the moment. */
  getActiveWorkflowExecutions(): string[] {
    return this.#running?.workers?.activeWorkflowExecutions ?? [];
  }

  /** Ids of the tasks that this client works on at the moment. */
  getActiveTaskExecutions(): string[] {
    return this.#running?.workers?.activeTaskExecutions ?? [];
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
    const [name, workflowVersion] =
      typeof definition === 'string' ? [definition] : [definition.name, definition.version];
    if (!name) throw new ConfigurationError('startWorkflow takes a workflow definition or the name of one');
    checkOptions('startWorkflow', options, START_OPTIONS, LATER_START_OPTIONS);
    const version = options.workflowVersion ?? workflowVersion;
    const workflowId = await this.#calls().startWorkflow(name, input, {
      ...options,
      workflowVersion: version,
    });
    return { handle: this.getWorkflowHandle<Output>(workflowId) };
  }

  /** Starts an execution and waits for its result. */
  async executeWorkflow<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, StartWorkflowOptions>
  ): Promise<Output> {
    const { handle } = await this.startWorkflow(definition, ...rest);
    return handle.result();
  }

  /** The handle of an execution that exists. `Output` is taken on trust. */
  getWorkflowHandle<Output = unknown>(workflowId: string): WorkflowHandle<Output> {
    return WorkflowHandleImpl.create<Output>(workflowId, () => this.#calls());
  }

  /**
   * Resolves a promise that workflow code made with `ctx.promise`. `promiseId` is its UUID, `<execution
   * id>:<name>`, or its idempotency key. The first to settle a promise wins; later calls change nothing.
   */
  async resolvePromise(promiseId: string, value?: unknown): Promise<void> {
    await this.#calls().resolvePromise(promiseId, value);
  }

  /** As `resolvePromise`, but the workflow sees a `PromiseRejected` with this reason. */
  async rejectPromise(promiseId: string, reason: string | Error): Promise<void> {
    await this.#calls().rejectPromise(promiseId, typeof reason === 'string' ? reason : reason.message);
  }

  /** Throws `Unsupported`: comes with signals. */
  signalWorkflow(_workflowId: string, _name: string, _payload?: unknown): Promise<number> {
    throw comingLater('client.signalWorkflow', 'signals; until then use client.resolvePromise');
  }

  /** Throws `Unsupported`: comes with signals. */
  signalWithStartWorkflow(
    _definition: AnyWorkflow,
    _options: unknown,
  ): Promise<{ workflowHandle: WorkflowHandle; workflowCreated: boolean }> {
    throw comingLater('client.signalWithStartWorkflow', 'signals');
  }

  get #isBusy(): boolean {
    return this.#starting !== undefined || this.#running !== undefined;
  }

  #calls(): ClientCalls {
    if (this.#running === undefined) throw new FlovynError('Client is not started');
    return this.#running.calls;
  }

  async #open(): Promise<Running> {
    const connection = this.#settings.connect();
    const stopped = new SignalSource();
    const calls = new ClientCalls(this.#settings, connection.calls, stopped);
    if (this.#workflows.size + this.#tasks.size === 0) return { connection, calls, stopped };
    try {
      const workers = new WorkerHost(this.#settings, connection.worker, this.#workflows, this.#tasks);
      await workers.start();
      const stopWatching = watchUnhandledRejections(this.#settings.logger);
      return { connection, calls, stopped, workers, stopWatching };
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async #close({ connection, stopped, workers, stopWatching }: Running): Promise<void> {
    await workers?.stop();
    stopped.fire();
    stopWatching?.();
    await connection.close();
  }
}

interface Running {
  readonly connection: Connection;
  readonly calls: ClientCalls;
  /** Ends calls under way, also on a transport that others go on using. */
  readonly stopped: SignalSource;
  /** Absent when nothing is registered. */
  readonly workers?: WorkerHost;
  readonly stopWatching?: () => void;
}

function register<D extends AnyWorkflow | AnyTask>(
  type: 'Workflow' | 'Task',
  all: Map<string, D>,
  definition: D,
): void {
  if (!definition?.name) throw new ConfigurationError(`${type} name is required`);
  if (typeof definition.run !== 'function') throw new ConfigurationError(`${type} run function is required`);
  if (all.has(definition.name)) throw new FlovynError(`${type} "${definition.name}" is already registered`);
  all.set(definition.name, definition);
}
