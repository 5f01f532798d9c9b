import { InstanceGone, onCoreReset, type Polled } from '../core.js';
import { CoreError, DeterminismViolation, FlovynError } from '../errors.js';
import { Activation } from '../workflow/activation.js';
import type { AnyWorkflow } from '../workflow/define.js';
import { type ActivationEnd, Driver } from '../workflow/driver.js';
import type { ExecutionCacheLimits, ExecutionCacheMetrics } from './cache-metrics.js';
import type { WorkflowEnd } from '../workflow/workflow-run.js';
import { ExecutionCache } from './execution-cache.js';
import type { WorkerParts } from './worker-parts.js';
import type { WorkflowClaim } from './workflow-claim.js';

/** What a poll brought. */
export interface PolledWork {
  readonly polled: Polled;
  /** The answer of PollWorkflow. */
  readonly answer: Uint8Array;
}

/**
 * Runs activations: goes on with an execution that was kept since its last one, or replays its history.
 *
 * ```text
 * claimed --kept--> continued --suspended--> kept
 *             |         |  stale
 *             |         v
 *         not kept -> replayed --suspended--> kept
 * ```
 */
export class Executions {
  readonly #parts: WorkerParts;
  readonly #definitions: ReadonlyMap<string, AnyWorkflow>;
  readonly #cache: ExecutionCache;
  readonly #forgetReset: () => void;
  readonly #counts = { hits: 0, misses: 0, stale: 0 };

  constructor(
    parts: WorkerParts,
    definitions: ReadonlyMap<string, AnyWorkflow>,
    limits: ExecutionCacheLimits,
  ) {
    this.#parts = parts;
    this.#definitions = definitions;
    this.#cache = new ExecutionCache(limits);
    // What was kept lived in the instance that is gone.
    this.#forgetReset = onCoreReset(() => this.#cache.clear());
  }

  get metrics(): ExecutionCacheMetrics {
    const { size: executions, bytes, evictions } = this.#cache;
    return { ...this.#counts, evictions, executions, bytes };
  }

  /**
   * Runs one activation under its claim; gives how the execution ended if it did. Rejects as `Driver.run` does, and keeps
   * nothing of the execution then.
   */
  async activate(work: PolledWork, claim: WorkflowClaim): Promise<WorkflowEnd | undefined> {
    const kept = this.#take(work.polled);
    if (kept !== undefined && (await this.#continue(kept, work, claim))) return kept.end;
    const driver = this.#open(work);
    await this.#run(work, driver, () => driver.run(claim));
    return driver.end;
  }

  /** Lets everything go. */
  close(): void {
    this.#forgetReset();
    this.#cache.clear();
  }

  /** What is kept of an execution, if it reaches as far as the events that came begin. */
  #take({ executionId, afterSequence }: Polled): Driver | undefined {
    const kept = this.#cache.take(executionId);
    // Code that went on by itself meanwhile is not where a replay would have it.
    if (kept?.isContinuable && kept.activation.lastSequence >= afterSequence) return kept;
    kept?.close();
    if (afterSequence > 0) this.#counts.misses += 1;
    return undefined;
  }

  /** False if the execution must be replayed. */
  async #continue(kept: Driver, work: PolledWork, claim: WorkflowClaim): Promise<boolean> {
    // What was submitted under this claim was submitted by what is kept: only another claim can begin anew.
    const isFinal = (): boolean => claim.accepted > 0;
    try {
      await this.#run(work, kept, () => kept.continue(claim, work.answer, isFinal));
      this.#counts.hits += 1;
      return true;
    } catch (error) {
      if (!isDoubtful(error) || isFinal()) throw error;
      this.#counts.stale += 1;
      return false;
    }
  }

  #open({ answer, polled }: PolledWork): Driver {
    const { transport, codec, serializer, logger, clock, reporter } = this.#parts;
    const definition = this.#definitions.get(polled.kind);
    if (definition === undefined)
      throw new FlovynError(`Workflow "${polled.kind}" is not registered with this worker`);
    const activation = Activation.open(answer, transport.extended, codec);
    if (activation === undefined) throw new FlovynError('The answer of a poll holds no execution');
    const workflow = { workflowExecutionId: polled.executionId, workflowKind: polled.kind };
    const onStarted = (input: () => unknown): void => reporter.workflowStarted(workflow, input);
    return new Driver(activation, { definition, serializer, logger, clock, onStarted });
  }

  async #run({ polled }: PolledWork, driver: Driver, run: () => Promise<ActivationEnd>): Promise<void> {
    try {
      if ((await run()) === 'suspended') this.#keep(polled.executionId, driver);
      else driver.close();
    } catch (error) {
      driver.close();
      throw error;
    }
  }

  /** The activation has succeeded, whatever becomes of what is left of it. */
  #keep(executionId: string, driver: Driver): void {
    try {
      this.#cache.put(executionId, driver);
    } catch (error) {
      // Another execution made the core trap after the last submission was taken.
      if (!(error instanceof InstanceGone)) throw error;
      driver.close();
    }
  }
}

/**
 * Whether an execution that was kept may be what is wrong: it went on elsewhere, what came does not go on where it
 * stands, or it did something that a replay of the same history would not do.
 */
function isDoubtful(error: unknown): boolean {
  if (error instanceof DeterminismViolation) return true;
  return error instanceof CoreError && (error.code === 'STALE' || error.code === 'HISTORY_GAP');
}
