import {
  complete,
  fail,
  nextStep,
  operationCompleted,
  operationFailed,
  pollJob,
  pollOperation,
  type Job,
  Step,
} from '../core.js';
import { CoreError, CoreTrapped } from '../errors.js';
import { stackOf, textOf } from '../errors/base.js';
import type { Logger } from '../logger.js';
import type { Clock } from '../runtime/clock.js';
import { runDry } from '../runtime/run-dry.js';
import type { Serializer } from '../serde.js';
import { type Activation, type ActivationHost, RESUMABLE } from './activation.js';
import { WorkflowContextImpl } from './context.js';
import type { AnyWorkflow } from './define.js';
import { Operations } from './operations.js';
import { PendingHandles } from './pending.js';
import { Turn } from './turn.js';

/** What a driver works with. */
export interface DriverParts {
  readonly definition: AnyWorkflow;
  readonly serializer: Serializer;
  readonly logger: Logger;
  readonly clock: Clock;
}

/**
 * How an activation came to its end: the execution waits for something and may be continued, or it is over.
 */
export type ActivationEnd = 'suspended' | 'ended';

/** How executions are recorded to have failed by what their code threw. */
const FAILURE_TYPE = 'ERROR';

/**
 * Runs one execution in one worker: replays the workflow function along its history, lets it go on, submits what it
 * asked for, and goes on from there with what the next poll brings, for as long as it is kept.
 *
 * ```text
 * new --run--> active --final submission--> suspended --continue--> active ..
 *              active --the function has ended, an error--> closed        (the execution, or only this copy of it)
 *                                           suspended --close--> closed   (another driver replays it)
 *
 * active:
 * job -> settle that handle -> run dry -> next job ...
 *   no job left -> operations were begun: start them
 *               -> operations have finished: partial submission, whose answer may hold jobs
 *               -> operations run: wait for one
 *               -> nothing can move: final submission
 * ```
 *
 * One job at a time, each until nothing moves any more, is what makes native promises deterministic: their
 * reactions happen in the same order whether events came one by one or all together.
 *
 * Suspended it holds nothing but memory: no timer, no call, no listener. Whoever drops it calls `close`.
 */
export class Driver {
  readonly #activation: Activation;
  readonly #parts: DriverParts;
  readonly #turn: Turn;
  readonly #pending: PendingHandles;
  readonly #operations: Operations;
  #state: 'new' | 'active' | 'suspended' | 'closed' = 'new';
  #hasEnded = false;

  constructor(activation: Activation, parts: DriverParts) {
    this.#activation = activation;
    this.#parts = parts;
    this.#turn = new Turn(activation.id);
    this.#pending = new PendingHandles(parts.serializer);
    this.#operations = new Operations(parts.serializer, parts.clock);
  }

  /** What is run. */
  get activation(): Activation {
    return this.#activation;
  }

  /** Whether `continue` may be called: it is suspended, and no operation of it runs. */
  get isContinuable(): boolean {
    return RESUMABLE && this.#state === 'suspended' && !this.#operations.isBusy;
  }

