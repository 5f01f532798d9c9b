import type { FlovynWorkerOptions } from '../client/options.js';
import { type ClientSettings, workerSettings } from '../client/settings.js';
import { ConfigurationError, FlovynError, TimeoutError } from '../errors.js';
import { textOf } from '../errors/base.js';
import { checkOptions } from '../options.js';
import type { AbortSignal } from '../runtime/platform-types.js';
import { onShutdownSignal } from '../runtime/process-signals.js';
import type { AnyTask } from '../task/define.js';
import type { Transport } from '../transport/transport.js';
import type { AnyWorkflow } from '../workflow/define.js';
import { register } from './definitions.js';
import type { WorkerEvents, WorkerListener } from './events.js';
import type { DrainEnd, DrainOptions, DrainReport } from './drain-types.js';
import { Grace } from './grace.js';
import type { WorkerMetrics } from './metrics.js';
import { Reporter } from './reporter.js';
import { NOTHING_SHUT_DOWN, shutdownLine, type ShutdownReport } from './shutdown-report.js';
import { Sweep, type SweepLimits, sweepLimits } from './sweep.js';
import { watchUnhandledRejections } from './unhandled-rejections.js';
import { type Definitions, WorkerHost } from './worker-host.js';

/** Where a worker is in its life, see `Worker`. */
export type WorkerStatus = 'new' | 'starting' | 'running' | 'paused' | 'stopping' | 'stopped';

/** Options of `run`. */
export interface RunOptions {
  /** Shuts the worker down in order when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `start`. */
export interface StartOptions {
  /** Ends a start that has not come to its end when it fires; afterwards it does nothing. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `shutdown`. */
export interface ShutdownOptions {
  /**
   * How long work under way is waited for before its signals fire, in milliseconds; 0 fires them at once. Default:
   * `shutdownGraceMs` of the worker.
   */
  readonly graceMs?: number | undefined;
}

/**
 * Runs executions of workflows and tasks.
 *
 * ```ts
 * const worker = new Worker({
 *   serverUrl: 'http://localhost:9090',
 *   workflows: [reminder],
 *   tasks: [sendMail],
 *   handleSignals: true,
 * });
 * await worker.run();
 * ```
 *
 * ```text
 * new --start--> starting --> running <--pause, resume--> paused
 *                   |            |                          |
 *                   | fails      '------- shutdown ---------'
 *                   v                        v
 *                stopped  <------------  stopping
 *                   '--start--> starting ..
 * ```
 *
 * A server that is restarted, or cannot be reached for a while, is waited for: the worker polls again after a pause of up
 * to 1 s, then of up to 2 s, and so on up to a minute, and goes on with the work under way.
 */
export class Worker {
  readonly #source: WorkerSource;
  readonly #reporter: Reporter;
  #status: WorkerStatus = 'new';
  #life: Life | undefined;
  #starting: Promise<Life> | undefined;
  #stopping: { readonly grace: Grace; readonly report: Promise<ShutdownReport> } | undefined;
  #lastReport = NOTHING_SHUT_DOWN;

  /** Throws `ConfigurationError` for options that cannot be meant. Nothing is sent before `start` or `run`. */
  constructor(options: FlovynWorkerOptions);
  /** @internal */
  constructor(source: WorkerSource);
  constructor(from: FlovynWorkerOptions | WorkerSource) {
    this.#source = from instanceof WorkerSource ? from : sourceOf(from);
    this.#reporter = new Reporter(this.#source.settings);
  }

  /** Where it is in its life. */
  get status(): WorkerStatus {
    return this.#status;
  }

  /** How long it has been running since its start, in milliseconds; 0 before and after. */
  get uptimeMs(): number {
    return this.#life === undefined ? 0 : this.#nowMs() - this.#life.sinceMs;
  }

  /** Ids of the executions with an activation under way. */
  get activeWorkflowExecutions(): readonly string[] {
    return this.#life?.host.active.workflowExecutions ?? [];
  }

  /** Ids of the tasks with an attempt under way. */
  get activeTaskExecutions(): readonly string[] {
    return this.#life?.host.active.taskExecutions ?? [];
  }

