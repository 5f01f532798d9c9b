import type { AbortSignal } from '../runtime/platform-types.js';

/** What one call carries besides its bytes. */
export interface CallOptions {
  /** Request metadata; keys are lower case. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Ends the call early: it then fails with `RpcError` code `CANCELLED`, the signal's reason as its cause. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds from now after which the call fails with `RpcError` code `DEADLINE_EXCEEDED`. Default: no deadline. */
  readonly deadlineMs?: number | undefined;
  /** The thing that the call is about, so that a NOT_FOUND answer becomes a `NotFoundError` that names it. */
  readonly subject?: Subject | undefined;
  /** Whether the call announces that its client knows `flovyn.ext.v1`. Default: true. */
  readonly extensions?: boolean | undefined;
  /**
   * Whether it does no harm to make the call twice. The transport then sends it again when a connection that was kept
   * from earlier calls ends before any of the answer has come, as happens when the server closes it at that moment.
   * Default: false.
   */
  readonly repeatable?: boolean | undefined;
}

/** A thing on the server, by type and id. */
export interface Subject {
  /** Its type in words, such as `Workflow execution`. */
  readonly type: string;
  /** Its id as the caller knows it. */
  readonly id: string;
}

/** The answer of a unary call. */
export interface UnaryAnswer {
  /** The one message of the answer, without framing. */
  readonly body: Uint8Array;
  /** Response headers and trailers; keys are lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Carries gRPC calls to a Flovyn server. It alone knows what the network is: callers give and get protobuf bytes.
 *
 * A failed call throws a `FlovynError`: `ConnectionError` when no server could be reached or it said UNAVAILABLE,
 * `AuthenticationError` for UNAUTHENTICATED and PERMISSION_DENIED, `NotFoundError` for NOT_FOUND, else `RpcError`.
 */
export interface Transport {
  /** Whether the server has announced that it knows `flovyn.ext.v1`. False until its first answer. */
  readonly extended: boolean;
  /** True if no answer can be on its way when a call is ended: the server is in this process. Default: false. */
  readonly isInProcess?: boolean | undefined;
  /** Sends one message and waits for one. `method` is a full path: `/flovyn.v1.WorkflowDispatch/PollWorkflow`. */
  unary(method: string, body: Uint8Array, options?: CallOptions): Promise<UnaryAnswer>;
  /** Sends one message and yields each message that comes back. Leaving the loop early ends the call. */
  serverStream(method: string, body: Uint8Array, options?: CallOptions): AsyncIterable<Uint8Array>;
  /** Ends all calls under way and refuses new ones. Idempotent. */
  close(): Promise<void>;
}
