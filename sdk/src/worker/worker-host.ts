import type { ClientSettings } from '../client/settings.js';
import type { AnyTask } from '../task/define.js';
import type { Transport } from '../transport/transport.js';
import type { AnyWorkflow } from '../workflow/define.js';
import type { ExecutionCacheMetrics } from './cache-metrics.js';
import { Connectivity } from './connectivity.js';
import type { DrainEnd } from './drain-types.js';
import { Grace } from './grace.js';
import type { PollWatcher } from './poll-loop.js';
import { Registration } from './registration.js';
import type { Reporter } from './reporter.js';
import { NO_WORK, type WorkIds } from './shutdown-report.js';
import type { Sweep } from './sweep.js';
import { TaskWorker } from './task-worker.js';
import type { WorkerParts } from './worker-parts.js';
import { WorkflowWorker } from './workflow-worker.js';

/** After the grace period, work that does not heed its signal is waited for no longer than this. */
const ABORT_GRACE_MS = 1_000;

/** What a worker runs. */
export interface Definitions {
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  readonly tasks: ReadonlyMap<string, AnyTask>;
}

/** One life of a worker, from its start to its stop: both halves, under one registration. */
export class WorkerHost {
  readonly #settings: ClientSettings;
  readonly #reporter: Reporter;
  readonly #registration: Registration;
  readonly #workflows: WorkflowWorker | undefined;
  readonly #tasks: TaskWorker | undefined;
  /** No poll waits any more. */
  #stopped: Promise<unknown> = Promise.resolve();

  /** `onEnd` is told of an error after which nothing can be polled for any more. */
  constructor(
    settings: ClientSettings,
    transport: Transport,
    { workflows, tasks }: Definitions,
    reporter: Reporter,
    onEnd: (error: Error) => void,
  ) {
    this.#settings = settings;
    this.#reporter = reporter;
    const { orgId, clock, logger } = settings;
    const onConflicts = reporter.emitter.emit.bind(reporter.emitter, 'conflict');
    this.#registration = new Registration({ transport, orgId, workflows, tasks, clock, logger, onConflicts });
    const workerId = (): string => this.#registration.workerId;
    const watcher = this.#watcher(onEnd);
    const parts: WorkerParts = { ...settings, transport, workerId, reporter, watcher };
    if (workflows.size > 0)
      this.#workflows = new WorkflowWorker(parts, workflows, settings.workflowWorkerOptions);
    if (tasks.size > 0) this.#tasks = new TaskWorker(parts, tasks, settings.taskWorkerOptions);
  }

  /** The id that the server gave. */
  get workerId(): string {
    return this.#registration.workerId;
  }

  /** The work that is under way. */
  get active(): WorkIds {
    return {
      workflowExecutions: this.#workflows?.activeExecutions ?? [],
      taskExecutions: this.#tasks?.activeExecutions ?? [],
    };
  }

  /** How many polls wait. */
  get waitingPolls(): { readonly workflows: number; readonly tasks: number } {
    return { workflows: this.#workflows?.waitingPolls ?? 0, tasks: this.#tasks?.waitingPolls ?? 0 };
  }

  /** What became of the executions that are kept between activations; undefined where no workflow is registered. */
  get executionCacheMetrics(): ExecutionCacheMetrics | undefined {
    return this.#workflows?.cacheMetrics;
  }

  /** Registers; `resume` begins to poll. `signal` ends the registering. */
  async start(signal?: AbortSignal): Promise<void> {
    await this.#registration.start(signal);
  }

  /** Claims what is ready, instead of polling all the time. */
  async sweep(sweep: Sweep): Promise<DrainEnd> {
    const halves = [this.#workflows?.claimant, this.#tasks?.claimant];
    return sweep.run(halves.filter((half) => half !== undefined));
  }

  /** Claims nothing more until `resume`. */
  pause(): void {
    void this.#workflows?.pause();
    void this.#tasks?.pause();
  }

  /** Claims work. */
  resume(): void {
    this.#workflows?.start();
    this.#tasks?.start();
  }

  /**
   * Claims nothing more, waits for work under way, then fires its signals. Gives what was under way when the grace period
   * was over, and what is left of that.
   */
  async stop(grace: Grace): Promise<{ readonly aborted: WorkIds; readonly left: WorkIds }> {
    this.#stopped = Promise.all([this.#workflows?.stop(), this.#tasks?.stop()]);
    const report = await this.#drained(grace);
    this.#workflows?.close();
    this.#registration.stop();
    return report;
  }

  async #drained(grace: Grace): Promise<{ readonly aborted: WorkIds; readonly left: WorkIds }> {
    if (await this.#drainedWithin(grace)) return { aborted: NO_WORK, left: NO_WORK };
    const aborted = this.active;
    this.#workflows?.abort();
    this.#tasks?.abort();
    const heeded = await this.#drainedWithin(new Grace(this.#settings.clock, ABORT_GRACE_MS));
    const left = heeded ? NO_WORK : this.active;
    return { aborted: without(aborted, left), left };
  }

  async #drainedWithin(grace: Grace): Promise<boolean> {
    // What the last polls bring is given back, which is work too.
    const all = this.#stopped.then(() => Promise.all([this.#workflows?.drain(), this.#tasks?.drain()]));
    const drained = all.then(() => true);
    const result = await Promise.race([drained, grace.over.then(() => false)]);
    grace.dispose();
    return result;
  }

  #watcher(onEnd: (error: Error) => void): PollWatcher {
    const { clock, logger } = this.#settings;
    const { emitter, counts } = this.#reporter;
    const connectivity = new Connectivity(clock, logger, (event, value) => {
      counts.connection[event === 'disconnected' ? 'disconnects' : 'reconnects'] += 1;
      emitter.emit(event, value);
      // A server that was restarted may have forgotten who its workers are.
      if (event === 'reconnected') this.#registration.checkIn();
    });
    return {
      failed: (what, error) => connectivity.failed(what, error),
      succeeded: (what) => connectivity.succeeded(what),
      ended: (what, error) => {
        logger.error(`polling for ${what} has ended: ${error.message}`, error);
        onEnd(error);
      },
    };
  }
}

function without(all: WorkIds, some: WorkIds): WorkIds {
  const not =
    (ids: readonly string[]) =>
    (id: string): boolean =>
      !ids.includes(id);
  return {
    workflowExecutions: all.workflowExecutions.filter(not(some.workflowExecutions)),
    taskExecutions: all.taskExecutions.filter(not(some.taskExecutions)),
  };
}
