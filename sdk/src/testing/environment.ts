import { FlovynClient, type StartedWorkflow } from '../client/client.js';
import type { WorkflowHandle } from '../client/handle.js';
import { Duration } from '../duration.js';
import {
  FlovynError,
  NotFoundError,
  TimeoutError,
  Unsupported,
  WorkflowCancelled,
  WorkflowFailed,
} from '../errors.js';
import { checkOptions, wholeMs } from '../options.js';
import { randomId } from '../runtime/random-id.js';
import type { AnyTask } from '../task/define.js';
import type { AnyWorkflow, WorkflowDefinition } from '../workflow/define.js';
import type { InputAndOptions } from '../workflow/handle-types.js';
import { checkEveryPrefix } from './replay/check-every-prefix.js';
import { configuredServer } from './configured-server.js';
import { fetchHistory } from './history.js';
import type { FetchedHistory } from './history-types.js';
import {
  checkEnvironmentOptions,
  type HarnessConfig,
  type TestAwaitOptions,
  type TestEnvironmentOptions,
  type TestStartOptions,
} from './options.js';
import { embeddedPlace, type Place, serverPlace } from './place.js';
import { kindOf } from './replay/read-history.js';
import { realPause, withinRealMs } from './real-time.js';

/** A promise that workflow code has not made yet is waited for no longer than this. */
const PROMISE_WAIT_MS = 5_000;
const PROMISE_LOOK_MS = 5;
/** What a test has left running is of no use to anybody. */
const SHUTDOWN_GRACE_MS = 1_000;

/** Longer histories are not checked prefix by prefix unless a test asks for it: that costs their length squared. */
const CHECKED_EVENTS_MAX = 500;

/**
 * Runs workflows and tasks in a test: a server, a client and a worker that belong to nobody else.
 *
 * ```ts
 * const env = new FlovynTestEnvironment({ time: 'virtual' });
 * env.registerWorkflow(reminder).registerTask(sendMail);
 * await env.start();
 * // It sleeps for 30 days in between, and this takes milliseconds.
 * assert.equal(await env.startAndAwait(reminder, { to: 'ada@example.com' }), 'sent');
 * await env.stop();
 * ```
 *
 * The server is the engine in this process, unless another is configured: see `server` of the options. Virtual time is
 * skipped only while test code waits (for a `result()`, in `awaitCompletion`, `startAndAwait` or `advance`), while no
 * workflow code, task or operation runs, and while every worker waits for work. While a task or an operation runs, time
 * goes on as on the machine, so that its timeouts take effect.
 */
export class FlovynTestEnvironment {
  /** How long a test of a test runner should be given, in milliseconds. */
  static readonly TEST_TIMEOUT: number = 60_000;
  /** How long `awaitCompletion` waits by default, in milliseconds. */
  static readonly DEFAULT_AWAIT_TIMEOUT: number = 30_000;
  /**
   * How long tests of earlier versions waited for workers to be registered, in milliseconds. `start` resolves when they
   * are: there is nothing to wait for.
   */
  static readonly WORKER_REGISTRATION_DELAY: number = 500;

  /** The queue of workers and executions. */
  readonly queue: string;
  /** Id of the organisation, a UUID. */
  readonly orgId: string;
  readonly #options: TestEnvironmentOptions;
  readonly #server: HarnessConfig | undefined;
  readonly #workflows = new Map<string, AnyWorkflow>();
  readonly #tasks = new Map<string, AnyTask>();
  #running: { readonly place: Place; readonly client: FlovynClient } | undefined;
  #starting: Promise<void> | undefined;

  /** Throws `ConfigurationError` for options that cannot be meant. Nothing is started. */
  constructor(options: TestEnvironmentOptions = {}) {
    checkEnvironmentOptions(options);
    this.#options = options;
    this.#server = chosenServer(options);
    this.queue = options.queue ?? `test-${randomId().slice(0, 8)}`;
    this.orgId = this.#server?.orgId ?? crypto.randomUUID();
  }

