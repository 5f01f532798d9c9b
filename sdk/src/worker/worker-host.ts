import type { ClientSettings } from '../client/settings.js';
import { pause } from '../runtime/pause.js';
import type { AnyTask } from '../task/define.js';
import type { Transport } from '../transport/transport.js';
import type { AnyWorkflow } from '../workflow/define.js';
import type { ExecutionCacheMetrics } from './cache-metrics.js';
import { Registration } from './registration.js';
import { TaskWorker } from './task-worker.js';
import type { WorkerParts } from './worker-parts.js';
import { WorkflowWorker } from './workflow-worker.js';

/** After the grace period, work that does not heed its signal is waited for no longer than this. */
const ABORT_GRACE_MS = 1_000;

/** The workers of one client, under one registration. */
export class WorkerHost {
  readonly #settings: ClientSettings;
  readonly #registration: Registration;
  readonly #workflows: WorkflowWorker | undefined;
  readonly #tasks: TaskWorker | undefined;

  constructor(
    settings: ClientSettings,
    transport: Transport,
    workflows: ReadonlyMap<string, AnyWorkflow>,
    tasks: ReadonlyMap<string, AnyTask>,
  ) {
    this.#settings = settings;
    const { orgId, clock, logger } = settings;
    this.#registration = new Registration({ transport, orgId, workflows, tasks, clock, logger });
    const parts: WorkerParts = { ...settings, transport, workerId: () => this.#registration.workerId };
    if (workflows.size > 0)
      this.#workflows = new WorkflowWorker(parts, workflows, settings.workflowWorkerOptions);
    if (tasks.size > 0) this.#tasks = new TaskWorker(parts, tasks, settings.taskWorkerOptions);
  }

  get activeWorkflowExecutions(): string[] {
    return this.#workflows?.activeExecutions ?? [];
  }

  get activeTaskExecutions(): string[] {
    return this.#tasks?.activeExecutions ?? [];
  }

  /** What became of the executions that are kept between activations; undefined where no workflow is registered. */
  get executionCacheMetrics(): ExecutionCacheMetrics | undefined {
    return this.#workflows?.cacheMetrics;
  }

  /** Registers and begins to poll. */
  async start(): Promise<void> {
    await this.#registration.start();
    this.#workflows?.start();
    this.#tasks?.start();
  }

  /** Claims nothing more, waits for work under way, then gives it up. */
  async stop(): Promise<void> {
    await Promise.all([this.#workflows?.stop(), this.#tasks?.stop()]);
    if (!(await this.#drainedWithin(this.#settings.shutdownGraceMs))) {
      this.#workflows?.abort();
      this.#tasks?.abort();
      if (!(await this.#drainedWithin(ABORT_GRACE_MS))) this.#reportLeft();
    }
    this.#workflows?.close();
    this.#registration.stop();
  }

  async #drainedWithin(limitMs: number): Promise<boolean> {
    const over = new AbortController();
    const drained = Promise.all([this.#workflows?.drain(), this.#tasks?.drain()]).then(() => true);
    const timedOut = pause(this.#settings.clock, limitMs, over.signal).then(() => false);
    const result = await Promise.race([drained, timedOut]);
    over.abort();
    return result;
  }

  #reportLeft(): void {
    const left = [...this.activeWorkflowExecutions, ...this.activeTaskExecutions].join(', ');
    this.#settings.logger.warn(
      `stopped although work was still under way and did not heed its signal: ${left}`,
    );
  }
}