  /** What it has done so far, and does now. */
  metrics(): WorkerMetrics {
    const { counts, polls, activationMs, attemptMs, reports } = this.#reporter;
    const host = this.#life?.host;
    return {
      uptimeMs: this.uptimeMs,
      ...counts.connection,
      workflows: {
        active: this.activeWorkflowExecutions.length,
        polls: polls.workflows.values(host?.waitingPolls.workflows ?? 0),
        ...counts.workflows,
        activationMs: activationMs.values,
        cache: host?.executionCacheMetrics,
      },
      tasks: {
        active: this.activeTaskExecutions.length,
        polls: polls.tasks.values(host?.waitingPolls.tasks ?? 0),
        ...counts.tasks,
        abandoned: { ...counts.abandoned },
        attemptMs: attemptMs.values,
        reports: reports.metrics,
      },
    };
  }

  /**
   * Calls `listener` at each event of this name, see `WorkerEvents`; returns how to stop that. What a listener throws is
   * logged and changes nothing.
   */
  on<Event extends keyof WorkerEvents>(event: Event, listener: WorkerListener<Event>): () => void {
    return this.#reporter.emitter.on(event, listener);
  }

  /**
   * Registers with the server and begins to work. Rejects when the server cannot be reached within some seconds or does
   * not accept the key, and while the worker is started; later outages are waited for.
   */
  async start(options: StartOptions = {}): Promise<void> {
    checkOptions('start', options, ['signal']);
    await this.#start(options.signal);
  }

