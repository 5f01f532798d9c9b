import {
  type ClaimedTask,
  decodeRenewClaim,
  encodeCompleteTask,
  encodeFailTask,
  encodeHeartbeat,
  encodeRenewClaim,
} from '../core.js';
import type { Logger } from '../logger.js';
import { isClaimLost, isRefusal } from '../rpc/failures.js';
import { CALL_DEADLINE_MS, claimMetadata, Method } from '../rpc/methods.js';
import { retrying } from '../rpc/retrying.js';
import { textOf } from '../errors/base.js';
import type { Clock } from '../runtime/clock.js';
import type { TaskOutcome } from '../task/run.js';
import type { Transport } from '../transport/transport.js';
import { Backoff } from './backoff.js';
import { ClaimLost, Lease } from './lease.js';

const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 10_000;

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

  /** Fires when the attempt should stop: the claim is lost or given up. */
  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  /** Whether another worker may have the task now. */
  get isLost(): boolean {
    return this.signal.reason instanceof ClaimLost;
  }

  /** Tells the server that the attempt is alive. If it is not its any more, `signal` fires. */
  async heartbeat(): Promise<void> {
    const { taskExecutionId } = this.#task;
    try {
      await this.#call(Method.Heartbeat, encodeHeartbeat({ taskExecutionId }));
    } catch (error) {
      if (!isClaimLost(error)) throw error;
      this.giveUp(new ClaimLost(`The claim of task ${taskExecutionId} is lost: ${textOf(error)}`, error));
    }
  }

  /** Reports how the attempt ended, again and again while the claim lasts: doubled reports do no harm. */
  async report(outcome: TaskOutcome): Promise<void> {
    const { taskExecutionId } = this.#task;
    if (!('output' in outcome)) return this.#fail(outcome);
    try {
      await this.#repeat(
        Method.CompleteTask,
        encodeCompleteTask({ taskExecutionId, output: outcome.output }),
      );
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // The next attempt would give the same: better to end the task than to try for ever.
      const text = `The server refused the result of the task: ${textOf(error)}`;
      await this.#fail({ error: text, errorType: 'ResultRefused', retryable: false });
    }
  }

  /** Ends the attempt without a report. */
  giveUp(reason: Error): void {
    this.#lease.lose(reason);
  }

  /** Stops renewing. */
  end(): void {
    this.#lease.end();
  }

  async #fail({ error, errorType, retryable }: Exclude<TaskOutcome, { output: string }>): Promise<void> {
    const { taskExecutionId } = this.#task;
    const extension = this.#transport.extended ? { retryable, errorType } : {};
    await this.#repeat(Method.FailTask, encodeFailTask({ taskExecutionId, error, ...extension }));
  }

  async #renew(deadlineMs: number): Promise<number> {
    const request = encodeRenewClaim({ taskExecutionId: this.#task.taskExecutionId });
    return decodeRenewClaim(await this.#call(Method.RenewClaim, request, deadlineMs)).leaseMs;
  }

  async #repeat(method: string, request: Uint8Array): Promise<void> {
    const backoff = new Backoff(FIRST_RETRY_MS, LONGEST_RETRY_MS);
    const options = { clock: this.#clock, backoff, signal: this.signal };
    await retrying(options, () => this.#call(method, request));
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
    });
    return answer.body;
  }
}
