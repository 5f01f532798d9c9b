import {
  type ClaimedTask,
  decodePollTask,
  decodeStartWorkflow,
  encodeCancelWorkflow,
  encodeCompleteTask,
  encodeFailTask,
  encodeGetEvents,
  encodePollTask,
  encodePollWorkflow,
  encodeRejectPromise,
  encodeResolvePromise,
  encodeSignalWorkflow,
  encodeStartWorkflow,
  engineClose,
  engineHandle,
  engineOpen,
  engineTakeWakes,
  engineTick,
  type Polled,
  pollPeek,
} from '../../core.js';
import { textOf } from '../../errors/base.js';
import { CoreTrapped } from '../../errors.js';
import { claimMetadata, Method } from '../../rpc/methods.js';
import { Stop } from '../../runtime/stop.js';
import type { TaskOutcome } from '../../task/run.js';
import { EMBEDDED_ORG_ID } from '../../transport/embedded.js';
import { statusError } from '../../transport/status.js';
import type { ActivationHost } from '../../workflow/activation.js';
import type { VirtualClock } from '../virtual-clock.js';

/** The queue of everything for which the code names no other. */
export const MOCK_QUEUE = 'mock';
const WORKER = 'mock';
/** Time is skipped under claims: none of them may run out. */
const LEASE_MS = 2 ** 52;

/** An execution that was claimed. */
export interface ClaimedExecution {
  readonly polled: Polled;
  /** The answer of PollWorkflow. */
  readonly answer: Uint8Array;
}

/** A Flovyn server of one mock: the one of the embedded engine, answering at once and in virtual time. */
export class MockEngine {
  readonly #id: number;
  readonly #clock: VirtualClock;
  #dueMs: number | undefined;
  #hasWork = false;

  constructor(seed: number, clock: VirtualClock) {
    this.#id = engineOpen({ orgId: EMBEDDED_ORG_ID, orgSlug: 'mock', leaseMs: LEASE_MS, seed });
    this.#clock = clock;
  }

  /** How to let the core forget it, without a reference to it. */
  get closing(): () => void {
    const id = this.#id;
    return () => {
      try {
        engineClose(id);
      } catch (error) {
        if (!(error instanceof CoreTrapped)) throw error;
      }
    };
  }

  /** When something is due next: perhaps only something of its own, such as to forget a worker. */
  get dueMs(): number | undefined {
    return this.#dueMs;
  }

  /** Whether polls may bring something that those before the last call of this have not. */
  takeHasWork(): boolean {
    const hasWork = this.#hasWork;
    this.#hasWork = false;
    return hasWork;
  }

  /** Does what is due. */
  tick(): void {
    this.#dueMs = engineTick(this.#id, this.#clock.nowMs());
    // Nobody waits here who would have to be told which queue it is.
    if (engineTakeWakes(this.#id) !== undefined) this.#hasWork = true;
  }

  /** Starts an execution; its id. */
  start(workflowKind: string, workflowVersion: string | undefined): string {
    const request = {
      orgId: EMBEDDED_ORG_ID,
      workflowKind,
      workflowVersion,
      input: 'null',
      queue: MOCK_QUEUE,
    };
    return decodeStartWorkflow(this.#call(Method.StartWorkflow, encodeStartWorkflow(request)))
      .workflowExecutionId;
  }

  signal(workflowExecutionId: string, signalName: string, signalValue: string): void {
    const request = { orgId: EMBEDDED_ORG_ID, workflowExecutionId, signalName, signalValue };
    this.#call(Method.SignalWorkflow, encodeSignalWorkflow(request));
  }

  cancel(workflowExecutionId: string, reason: string): void {
    const request = { workflowExecutionId, reason, force: false, cascadeToChildren: true };
    this.#call(Method.CancelWorkflow, encodeCancelWorkflow(request));
  }

  resolvePromise(promiseId: string, value: string): void {
    this.#call(Method.ResolvePromise, encodeResolvePromise({ promiseId, value }));
  }

  rejectPromise(promiseId: string, error: string): void {
    this.#call(Method.RejectPromise, encodeRejectPromise({ promiseId, error }));
  }

  /** Claims the next execution of a queue that can go on. */
  pollWorkflow(queue: string): ClaimedExecution | undefined {
    const request = encodePollWorkflow({
      ...poll(queue),
      workflowCapabilities: [],
      continuesExecutions: true,
    });
    const answer = this.#call(Method.PollWorkflow, request);
    const polled = pollPeek(answer);
    return polled && { polled, answer };
  }

  /** Claims the next task of a queue. */
  pollTask(queue: string): ClaimedTask | undefined {
    return decodePollTask(this.#call(Method.PollTask, encodePollTask(poll(queue))));
  }

  /** Reports how an attempt ended. Throws if it counts no more. */
  report({ taskExecutionId, claimToken }: ClaimedTask, outcome: TaskOutcome): void {
    if ('output' in outcome) {
      const request = encodeCompleteTask({ taskExecutionId, output: outcome.output });
      this.#call(Method.CompleteTask, request, claimToken);
    } else {
      this.#call(Method.FailTask, encodeFailTask({ taskExecutionId, ...outcome }), claimToken);
    }
  }

  /** The events of an execution after this one. */
  getEvents(workflowExecutionId: string, afterSequence: number): Uint8Array {
    return this.#call(Method.GetEvents, encodeGetEvents({ workflowExecutionId, afterSequence, pageSize: 0 }));
  }

  /** What an activation under this claim needs from outside. */
  host({ executionId, claimToken }: Polled): ActivationHost {
    return {
      stop: new Stop(),
      getEvents: async (afterSequence) => this.getEvents(executionId, afterSequence),
      submit: async (submission) => this.#call(Method.SubmitWorkflowCommands, submission, claimToken),
    };
  }

  #call(method: string, body: Uint8Array, claimToken = ''): Uint8Array {
    const nowMs = this.#clock.nowMs();
    const claim = claimMetadata(claimToken)?.['flovyn-claim'];
    // No call is ever parked: it has waited already.
    const attempt = { firstAttemptMs: nowMs, expired: true };
    try {
      const answer = engineHandle(this.#id, method, body, true, claim, attempt, nowMs);
      if (!(answer instanceof Uint8Array)) throw new Error(`${method} was parked`);
      return answer;
    } catch (error) {
      const grpcCode: unknown = error instanceof Error ? Reflect.get(error, 'grpcCode') : undefined;
      if (typeof grpcCode !== 'number') throw error;
      throw statusError(grpcCode, textOf(error), { method, serverUrl: 'the engine of the mock' });
    } finally {
      this.tick();
    }
  }
}

function poll(queue: string) {
  return { workerId: WORKER, orgId: EMBEDDED_ORG_ID, queue, timeoutSeconds: 0, longPoll: false };
}