  /**
   * Starts, and resolves when the worker has shut down: by `shutdown`, by `signal`, or by SIGINT and SIGTERM with
   * `handleSignals`. Rejects as `start` does, and with the error that ended the server for good where it is embedded.
   */
  async run(options: RunOptions = {}): Promise<void> {
    checkOptions('run', options, ['signal']);
    const { signal } = options;
    if (signal?.aborted) return;
    const stop = (): void => void this.shutdown();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await this.start({ signal });
      await this.#life?.ended;
    } catch (error) {
      // A start that the signal has ended is an end in order, too.
      if (!signal?.aborted || this.#life !== undefined) throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /**
   * Registers, runs everything that is ready and what comes of it, and shuts down: for functions that are called now and
   * then, by a timer or a message, instead of a process that polls. It waits for nothing that is not ready yet, such as
   * a timer. Executions that are kept in memory are let go of in the end.
   *
   * ```ts
   * const worker = new Worker({ serverUrl: 'http://localhost:9090', workflows: [reminder], tasks: [sendMail] });
   * const { end, activations, attempts } = await worker.drain({ maxMs: 25_000, maxRequests: 40 });
   * ```
   *
   * Rejects as `start` does, when `maxMs` is over at the latest, with `ConfigurationError` for limits that cannot be
   * meant, and with the error of a poll that failed, after work under way has ended. `pause` throws meanwhile.
   */
  async drain(options: DrainOptions = {}): Promise<DrainReport> {
    return this.#drain(sweepLimits(options), options.signal);
  }

  /**
   * As `drain`, for one piece of work: an activation of an execution or an attempt of a task. Resolves with false if
   * nothing was ready.
   */
  async runOnce(options: RunOptions = {}): Promise<boolean> {
    checkOptions('runOnce', options, ['signal']);
    const { activations, attempts } = await this.#drain(sweepLimits({ maxActivations: 1 }), options.signal);
    return activations + attempts > 0;
  }

  /**
   * Claims nothing more until `resume`: polls that wait are ended, and work under way goes on. A paused worker answers no
   * queries either, since they come by the same polls; other workers of the queue do. Throws unless it is running or
   * paused.
   */
  pause(): void {
    const { host } = this.#livingOrThrow('paused');
    if (this.#status === 'paused') return;
    this.#status = 'paused';
    host.pause();
    this.#reporter.emitter.emit('pause', {});
  }

  /** Claims work again after `pause`. Throws unless the worker is running or paused. */
  resume(): void {
    const { host } = this.#livingOrThrow('resumed');
    if (this.#status === 'running') return;
    this.#status = 'running';
    host.resume();
    this.#reporter.emitter.emit('resume', {});
  }

  /**
   * Claims nothing more at once and ends the polls that wait. Work under way may go on for `graceMs`; then its signals
   * fire: tasks see `ctx.signal`, and executions go to other workers. What has not ended a second later is left behind.
   * What a task has done by then is reported, and what it has not goes to other workers at once.
   *
   * Resolves with how it went, which is also logged in one line. During a start it waits for that first. Further calls
   * wait for the same shutdown; a `graceMs` of theirs can make it end earlier. Before a start it does nothing, and after
   * a shutdown it gives the report of that.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<ShutdownReport> {
    checkOptions('shutdown', options, ['graceMs']);
    const { graceMs } = options;
    if (graceMs !== undefined && !(graceMs >= 0))
      throw new ConfigurationError(
        `shutdown: graceMs must be a number of milliseconds from 0 up, got ${graceMs}`,
      );
    if (this.#starting !== undefined) await this.#starting.catch(() => undefined);
    if (this.#stopping !== undefined) {
      if (graceMs !== undefined) this.#stopping.grace.limit(graceMs);
      return this.#stopping.report;
    }
    if (this.#life === undefined) return this.#lastReport;
    const { clock, shutdownGraceMs } = this.#source.settings;
    const grace = new Grace(clock, graceMs ?? shutdownGraceMs);
    const report = this.#end(this.#life, grace);
    this.#stopping = { grace, report };
    return report;
  }

  #livingOrThrow(what: string): Life {
    const life = this.#life;
    if (life !== undefined && life.sweep === undefined && this.#stopping === undefined) return life;
    const status = life?.sweep === undefined ? this.#status : 'draining';
    throw new FlovynError(`Worker can be ${what} only while it runs; it is ${status}`);
  }

  async #start(signal: AbortSignal | undefined, sweep?: Sweep): Promise<Life> {
    if (this.#starting !== undefined || this.#life !== undefined)
      throw new FlovynError('Worker is already started');
    this.#status = 'starting';
    this.#starting = this.#begin(signal, sweep);
    try {
      return await this.#starting;
    } finally {
      this.#starting = undefined;
    }
  }

  async #drain(limits: SweepLimits, signal: AbortSignal | undefined): Promise<DrainReport> {
    const startedMs = this.#nowMs();
    const sweep = new Sweep(limits, this.#source.settings.clock);
    if (signal?.aborted) return { ...NOTHING_SHUT_DOWN, end: 'shutdown', ...sweep.counts };
    const stop = (): void => void this.shutdown();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      const life = await this.#startWithin(limits.maxMs, signal, sweep);
      const [end, report] = await this.#sweep(life.host, sweep);
      return { ...report, durationMs: this.#nowMs() - startedMs, end, ...sweep.counts };
    } catch (error) {
      if (!signal?.aborted || this.#life !== undefined) throw error;
      // A start that the signal has ended is an end in order, too.
      const durationMs = this.#nowMs() - startedMs;
      return { ...NOTHING_SHUT_DOWN, durationMs, end: 'shutdown', ...sweep.counts };
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Starts; a start that takes longer is ended, and so is one during which `signal` fires. */
  async #startWithin(maxMs: number, signal: AbortSignal | undefined, sweep: Sweep): Promise<Life> {
    const over = new AbortController();
    const end = (): void => over.abort(signal?.reason);
    signal?.addEventListener('abort', end, { once: true });
    const onLimit = (): void => over.abort(new TimeoutError('drain', maxMs));
    const { clock } = this.#source.settings;
    const stopTimer = maxMs === Number.POSITIVE_INFINITY ? undefined : clock.schedule(maxMs, onLimit);
    try {
      return await this.#start(over.signal, sweep);
    } finally {
      stopTimer?.();
      signal?.removeEventListener('abort', end);
    }
  }

  async #sweep(host: WorkerHost, sweep: Sweep): Promise<[DrainEnd, ShutdownReport]> {
    const shutDown = (): Promise<ShutdownReport> =>
      this.shutdown(sweep.leftMs === Number.POSITIVE_INFINITY ? {} : { graceMs: sweep.leftMs });
    try {
      const end = await host.sweep(sweep);
      return [end, await shutDown()];
    } catch (error) {
      await shutDown();
      throw error;
    }
  }

  #nowMs(): number {
    return this.#source.settings.clock.nowMs();
  }

  async #begin(signal: AbortSignal | undefined, sweep: Sweep | undefined): Promise<Life> {
    const { settings, definitions, handleSignals } = this.#source;
    const connection = this.#source.open();
    const transport = sweep?.counted(connection.transport) ?? connection.transport;
    let failure: Error | undefined;
    const host = new WorkerHost(settings, transport, definitions, this.#reporter, (error) => {
      failure = error;
      void this.shutdown();
    });
    const stopListening = handleSignals ? this.#listenToSignals() : () => {};
    try {
      await host.start(signal);
      signal?.throwIfAborted();
    } catch (error) {
      this.#status = 'stopped';
      stopListening();
      await host.stop(new Grace(settings.clock, 0));
      await this.#closed(connection);
      throw error;
    }
    const stopWatching = watchUnhandledRejections(settings.logger);
    let end = (): void => {};
    const ended = new Promise<void>((resolve, reject) => {
      end = () => (failure === undefined ? resolve() : reject(failure));
    });
    // Nobody has to wait for it.
    ended.catch(() => {});
    const close = async (): Promise<void> => {
      stopListening();
      stopWatching();
      await this.#closed(connection);
    };
    const life = { host, sweep, sinceMs: this.#nowMs(), ended, end, close };
    this.#life = life;
    this.#status = 'running';
    this.#reporter.emitter.emit('start', { workerId: host.workerId });
    if (sweep === undefined) host.resume();
    return life;
  }

