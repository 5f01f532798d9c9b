import { nextStep, operationCompleted, operationFailed, pollJob, pollOperation, Step } from '../core.js';
import { CoreError, DeterminismViolation } from '../errors.js';
import type { Activation, ActivationHost } from './activation.js';
import { explainViolation } from './explain-violation.js';
import { type RunParts, type WorkflowEnd, WorkflowRun } from './workflow-run.js';

/**
 * How an activation came to its end: the execution waits for something and may be continued, or it is over.
 */
export type ActivationEnd = 'suspended' | 'ended';

/** How long events may wait while operations run. */
const LOOK_FOR_EVENTS_MS = 5_000;

const ALWAYS = (): boolean => true;

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
 *               -> operations run: wait for one, or for events that come meanwhile
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
  readonly #parts: RunParts;
  readonly #run: WorkflowRun;
  #state: 'new' | 'active' | 'suspended' | 'closed' = 'new';
  /** Lets a clock skip time again that was held by the activation. */
  #release: (() => void) | undefined;

  constructor(
    activation: Activation,
    parts: RunParts,
    run: WorkflowRun = new WorkflowRun(activation, parts),
  ) {
    this.#activation = activation;
    this.#parts = parts;
    this.#run = run;
  }

  /** What is run. */
  get activation(): Activation {
    return this.#activation;
  }

  /** How its function ended; undefined as long as it has not. */
  get end(): WorkflowEnd | undefined {
    return this.#run.end;
  }

  /**
   * Whether `continue` may be called: it is suspended, where a replay would have it, no operation of it runs, and its
   * claim was not lost while the last submission was under way.
   */
  get isContinuable(): boolean {
    const { operations, turn } = this.#run;
    return this.#state === 'suspended' && !operations.isBusy && !operations.isAborted && !turn.hasStrayed;
  }

  /**
   * The first activation: replays the history and goes on. Resolves when the final submission was answered. Rejects
   * with `DeterminismViolation` when code and history disagree, with a `CoreError` of code `NOT_IN_TURN` when the
   * function cannot go on, with `CoreTrapped`, with the reason of the host's stop, and with what the host threw.
   * After a rejection nothing can be continued.
   */
  async run(host: ActivationHost): Promise<ActivationEnd> {
    if (this.#state !== 'new') throw new Error(`a driver that is ${this.#state} cannot be run`);
    return this.#activate(host, () => this.#activation.load(host), ALWAYS);
  }

  /**
   * The next activation, with the answer of a poll that claimed the same execution and the host of that claim.
   * Settles as `run` does, and rejects with a `CoreError` of code `STALE` when the execution went on elsewhere: it must
   * be replayed then. Throws when `isContinuable` is false.
   *
   * A violation is explained only if `isFinal` says so at its time: where a replay follows, that finds it again.
   */
  async continue(
    host: ActivationHost,
    pollAnswer: Uint8Array,
    isFinal: () => boolean,
  ): Promise<ActivationEnd> {
    if (!this.isContinuable) throw new Error(`a driver that is ${this.#state} cannot be continued`);
    return this.#activate(host, () => this.#activation.resume(pollAnswer, host), isFinal);
  }

  /**
   * An activation, the first or a later one, that has its events: the code has been told the first job when this returns.
   * Settles as `run` does.
   */
  async goOn(host: ActivationHost): Promise<ActivationEnd> {
    return this.#activate(host, undefined, ALWAYS);
  }

  /** Lets everything go: what the function still waits for never settles. */
  close(): void {
    this.#state = 'closed';
    this.#run.turn.close();
    this.#activation.close();
  }

  async #activate(
    host: ActivationHost,
    load: (() => Promise<void>) | undefined,
    isFinal: () => boolean,
  ): Promise<ActivationEnd> {
    const { turn, operations } = this.#run;
    const forget = host.stop.onFire((reason) => operations.abort(reason));
    this.#release = this.#parts.clock.hold?.();
    this.#state = 'active';
    turn.open();
    try {
      if (load !== undefined) await load();
      while (!(await this.#step(host)));
      this.#state = this.#run.hasEnded ? 'closed' : 'suspended';
      return this.#run.hasEnded ? 'ended' : 'suspended';
    } catch (error) {
      this.#state = 'closed';
      operations.abort(error);
      turn.close();
      if (!(error instanceof DeterminismViolation) || !isFinal()) throw error;
      throw await explainViolation(error, this.#activation, host, this.#parts);
    } finally {
      turn.close();
      forget();
      this.#release?.();
    }
  }

  /** As far as possible without waiting for anything outside, then one thing outside. True at the end. */
  async #step(host: ActivationHost): Promise<boolean> {
    await this.#giveJobs(host);
    const { id } = this.#activation;
    const { operations } = this.#run;
    for (const { handle, result } of operations.takeFinished()) {
      if ('value' in result) operationCompleted(id, handle, result.value);
      else operationFailed(id, handle, result.thrown);
    }
    switch (nextStep(id)) {
      case Step.StartOperations:
        for (let handle = pollOperation(id); handle !== 0; handle = pollOperation(id))
          operations.start(handle);
        return false;
      case Step.SubmitPartial:
        await this.#activation.submitPartial(host);
        return false;
      case Step.PollJob:
        return false;
      case Step.AwaitOperation:
        await this.#awaitOperation(host);
        return false;
      case Step.SubmitFinal:
        this.#checkCanWake();
        await this.#activation.submitFinal(host);
        return true;
    }
  }

  async #awaitOperation(host: ActivationHost): Promise<void> {
    // Operations hold the clock themselves, except in the pause before another attempt.
    this.#release?.();
    const hasFinished = await this.#run.operations.finishWithin(LOOK_FOR_EVENTS_MS);
    this.#release = this.#parts.clock.hold?.();
    if (hasFinished) return;
    // A request to cancel, a signal or a timer is not left to wait for the end of a long operation. A function that has
    // ended is told nothing more.
    if (!this.#run.hasEnded) await this.#activation.lookForEvents(host);
  }

  async #giveJobs(host: ActivationHost): Promise<void> {
    const { id } = this.#activation;
    // Before anything is begun or sent, and during a replay that is long: whatever is done after the end counts
    // no more.
    host.stop.throwIfFired();
    for (let job = pollJob(id); job !== undefined; job = pollJob(id)) {
      await this.#run.give(job);
      host.stop.throwIfFired();
    }
    // The function may have ended, or tried to, while nothing was told to it.
    const { fatal } = this.#run.turn;
    if (fatal !== undefined) throw fatal;
  }

  /**
   * An execution that waits for nothing would never be woken: better to say so than to let it sleep for ever.
   */
  #checkCanWake(): void {
    if (this.#run.canWake) return;
    const text =
      'it waits for something that Flovyn does not know (a fetch, a timer of the runtime, a promise of its own), and for ' +
      'nothing that could wake it. Do such work in ctx.run or in a task, and await only what the context gives';
    throw new CoreError('NOT_IN_TURN', `Workflow "${this.#parts.definition.name}" cannot go on: ${text}`);
  }
}
