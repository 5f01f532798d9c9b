import {
  type ClaimedTask,
  decodeHeartbeat,
  decodeNextTask,
  decodeRenewClaim,
  encodeCompleteTask,
  encodeFailTask,
  encodeHeartbeat,
  encodeReleaseClaim,
  encodeRenewClaim,
} from '../core.js';
import { TaskCancelled } from '../errors.js';
import { textOf } from '../errors/base.js';
import type { Logger } from '../logger.js';
import { isClaimLost, isRefusal } from '../rpc/failures.js';
import { CALL_DEADLINE_MS, claimMetadata, Method } from '../rpc/methods.js';
import type { Clock } from '../runtime/clock.js';
import type { Stop } from '../runtime/stop.js';
import type { TaskFailure, TaskOutcome } from '../task/run.js';
import type { Transport } from '../transport/transport.js';
import { ClaimLost, Lease } from './lease.js';
import { aFewTimes, repeating } from './repeating.js';

/**
 * The claim of one attempt of a task: everything that is said to the server about it goes out under its
 * token.
 */
export class TaskClaim {
  readonly #task: ClaimedTask;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #lease: Lease;

  constructor(task: ClaimedTask, transport: Transport, clock: Clock, logger: Logger) {
    this.#task = task;
    this.#transport = transport;
    this.#clock = clock;
    const what = `task ${task.kind} ${task.taskExecutionId}`;
    this.#lease = new Lease({
      what,
      leaseMs: task.leaseMs,
      renew: (deadlineMs) => this.#renew(deadlineMs),
      clock,
      logger,
    });
  }

  /** Fires when the attempt should stop: the task was cancelled, or the claim is lost or given up. */
  get stop(): Stop {
    return this.#lease.stop;
  }

  /** Whether the attempt counts no more: the task was cancelled, or another worker may have it now. */
  get isOver(): boolean {
    return this.stop.reason instanceof ClaimLost || this.stop.reason instanceof TaskCancelled;
  }

  /** Whether the server knows this claim by a token, so that it can be given back. */
  get isNumbered(): boolean {
    return this.#task.claimToken !== '';
  }

  /**
   * Tells the server that the attempt is alive; `details` are JSON. If the task was cancelled or is another's now,
   * `stop` fires.
   */
  async heartbeat(details?: string): Promise<void> {
    try {
      this.#lease.renewed(await this.#heartbeat(details));
    } catch (error) {
      if (error instanceof TaskCancelled || error instanceof ClaimLost) this.giveUp(error);
      else throw error;
    }
  }

  /**
   * Reports how the attempt ended, again and again while the claim lasts: doubled reports do no harm. With a `poll`
   * the answer may bring the next task.
   */
  async report(outcome: TaskOutcome, poll?: Uint8Array): Promise<ClaimedTask | undefined> {
    if (!('output' in outcome)) return this.#fail(outcome, poll);
    const { taskExecutionId } = this.#task;
    try {
      const request = encodeCompleteTask({ taskExecutionId, output: outcome.output, poll });
      return decodeNextTask(await this.#repeat(Method.CompleteTask, request));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // The next attempt would give the same: better to end the task than to try for ever.
      const text = `The server refused the result of the task: ${textOf(error)}`;
      return this.#fail({ error: text, errorType: 'ResultRefused', retryable: false }, poll);
    }
  }

  /** Makes a call that may be made twice, a few times while the server cannot be reached. */
  async tell(method: string, request: Uint8Array): Promise<Uint8Array> {
    return aFewTimes(this.#clock, this.stop, () => this.#call(method, request));
  }

  /** As `tell`, for a call that the attempt waits for: it learns from it that its claim is lost, and `stop` fires. */
  async ask(method: string, request: Uint8Array): Promise<Uint8Array> {
    this.stop.throwIfFired();
    try {
      return await this.tell(method, request);
    } catch (error) {
      if (!isClaimLost(error)) throw error;
      const lost = this.#lost(error);
      this.giveUp(lost);
      throw lost;
    }
  }

  /** Gives the claim back: the task is offered to others at once, and this attempt does not count. */
  async release(): Promise<void> {
    this.end();
    const { taskExecutionId } = this.#task;
    const request = { taskExecutionId, reason: 'The worker was stopped', retryAfterMs: 0 };
    await this.#call(Method.ReleaseClaim, encodeReleaseClaim(request));
  }

  /** Ends the attempt without a report. */
  giveUp(reason: Error): void {
    this.#lease.lose(reason);
  }

  /** Stops renewing. */
  end(): void {
    this.#lease.end();
  }

  async #fail(failure: TaskFailure, poll: Uint8Array | undefined): Promise<ClaimedTask | undefined> {
    const { taskExecutionId } = this.#task;
    const { error, ...details } = failure;
    const extension = this.#transport.extended ? { ...details, poll } : {};
    const request = encodeFailTask({ taskExecutionId, error, ...extension });
    return decodeNextTask(await this.#repeat(Method.FailTask, request));
  }

  async #renew(deadlineMs: number): Promise<number> {
    // A heartbeat also tells of a cancellation. But where attempts must show that they are alive, only they may.
    if (this.#task.heartbeatTimeoutMs === 0) return this.#heartbeat(undefined, deadlineMs);
    const request = encodeRenewClaim({ taskExecutionId: this.#task.taskExecutionId });
    return decodeRenewClaim(await this.#call(Method.RenewClaim, request, deadlineMs)).leaseMs;
  }

  /** How long the claim lasts from now, 0 if the server does not say. Throws the reason if it is over. */
  async #heartbeat(details: string | undefined, deadlineMs?: number): Promise<number> {
    const { taskExecutionId } = this.#task;
    const extension = this.#transport.extended ? { details } : {};
    const request = encodeHeartbeat({ taskExecutionId, ...extension });
    const answer = decodeHeartbeat(await this.#heartbeatAnswer(request, deadlineMs));
    if (answer.cancelled) throw new TaskCancelled(taskExecutionId);
    return answer.leaseMs;
  }

  async #heartbeatAnswer(request: Uint8Array, deadlineMs: number | undefined): Promise<Uint8Array> {
    try {
      return await this.#call(Method.Heartbeat, request, deadlineMs);
    } catch (error) {
      if (!isClaimLost(error)) throw error;
      throw this.#lost(error);
    }
  }

  #lost(error: unknown): ClaimLost {
    return new ClaimLost(`The claim of task ${this.#task.taskExecutionId} is lost: ${textOf(error)}`, error);
  }

  async #repeat(method: string, request: Uint8Array): Promise<Uint8Array> {
    return repeating(this.#clock, this.stop, () => this.#call(method, request));
  }

  async #call(
    method: string,
    request: Uint8Array,
    deadlineMs: number = CALL_DEADLINE_MS,
  ): Promise<Uint8Array> {
    const { claimToken, taskExecutionId } = this.#task;
    const answer = await this.#transport.unary(method, request, {
      metadata: claimMetadata(claimToken),
      deadlineMs,
      subject: { type: 'Task execution', id: taskExecutionId },
      repeatable: true,
    });
    return answer.body;
  }
}