  async #closed(connection: { close(): Promise<void> }): Promise<void> {
    await connection.close().catch((error: unknown) => {
      this.#source.settings.logger.warn(`the connection was not closed: ${textOf(error)}`);
    });
  }

  async #end(life: Life, grace: Grace): Promise<ShutdownReport> {
    const startedMs = this.#nowMs();
    this.#status = 'stopping';
    life.sweep?.close('shutdown');
    const work = await life.host.stop(grace);
    await life.close();
    const report = { durationMs: this.#nowMs() - startedMs, ...work };
    const [level, line] = shutdownLine(report);
    // A drain tells how it went.
    this.#source.settings.logger[level === 'info' && life.sweep !== undefined ? 'debug' : level](line);
    this.#lastReport = report;
    this.#status = 'stopped';
    this.#life = undefined;
    this.#stopping = undefined;
    this.#reporter.emitter.emit('stop', report);
    life.end();
    return report;
  }

  #listenToSignals(): () => void {
    return onShutdownSignal((signal) => {
      this.#source.settings.logger.info(
        `${signal}: the worker shuts down; another one ends the process at once`,
      );
      void this.shutdown();
    });
  }
}

/** A worker between its start and its stop. */
interface Life {
  readonly host: WorkerHost;
  /** What it works for if it does not poll all the time. */
  readonly sweep: Sweep | undefined;
  readonly sinceMs: number;
  /** Settles at the end of the shutdown. */
  readonly ended: Promise<void>;
  readonly end: () => void;
  /** Lets go of what belongs to this life. */
  readonly close: () => Promise<void>;
}

/** What a worker is made of. @internal */
export class WorkerSource {
  readonly settings: ClientSettings;
  readonly definitions: Definitions;
  readonly handleSignals: boolean;
  /** Opens the way to the server, at each start. */
  readonly open: () => { readonly transport: Transport; close(): Promise<void> };

  constructor(parts: Pick<WorkerSource, 'settings' | 'definitions' | 'handleSignals' | 'open'>) {
    this.settings = parts.settings;
    this.definitions = parts.definitions;
    this.handleSignals = parts.handleSignals;
    this.open = parts.open;
  }
}

function sourceOf(options: FlovynWorkerOptions): WorkerSource {
  const settings = workerSettings(options);
  const definitions = definitionsOf(options);
  const open = (): ReturnType<WorkerSource['open']> => {
    const connection = settings.connect();
    return { transport: connection.worker, close: () => connection.close() };
  };
  return new WorkerSource({ settings, definitions, handleSignals: settings.handleSignals, open });
}

function definitionsOf({ workflows = [], tasks = [] }: FlovynWorkerOptions): Definitions {
  const all = { workflows: new Map<string, AnyWorkflow>(), tasks: new Map<string, AnyTask>() };
  for (const definition of workflows) register('Workflow', all.workflows, definition);
  for (const definition of tasks) register('Task', all.tasks, definition);
  if (all.workflows.size + all.tasks.size > 0) return all;
  throw new ConfigurationError('Worker needs at least one workflow or task, got none');
}
