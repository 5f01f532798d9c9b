import {
  decodeRenewClaim,
  encodeFailExecution,
  encodeGetEvents,
  encodeReleaseClaim,
  encodeRenewClaim,
  type Polled,
  submitAnswerNext,
} from '../core.js';
import { FlovynError } from '../errors.js';
import { nameClass, textOf } from '../errors/base.js';
import type { Logger } from '../logger.js';
import { isClaimLost, isRefusal } from '../rpc/failures.js';
import { CALL_DEADLINE_MS, claimMetadata, Method } from '../rpc/methods.js';
import type { Clock } from '../runtime/clock.js';
import type { Stop } from '../runtime/stop.js';
import type { Transport } from '../transport/transport.js';
import type { ActivationHost } from '../workflow/activation.js';
import { ClaimLost, Lease } from './lease.js';
import { repeating } from './repeating.js';

/**
 * The server will not take this submission, however often it is sent: it is too large, or not well formed.
 */
export class SubmissionRefused extends FlovynError {
  static {
    nameClass(this, 'SubmissionRefused');
  }

  override readonly code: string = 'SUBMISSION_REFUSED';
}

/** What an execution is recorded to have failed with. */
export interface ExecutionFailure {
  readonly error: string;
  readonly stackTrace: string;
  readonly failureType: string;
}

/** The server keeps no longer reason. */
const REASON_BYTES_MAX = 2_048;

/** The claim of one execution: everything that is said to the server about it goes out under its token. */
export class WorkflowClaim implements ActivationHost {
  readonly #info: Polled;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #lease: Lease;
  readonly #nextPoll: () => Uint8Array | undefined;
  #accepted = 0;
  #lastAnswer: Uint8Array | undefined;

  /** `nextPoll` is what the last submission asks for the next piece of work with, if it asks for one. */
  constructor(
    info: Polled,
    transport: Transport,
    clock: Clock,
    logger: Logger,
    nextPoll: () => Uint8Array | undefined = () => undefined,
  ) {
    this.#info = info;
    this.#transport = transport;
    this.#clock = clock;
    this.#nextPoll = nextPoll;
    const what = `workflow ${info.kind} ${info.executionId}`;
    this.#lease = new Lease({
      what,
      leaseMs: info.leaseMs,
      renew: (deadlineMs) => this.#renew(deadlineMs),
      clock,
      logger,
    });
  }

  get stop(): Stop {
    return this.#lease.stop;
  }

  /** Whether the server knows this claim by a token, so that it can be given back and submissions repeated. */
  get isNumbered(): boolean {
    return this.#info.claimToken !== '';
  }

  /** How many submissions were accepted under this claim. */
  get accepted(): number {
    return this.#accepted;
  }

  /** The piece of work that came with the answer to the last submission, as an answer of PollWorkflow. */
  takeNext(): Uint8Array | undefined {
    return this.#lastAnswer && submitAnswerNext(this.#lastAnswer);
  }

  nextPoll(): Uint8Array | undefined {
    return this.#nextPoll();
  }

  async getEvents(afterSequence: number): Promise<Uint8Array> {
    const workflowExecutionId = this.#info.executionId;
    const request = encodeGetEvents({ workflowExecutionId, afterSequence, pageSize: 0 });
    return this.#repeat(() => this.#call(Method.GetEvents, request));
  }

  async submit(submission: Uint8Array): Promise<Uint8Array> {
    const send = (): Promise<Uint8Array> => this.#call(Method.SubmitWorkflowCommands, submission);
    try {
      // Without a token the server could not tell a repeated submission from another one.
      const answer = await (this.isNumbered ? this.#repeat(send) : send());
      this.#accepted += 1;
      this.#lastAnswer = answer;
      return answer;
    } catch (error) {
      if (isClaimLost(error)) throw new ClaimLost(`The submission came too late: ${textOf(error)}`, error);
      if (isRefusal(error))
        throw new SubmissionRefused(`The server refused the submission: ${textOf(error)}`, error);
      throw error;
    }
  }

  /** Ends the execution as failed. */
  async fail(failure: ExecutionFailure): Promise<void> {
    const submissionNumber = this.isNumbered ? this.#accepted + 1 : 0;
    const workflowExecutionId = this.#info.executionId;
    await this.submit(encodeFailExecution({ workflowExecutionId, submissionNumber, ...failure }));
  }

  /**
   * Gives the claim back: the execution is offered again after `retryAfterMs`. A server without leases is
   * told nothing.
   */
  async release(reason: string, retryAfterMs: number): Promise<void> {
    this.end();
    if (!this.isNumbered) return;
    const workflowExecutionId = this.#info.executionId;
    const request = {
      workflowExecutionId,
      reason: shortened(reason),
      retryAfterMs: Math.round(retryAfterMs),
    };
    await this.#call(Method.ReleaseClaim, encodeReleaseClaim(request));
  }

  /** Ends the work under this claim without another submission. */
  giveUp(reason: Error): void {
    this.#lease.lose(reason);
  }

  /** Stops renewing. */
  end(): void {
    this.#lease.end();
  }

  async #renew(deadlineMs: number): Promise<number> {
    const request = encodeRenewClaim({ workflowExecutionId: this.#info.executionId });
    return decodeRenewClaim(await this.#call(Method.RenewClaim, request, deadlineMs)).leaseMs;
  }

  #repeat<T>(call: () => Promise<T>): Promise<T> {
    return repeating(this.#clock, this.stop, call);
  }

  async #call(
    method: string,
    request: Uint8Array,
    deadlineMs: number = CALL_DEADLINE_MS,
  ): Promise<Uint8Array> {
    const { claimToken, executionId } = this.#info;
    const answer = await this.#transport.unary(method, request, {
      metadata: claimMetadata(claimToken),
      deadlineMs,
      subject: { type: 'Workflow execution', id: executionId },
      // Without a token the server could not tell a repeated submission from another one.
      repeatable: this.isNumbered,
    });
    return answer.body;
  }
}

function shortened(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  if (bytes.length <= REASON_BYTES_MAX) return reason;
  // A character cut in two becomes the replacement character, which has three bytes.
  return new TextDecoder().decode(bytes.subarray(0, REASON_BYTES_MAX - 3));
}
