import { encodePollWorkflow, InstanceGone } from '../core.js';
import { CoreError, CoreTrapped, DeterminismViolation, FlovynError } from '../errors.js';
import { textOf } from '../errors/base.js';
import { isClaimLost, isServerFault, isTransient } from '../rpc/failures.js';
import { Method, WAIT_MARGIN_MS } from '../rpc/methods.js';
import { Activation } from '../workflow/activation.js';
import type { AnyWorkflow } from '../workflow/define.js';
import { Driver } from '../workflow/driver.js';
import { ClaimLost } from './lease.js';
import { parksBeforeFailure, pollLimits, type WorkflowWorkerOptions } from './options.js';
import { Parking } from './parking.js';
import { PollLoop } from './poll-loop.js';
import { SubmissionRefused, WorkflowClaim } from './workflow-claim.js';
import { POLL_SECONDS, type WorkerParts } from './worker-parts.js';
import { WorkerStopped } from './worker-stopped.js';

/** Claims executions of the registered kinds and runs an activation of each. */
export class WorkflowWorker {
  readonly #parts: WorkerParts;
  readonly #options: WorkflowWorkerOptions;
  readonly #definitions: ReadonlyMap<string, AnyWorkflow>;
  readonly #loop: PollLoop<Activation>;
  readonly #claims = new Map<string, WorkflowClaim>();
  readonly #parking = new Parking();