  /** Runs executions of this workflow; one of the same name that was registered before is replaced. Before `start`. */
  registerWorkflow(definition: AnyWorkflow): this {
    if (this.#isBusy) throw new FlovynError('Cannot register workflows after client has started');
    this.#workflows.set(definition.name, definition);
    return this;
  }

  /** Runs tasks of this definition; one of the same name that was registered before is replaced. Before `start`. */
  registerTask(definition: AnyTask): this {
    if (this.#isBusy) throw new FlovynError('Cannot register tasks after client has started');
    this.#tasks.set(definition.name, definition);
    return this;
  }

  /** Starts everything; resolves when executions can be started. A second call does nothing. */
  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    this.#starting ??= this.#open().finally(() => {
      this.#starting = undefined;
    });
    await this.#starting;
  }

  /**
   * Ends everything: work under way is given a second. The engine in this process forgets its executions. It can be
   * started again.
   */
  async stop(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    const { client, place } = running;
    place.virtual?.skipper.stop();
    try {
      await client.stop();
    } finally {
      place.virtual?.clock.flow(false);
      await place.close();
    }
  }

  /** Whether `start` has been done and `stop` has not. */
  get isStarted(): boolean {
    return this.#running !== undefined;
  }

  /** The client that it uses; null before `start`. */
  get client(): FlovynClient | null {
    return this.#running?.client ?? null;
  }

  /** Starts an execution of a workflow. */
  async startWorkflow<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, TestStartOptions>
  ): Promise<StartedWorkflow<Output>>;
  /** Starts an execution of a workflow by its name. `Output` is taken on trust. */
  async startWorkflow<Output = unknown>(
    name: string,
    input?: unknown,
    options?: TestStartOptions,
  ): Promise<StartedWorkflow<Output>>;
  async startWorkflow(
    definition: AnyWorkflow | string,
    input?: unknown,
    options: TestStartOptions = {},
  ): Promise<StartedWorkflow<unknown>> {
    checkOptions('startWorkflow', options, ['idempotencyKey']);
    return this.#client.startWorkflow(definition as string, input, options);
  }

  /**
   * Waits for the end of an execution and gives its result, or rejects as `handle.result()` does. Rejects with
   * `TimeoutError` after `timeout` (default: 30 s), which is time of the machine, also where time is virtual; and with
   * `DeterminismViolation` when re-executing the workflow from a prefix of its history does something else: see
   * `checkEveryPrefix` of the options.
   */
  async awaitCompletion<Output>(
    handle: WorkflowHandle<Output>,
    timeout: Duration = Duration.milliseconds(FlovynTestEnvironment.DEFAULT_AWAIT_TIMEOUT),
  ): Promise<Output> {
    const timeoutMs = wholeMs('awaitCompletion, timeout', timeout);
    const { workflowId } = handle;
    const result = handle.result();
    const ended = result.then(() => true, isEnd);
    const hasEnded = await withinRealMs(timeoutMs, ended, () => this.#tooLate(workflowId, timeoutMs));
    if (hasEnded && this.#options.checkEveryPrefix !== false) await this.#checkEveryPrefix(handle);
    return result;
  }

  /** Starts an execution, waits for its end and gives its result, as `startWorkflow` and `awaitCompletion` do. */
  async startAndAwait<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    ...rest: InputAndOptions<Input, TestAwaitOptions>
  ): Promise<Output>;
  /** The same for a workflow by its name. `Output` is taken on trust. */
  async startAndAwait<Output = unknown>(
    name: string,
    input?: unknown,
    options?: TestAwaitOptions,
  ): Promise<Output>;
  async startAndAwait(
    definition: AnyWorkflow | string,
    input?: unknown,
    options: TestAwaitOptions = {},
  ): Promise<unknown> {
    checkOptions('startAndAwait', options, ['idempotencyKey', 'timeout']);
    const { timeout, ...start } = options;
    const { handle } = await this.startWorkflow(definition as string, input, start);
    return this.awaitCompletion(handle, timeout);
  }

  /**
   * Resolves a promise that the workflow made with `ctx.promise(name)`. One that has not been made yet is waited for, up
   * to 5 s; then it rejects with `NotFoundError`. Where time is virtual, it is skipped until the promise is made.
   */
  async resolvePromise(handle: WorkflowHandle, name: string, value?: unknown): Promise<void> {
    await this.#untilFound(() => this.#client.resolvePromise(`${handle.workflowId}:${name}`, value));
  }

  /** As `resolvePromise`, but the workflow sees a `PromiseRejected` with this reason. */
  async rejectPromise(handle: WorkflowHandle, name: string, reason: string | Error): Promise<void> {
    await this.#untilFound(() => this.#client.rejectPromise(`${handle.workflowId}:${name}`, reason));
  }

  /** Sends a signal; the number of its event. */
  async signalWorkflow(handle: WorkflowHandle, name: string, value?: unknown): Promise<number> {
    return this.#client.signalWorkflow(handle.workflowId, name, value);
  }

  /** Sends a signal to the execution under the key `workflowId`, which is started if none runs under it. */
  async signalWithStartWorkflow<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    workflowId: string,
    input: Input,
    signalName: string,
    signalValue?: unknown,
  ): Promise<{ handle: WorkflowHandle<Output>; workflowCreated: boolean }> {
    const options = { workflowId, input, signalName, signalValue };
    const started = await this.#client.signalWithStartWorkflow(definition, options);
    return { handle: started.workflowHandle, workflowCreated: started.workflowCreated };
  }

  /** The history of an execution so far: what `replayHistory` and `checkEveryPrefix` take. */
  async history(handle: WorkflowHandle): Promise<FetchedHistory> {
    const { workflowId } = handle;
    return {
      workflowExecutionId: workflowId,
      events: await fetchHistory(this.#started.place.transport, workflowId),
    };
  }

  /** The time in the environment. */
  now(): Date {
    return new Date(this.#running?.place.virtual?.clock.nowMs() ?? Date.now());
  }

  /**
   * Lets this much time pass; resolves when what it brings about has been done. Throws `Unsupported` where time is real.
   */
  async advance(duration: Duration): Promise<void> {
    const ms = wholeMs('advance', duration);
    const { virtual } = this.#started.place;
    if (virtual === undefined)
      throw new Unsupported('advance: time is real in this environment; make it with { time: "virtual" }');
    await virtual.skipper.advance(ms);
  }

  get #isBusy(): boolean {
    return this.#running !== undefined || this.#starting !== undefined;
  }

  get #started(): { readonly place: Place; readonly client: FlovynClient } {
    if (this.#running === undefined) throw new FlovynError('Client is not started');
    return this.#running;
  }

  get #client(): FlovynClient {
    return this.#started.client;
  }

  async #open(): Promise<void> {
    const { serializer, logger, workflowWorkerOptions, taskWorkerOptions } = this.#options;
    const place =
      this.#server === undefined ? embeddedPlace(this.orgId, this.#options) : serverPlace(this.#server);
    const client = new FlovynClient({
      ...place.connection,
      queue: this.queue,
      serializer,
      logger,
      workflowWorkerOptions,
      taskWorkerOptions,
      shutdownGraceMs: SHUTDOWN_GRACE_MS,
    });
    for (const definition of this.#workflows.values()) client.registerWorkflow(definition);
    for (const definition of this.#tasks.values()) client.registerTask(definition);
    try {
      await client.start();
    } catch (error) {
      await place.close();
      throw error;
    }
    this.#running = { place, client };
  }

  /**
   * Throws if an execution that has ended, one of this environment that is not long, does something else when it is run
   * anew.
   */
  async #checkEveryPrefix(handle: WorkflowHandle): Promise<void> {
    const history = await this.history(handle);
    if (history.events.length >= CHECKED_EVENTS_MAX) return;
    const definition = this.#workflows.get(kindOf(history.events) ?? '');
    const { serializer } = this.#options;
    if (definition !== undefined) await checkEveryPrefix(definition, history, { serializer });
  }

  async #untilFound(call: () => Promise<void>): Promise<void> {
    const { skipper } = this.#started.place.virtual ?? {};
    const endMs = performance.now() + PROMISE_WAIT_MS;
    for (let tries = 0; ; tries += 1) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof NotFoundError) || performance.now() >= endMs) throw error;
      }
      if (skipper === undefined) await realPause(PROMISE_LOOK_MS);
      // What is on its way may make it without any time.
      else await (tries === 0 ? skipper.advance(0) : skipper.advanceToNext());
    }
  }

  async #tooLate(workflowId: string, timeoutMs: number): Promise<TimeoutError> {
    const what = `awaitCompletion of workflow ${workflowId}`;
    const events = await fetchHistory(this.#started.place.transport, workflowId).catch(() => []);
    const last = events.slice(-3).map(({ sequence, eventType }) => `${sequence} ${eventType}`);
    const where = last.length === 0 ? '' : `, whose history ends with ${last.join(', ')},`;
    return new TimeoutError(`${what}${where}`, timeoutMs);
  }
}

/** Whether a result that was not there means that the execution has ended without one. */
function isEnd(error: unknown): boolean {
  return error instanceof WorkflowFailed || error instanceof WorkflowCancelled;
}

function chosenServer({ server, time }: TestEnvironmentOptions): HarnessConfig | undefined {
  if (server === false || time === 'virtual') return undefined;
  return server ?? configuredServer();
}
