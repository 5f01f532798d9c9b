import { InstanceGone, type Polled } from '../core.js';
import { CoreError, CoreTrapped, DeterminismViolation, type FlovynError } from '../errors.js';
import { textOf } from '../errors/base.js';
import type { Logger } from '../logger.js';
import { isClaimLost, isServerFault, isTransient } from '../rpc/failures.js';
import { callOutside } from './emitter.js';
import { ClaimLost } from './lease.js';
import { parksBeforeFailure, type WorkflowWorkerOptions } from './options.js';
import { Parking } from './parking.js';
import type { Reporter } from './reporter.js';
import { SubmissionRefused, type WorkflowClaim } from './workflow-claim.js';
import { WorkerStopped } from './worker-stopped.js';

/** Decides what becomes of executions whose activation did not come to its end. */
export class ActivationFailures {
  readonly #options: WorkflowWorkerOptions;
  readonly #logger: Logger;
  readonly #reporter: Reporter;
  readonly #parking = new Parking();

  constructor(options: WorkflowWorkerOptions, logger: Logger, reporter: Reporter) {
    this.#options = options;
    this.#logger = logger;
    this.#reporter = reporter;
  }

  /** An activation came to its end. */
  succeeded({ executionId }: Polled): void {
    this.#parking.forget(executionId);
  }

  /** An activation failed with `error`. Never rejects. */
  async failed(polled: Polled, claim: WorkflowClaim, error: unknown): Promise<void> {
    try {
      await this.#react(polled, claim, error);
    } catch (failed) {
      this.ignore(polled, failed);
    }
  }

  /** The execution is left alone: the server gives it to another activation by itself. */
  ignore(polled: Polled, error: unknown): void {
    this.#log('debug', polled, `left to another activation: ${textOf(error)}`);
  }

  async #react(polled: Polled, claim: WorkflowClaim, error: unknown): Promise<void> {
    // The trap was another execution's fault: this one can go on at once.
    if (error instanceof InstanceGone) return claim.release(error.message, 0);
    if (error instanceof ClaimLost || isClaimLost(error)) return this.ignore(polled, error);
    // Where nothing is numbered a submission is sent once: the server offers the execution again if it was
    // lost.
    if (isTransient(error) && !(claim.isNumbered && isServerFault(error))) return this.ignore(polled, error);
    if (error instanceof WorkerStopped) return claim.release(error.message, 0);
    if (error instanceof CoreError && error.code === 'STALE') return claim.release(error.message, 0);
    if (error instanceof SubmissionRefused) {
      this.#log('error', polled, `failed: ${error.message}`);
      return this.#fail(polled, claim, error, 'ERROR');
    }
    if (error instanceof DeterminismViolation) {
      this.#report(polled, error);
      if (this.#parking.parksOf(polled.executionId) >= parksBeforeFailure(this.#options.violations))
        return this.#fail(polled, claim, error, 'DETERMINISM_VIOLATION');
    }
    await this.#park(polled, claim, error);
  }

  async #fail(polled: Polled, claim: WorkflowClaim, error: FlovynError, failureType: string): Promise<void> {
    try {
      await claim.fail({ error: error.message, stackTrace: error.stack ?? '', failureType });
      const { executionId: workflowExecutionId, kind: workflowKind } = polled;
      this.#reporter.workflowFailed({ workflowExecutionId, workflowKind }, error);
    } catch (failed) {
      if (!(failed instanceof SubmissionRefused)) throw failed;
      await this.#park(polled, claim, failed);
    }
  }

  async #park(polled: Polled, claim: WorkflowClaim, error: unknown): Promise<void> {
    const retryAfterMs = this.#parking.nextMs(polled.executionId);
    const reason = error instanceof CoreTrapped ? `it made the core trap: ${error.message}` : textOf(error);
    this.#log('error', polled, `parked for ${Math.round(retryAfterMs / 1_000)} s: ${reason}`, error);
    this.#reporter.counts.workflows.parks += 1;
    await claim.release(reason, retryAfterMs);
  }

  #report({ executionId, kind }: Polled, violation: DeterminismViolation): void {
    const { onViolation } = this.#options;
    const report = { workflowExecutionId: executionId, workflowKind: kind, violation };
    this.#reporter.violation(report);
    callOutside(this.#logger, 'onViolation', () => onViolation?.(report));
  }

  #log(level: 'debug' | 'error', { kind, executionId }: Polled, text: string, ...args: unknown[]): void {
    this.#logger[level](`workflow ${kind} ${executionId}: ${text}`, ...args);
  }
}