  constructor(
    parts: WorkerParts,
    definitions: ReadonlyMap<string, AnyWorkflow>,
    options: WorkflowWorkerOptions,
  ) {
    this.#parts = parts;
    this.#options = options;
    this.#definitions = definitions;
    this.#loop = new PollLoop({
      what: 'workflows',
      ...pollLimits(options, parts.transport),
      poll: (signal) => this.#poll(signal),
      work: (activation) => this.#activate(activation),
      giveBack: (activation) => this.#giveBack(activation),
      clock: parts.clock,
      logger: parts.logger,
    });
  }

  /** Ids of the executions with an activation under way. */
  get activeExecutions(): string[] {
    return [...this.#claims.keys()];
  }

  start(): void {
    this.#loop.start();
  }

  /** Claims nothing more. */
  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  /** Resolves when no activation is under way. */
  async drain(): Promise<void> {
    await this.#loop.drain();
  }

  /** Ends activations under way; their executions are offered to other workers at once. */
  abort(): void {
    for (const claim of this.#claims.values()) claim.giveUp(new WorkerStopped());
  }

  async #poll(signal: AbortSignal): Promise<Activation | undefined> {
    const { transport, orgId, queue, workerId, codec } = this.#parts;
    const request = encodePollWorkflow({
      workerId: workerId(),
      orgId,
      queue,
      timeoutSeconds: POLL_SECONDS,
      longPoll: transport.extended,
      workflowCapabilities: [...this.#definitions.keys()],
    });
    const deadlineMs = POLL_SECONDS * 1_000 + WAIT_MARGIN_MS;
    const answer = await transport.unary(Method.PollWorkflow, request, {
      signal,
      deadlineMs,
      repeatable: true,
    });
    return Activation.open(answer.body, transport.extended, codec);
  }

  async #activate(activation: Activation): Promise<undefined> {
    const { executionId } = activation.info;
    const claim = this.#claim(activation);
    this.#claims.set(executionId, claim);
    try {
      await this.#run(activation, claim);
      this.#parking.forget(executionId);
    } catch (error) {
      const cause: unknown = claim.signal.aborted ? claim.signal.reason : error;
      await this.#failed(activation, claim, cause).catch((error: unknown) => this.#ignore(activation, error));
    } finally {
      claim.end();
      if (this.#claims.get(executionId) === claim) this.#claims.delete(executionId);
      activation.close();
    }
  }

  /** What came when the worker had been told to stop goes to other workers at once. */
  async #giveBack(activation: Activation): Promise<void> {
    const claim = this.#claim(activation);
    // Without a token nothing can be given back.
    if (!claim.isNumbered) return this.#activate(activation);
    try {
      await claim.release(new WorkerStopped().message, 0);
    } catch (error) {
      this.#ignore(activation, error);
    } finally {
      activation.close();
    }
  }

  #claim({ info }: Activation): WorkflowClaim {
    const { transport, clock, logger } = this.#parts;
    return new WorkflowClaim(info, transport, clock, logger);
  }

  async #run(activation: Activation, claim: WorkflowClaim): Promise<void> {
    const { serializer, logger, clock } = this.#parts;
    const { kind } = activation.info;
    const definition = this.#definitions.get(kind);
    if (definition === undefined)
      throw new FlovynError(`Workflow "${kind}" is not registered with this worker`);
    await new Driver(activation, { definition, serializer, logger, clock }).run(claim);
  }

  /** The one place that decides what becomes of an execution whose activation did not come to its end. */
  async #failed(activation: Activation, claim: WorkflowClaim, error: unknown): Promise<void> {
    const accepted = activation.submissions;
    // The trap was another execution's fault: this one can go on at once.
    if (error instanceof InstanceGone) return claim.release(error.message, 0);
    if (error instanceof ClaimLost || isClaimLost(error)) return this.#ignore(activation, error);
    // Where nothing is numbered a submission is sent once: the server offers the execution again if it was
    // lost.
    if (isTransient(error) && !(claim.isNumbered && isServerFault(error)))
      return this.#ignore(activation, error);
    if (error instanceof WorkerStopped) return claim.release(error.message, 0);
    if (error instanceof CoreError && error.code === 'STALE') return claim.release(error.message, 0);
    if (error instanceof SubmissionRefused) {
      this.#log('error', activation, `failed: ${error.message}`);
      return this.#fail(activation, claim, error, 'ERROR', accepted - 1);
    }
    if (error instanceof DeterminismViolation) {
      this.#report(activation, error);
      if (
        this.#parking.parksOf(activation.info.executionId) >= parksBeforeFailure(this.#options.violations)
      ) {
        return this.#fail(activation, claim, error, 'DETERMINISM_VIOLATION', accepted);
      }
    }
    await this.#park(activation, claim, error);
  }

  async #fail(
    activation: Activation,
    claim: WorkflowClaim,
    error: FlovynError,
    failureType: string,
    submissions: number,
  ): Promise<void> {
    try {
      await claim.fail({ error: error.message, stackTrace: error.stack ?? '', failureType }, submissions);
    } catch (failed) {
      if (!(failed instanceof SubmissionRefused)) throw failed;
      await this.#park(activation, claim, failed);
    }
  }

  async #park(activation: Activation, claim: WorkflowClaim, error: unknown): Promise<void> {
    const retryAfterMs = this.#parking.nextMs(activation.info.executionId);
    const reason = error instanceof CoreTrapped ? `it made the core trap: ${error.message}` : textOf(error);
    this.#log('error', activation, `parked for ${Math.round(retryAfterMs / 1_000)} s: ${reason}`, error);
    await claim.release(reason, retryAfterMs);
  }

  #report({ info }: Activation, violation: DeterminismViolation): void {
    const { onViolation } = this.#options;
    const report = { workflowExecutionId: info.executionId, workflowKind: info.kind, violation };
    // The hook may be an async function too.
    const told = (async () => onViolation?.(report))();
    told.catch((error: unknown) => this.#parts.logger.error('onViolation threw an error', error));
  }

  #ignore(activation: Activation, error: unknown): void {
    this.#log('debug', activation, `left to another activation: ${textOf(error)}`);
  }

  #log(level: 'debug' | 'error', { info }: Activation, text: string, ...args: unknown[]): void {
    this.#parts.logger[level](`workflow ${info.kind} ${info.executionId}: ${text}`, ...args);
  }
}
