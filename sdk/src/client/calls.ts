import { decodeOne, encodeOne, encodeText } from '../codec.js';
import {
  decodeEvents,
  decodeStartWorkflow,
  encodeGetEvents,
  encodeRejectPromise,
  encodeResolvePromise,
  encodeStartWorkflow,
  type HistoryEvent,
} from '../core.js';
import type { Duration } from '../duration.js';
import { NotFoundError, RpcError } from '../errors.js';
import { CALL_DEADLINE_MS, Method } from '../rpc/methods.js';
import { retrying } from '../rpc/retrying.js';
import { randomId } from '../runtime/random-id.js';
import type { CallOptions, Subject, Transport } from '../transport/transport.js';
import { parseNow } from '../schema/check.js';
import type { StandardSchemaV1 } from '../schema/standard-schema.js';
import type { Serializer } from '../serde.js';
import { serializerFor } from '../serde/choose.js';
import { SignalSource } from '../runtime/signal-source.js';
import { Backoff } from '../worker/backoff.js';
import { bounded, type CallControl } from './call-control.js';
import type { StartWorkflowOptions } from './options.js';
import type { ClientSettings } from './settings.js';

/** A call is made this often when the server cannot be reached, within about two seconds. */
const MAX_ATTEMPTS = 4;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 2_000;

/** An execution that does not exist. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** The workflow of an execution that is started, as far as it is known. */
export interface Startable {
  readonly name: string;
  readonly version?: string | undefined;
  readonly timeout?: Duration | undefined;
  readonly input?: StandardSchemaV1 | undefined;
  readonly serializer?: Serializer | undefined;
}

/** Where the calls of a client begin. */
export class CallSource {
  readonly #settings: ClientSettings;
  readonly #transport: Transport;
  readonly #stopped = new SignalSource();
  readonly #known: Known = { hasAnswered: false };

  constructor(settings: ClientSettings, transport: Transport) {
    this.#settings = settings;
    this.#transport = transport;
  }

  /**
   * Runs `work`, which may make several calls, not longer than `control` says; `what` names it in errors. Whatever the
   * way it ends, nothing of it goes on.
   */
  async within<T>(what: string, control: CallControl, work: (calls: ClientCalls) => Promise<T>): Promise<T> {
    const { clock } = this.#settings;
    return this.#stopped.with((signal, end) => {
      const calls = new ClientCalls(this.#settings, this.#transport, this.#known, signal);
      return bounded(what, control, clock, end, () => work(calls));
    });
  }

  /** Ends what is under way, also on a transport that others go on using. */
  stop(): void {
    this.#stopped.fire();
  }
}

/** What is known of the server. */
interface Known {
  hasAnswered: boolean;
}

/** The calls to the server, each safe to be made twice and therefore repeated when its fate is unknown. */
export class ClientCalls {
  readonly settings: ClientSettings;
  readonly transport: Transport;
  /** Fires when what these calls are made for is over: nothing more may be sent or waited for. */
  readonly signal: AbortSignal;
  readonly #known: Known;

  constructor(settings: ClientSettings, transport: Transport, known: Known, signal: AbortSignal) {
    this.settings = settings;
    this.transport = transport;
    this.signal = signal;
    this.#known = known;
  }

  /** Starts an execution, or finds the one under the same key; its id. */
  async startWorkflow(
    workflow: Startable,
    input: unknown,
    options: StartWorkflowOptions,
    timeoutMs: number | undefined,
  ): Promise<string> {
    const { orgId, queue } = this.settings;
    const workflowKind = workflow.name;
    const request = encodeStartWorkflow({
      orgId,
      workflowKind,
      input: await this.inputPayload(workflow, input),
      queue: options.queue ?? queue,
      workflowVersion: options.workflowVersion ?? workflow.version,
      prioritySeconds: options.prioritySeconds,
      timeoutMs,
      idempotencyKey: options.idempotencyKey ?? `flovyn-js-${randomId()}`,
    });
    const subject = { type: 'Workflow', id: workflowKind };
    return decodeStartWorkflow(await this.repeated(Method.StartWorkflow, request, subject))
      .workflowExecutionId;
  }

  /**
   * Whether the server knows our extensions, and they may be used. What is not known yet is found out by a call that every server has, about
   * an execution if one is given: rejects with `NotFoundError` if that does not exist.
   */
  async isExtended(workflowExecutionId?: string): Promise<boolean> {
    if (this.transport.extended || this.#known.hasAnswered || !this.settings.extensions)
      return this.transport.extended;
    try {
      const request = { workflowExecutionId: workflowExecutionId ?? NOBODY, afterSequence: 0, pageSize: 1 };
      await this.repeated(
        Method.GetEvents,
        encodeGetEvents(request),
        executionSubject(request.workflowExecutionId),
      );
    } catch (error) {
      if (!(error instanceof NotFoundError) || workflowExecutionId !== undefined) throw error;
    }
    this.#known.hasAnswered = true;
    return this.transport.extended;
  }

  async resolvePromise(promiseId: string, value: unknown): Promise<void> {
    const { serializer, codec } = this.settings;
    const payload = await encodeOne(codec, serializer.serialize(value));
    const request = encodeResolvePromise({ promiseId, value: payload });
    await this.repeated(Method.ResolvePromise, request, { type: 'Promise', id: promiseId });
  }

  async rejectPromise(promiseId: string, reason: string): Promise<void> {
    const error = await encodeText(this.settings.codec, reason);
    const request = encodeRejectPromise({ promiseId, error });
    await this.repeated(Method.RejectPromise, request, { type: 'Promise', id: promiseId });
  }

  /** A page of the history of an execution, and whether more follow it. */
  async getEvents(
    workflowExecutionId: string,
    afterSequence: number,
  ): Promise<{ events: HistoryEvent[]; hasMore: boolean }> {
    const request = encodeGetEvents({ workflowExecutionId, afterSequence, pageSize: 0 });
    return decodeEvents(
      await this.repeated(Method.GetEvents, request, executionSubject(workflowExecutionId)),
    );
  }

  /** The payload of what the schema of a workflow makes of its input. */
  async inputPayload(workflow: Startable, input: unknown): Promise<string> {
    const checked = parseNow(workflow.input, input, {
      subject: `workflow "${workflow.name}"`,
      side: 'input',
    });
    return encodeOne(this.settings.codec, serializerFor(workflow, this.settings).serialize(checked));
  }

  /** The value of a payload that came from the server. */
  async decode(payload: string, serializer: Serializer = this.settings.serializer): Promise<unknown> {
    return serializer.deserialize(await decodeOne(this.settings.codec, payload));
  }

  /** One call. */
  async call(method: string, request: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    // Not left to the transport: whoever looks again and again must come to an end.
    const { aborted, reason } = this.signal;
    if (aborted) throw new RpcError('CANCELLED', `${method} was not called`, { method, cause: reason });
    return (await this.transport.unary(method, request, options)).body;
  }

  /** One call, repeated a few times while the server cannot be reached. */
  async repeated(method: string, request: Uint8Array, subject: Subject): Promise<Uint8Array> {
    const backoff = new Backoff(FIRST_RETRY_MS, LONGEST_RETRY_MS);
    const { signal, settings } = this;
    const call = { deadlineMs: CALL_DEADLINE_MS, subject, signal, repeatable: true };
    const options = { clock: settings.clock, backoff, maxAttempts: MAX_ATTEMPTS, signal };
    return retrying(options, () => this.call(method, request, call));
  }
}

/** An execution, for errors that name what was not found. */
export function executionSubject(id: string): Subject {
  return { type: 'Workflow execution', id };
}