  /**
   * The first activation: replays the history and goes on. Resolves when the final submission was answered. Rejects
   * with `DeterminismViolation` when code and history disagree, with a `CoreError` of code `NOT_IN_TURN` when the
   * function cannot go on, with `CoreTrapped`, with the reason of the host's signal, and with what the host threw.
   * After a rejection nothing can be continued.
   */
  async run(host: ActivationHost): Promise<ActivationEnd> {
    if (this.#state !== 'new') throw new Error(`a driver that is ${this.#state} cannot be run`);
    return this.#activate(host, () => this.#activation.load(host));
  }

  /**
   * The next activation, with the answer of a poll that claimed the same execution and the host of that claim.
   * Settles as `run` does, and rejects with a `CoreError` of code `STALE` when the execution went on elsewhere: it must
   * be replayed then. Throws when `isContinuable` is false.
   */
  async continue(host: ActivationHost, pollAnswer: Uint8Array): Promise<ActivationEnd> {
    if (!this.isContinuable) throw new Error(`a driver that is ${this.#state} cannot be continued`);
    return this.#activate(host, () => this.#activation.resume(pollAnswer, host));
  }

  /** Lets everything go: what the function still waits for never settles. */
  close(): void {
    this.#state = 'closed';
    this.#turn.close();
    this.#activation.close();
  }

  async #activate(host: ActivationHost, load: () => Promise<void>): Promise<ActivationEnd> {
    const onAbort = (): void => this.#operations.abort(host.signal.reason);
    host.signal.addEventListener('abort', onAbort);
    this.#state = 'active';
    this.#turn.open();
    try {
      await load();
      while (!(await this.#step(host)));
      this.#state = this.#hasEnded ? 'closed' : 'suspended';
      return this.#hasEnded ? 'ended' : 'suspended';
    } catch (error) {
      this.#state = 'closed';
      this.#operations.abort(error);
      throw error;
    } finally {
      this.#turn.close();
      host.signal.removeEventListener('abort', onAbort);
    }
  }

  /** As far as possible without waiting for anything outside, then one thing outside. True at the end. */
  async #step(host: ActivationHost): Promise<boolean> {
    await this.#giveJobs(host);
    const { id } = this.#activation;
    for (const { handle, result } of this.#operations.takeFinished()) {
      if ('value' in result) operationCompleted(id, handle, result.value);
      else operationFailed(id, handle, result.thrown);
    }
    switch (nextStep(id)) {
      case Step.StartOperations:
        this.#startOperations();
        return false;
      case Step.SubmitPartial:
        await this.#activation.submitPartial(host);
        return false;
      case Step.AwaitOperation:
        await this.#operations.untilFinished();
        return false;
      case Step.SubmitFinal:
        this.#checkCanWake();
        await this.#activation.submitFinal(host);
        return true;
    }
  }

  async #giveJobs(host: ActivationHost): Promise<void> {
    const { id } = this.#activation;
    // Before anything is begun or sent, and during a replay that is long: whatever is done after the end counts
    // no more.
    host.signal.throwIfAborted();
    for (let job = pollJob(id); job !== undefined; job = pollJob(id)) {
      this.#turn.begin();
      this.#give(job);
      await runDry();
      this.#turn.end();
      host.signal.throwIfAborted();
    }
    // The function may have ended, or tried to, while nothing was told to it.
    if (this.#turn.fatal !== undefined) throw this.#turn.fatal;
  }

  #give([kind, handle, json]: Job): void {
    if (kind === 0) return this.#start(json);
    this.#operations.forget(handle);
    if (kind === 1) this.#pending.resolve(handle, json);
    else this.#pending.reject(handle, json);
  }

  #start(inputPayload: string): void {
    const ctx = this.#context();
    try {
      const input = this.#parts.serializer.deserialize<never>(inputPayload);
      const result = this.#parts.definition.run(ctx, input);
      Promise.resolve(result).then(
        (output) => this.#returned(output),
        (error: unknown) => this.#threw(error),
      );
    } catch (error) {
      this.#threw(error);
    }
  }

  #context(): WorkflowContextImpl {
    const { definition, serializer, logger } = this.#parts;
    const { id, info } = this.#activation;
    const [turn, pending, operations] = [this.#turn, this.#pending, this.#operations];
    return WorkflowContextImpl.create({
      id,
      info,
      definition,
      turn,
      pending,
      operations,
      serializer,
      logger,
    });
  }

  #returned(output: unknown): void {
    let payload: string;
    try {
      payload = this.#parts.serializer.serialize(output);
    } catch (error) {
      return this.#threw(error);
    }
    this.#end((id) => complete(id, payload));
  }

  #threw(error: unknown): void {
    if (error instanceof CoreTrapped) this.#turn.stop(error);
    this.#end((id) => fail(id, textOf(error), stackOf(error), FAILURE_TYPE));
  }

  #end(tellCore: (id: number) => void): void {
    this.#hasEnded = true;
    if (this.#turn.fatal !== undefined) return;
    if (!this.#turn.isOpen) return this.#turn.stop(this.#endedOutside());
    try {
      tellCore(this.#activation.id);
    } catch (error) {
      this.#turn.stop(error instanceof Error ? error : new CoreError('INTERNAL', textOf(error)));
    }
  }

  #startOperations(): void {
    const { id } = this.#activation;
    for (let handle = pollOperation(id); handle !== 0; handle = pollOperation(id))
      this.#operations.start(handle);
  }

  /**
   * An execution that waits for nothing would never be woken: better to say so than to let it sleep for ever.
   */
  #checkCanWake(): void {
    if (this.#hasEnded || this.#pending.size > 0) return;
    const text =
      'it waits for something that Flovyn does not know (a fetch, a timer of the runtime, a promise of its own), and for ' +
      'nothing that could wake it. Do such work in ctx.run or in a task, and await only what the context gives';
    throw new CoreError('NOT_IN_TURN', `Workflow "${this.#parts.definition.name}" cannot go on: ${text}`);
  }

  #endedOutside(): CoreError {
    const text =
      `Workflow "${this.#parts.definition.name}" ended outside a turn: it waited for something that Flovyn does not know ` +
      '(a fetch, a timer of the runtime). Do such work in ctx.run or in a task, and await only what the context gives';
    return new CoreError('NOT_IN_TURN', text);
  }
}
