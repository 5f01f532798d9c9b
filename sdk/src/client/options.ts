import type { PayloadCodec } from '../codec.js';
import type { Duration } from '../duration.js';
import type { Logger } from '../logger.js';
import type { Clock } from '../runtime/clock.js';
import type { Serializer } from '../serde.js';
import type { AnyTask } from '../task/define.js';
import type { TransportKind } from '../transport/create.js';
import type { TlsOptions } from '../transport/tls.js';
import type { Transport } from '../transport/transport.js';
import type { TaskWorkerOptions, WorkflowWorkerOptions } from '../worker/options.js';
import type { WorkflowHook } from '../worker/hooks.js';
import type { AnyWorkflow } from '../workflow/define.js';
import type { Fetch } from '../runtime/platform-types.js';
import type { CallControl } from './call-control.js';

/** What a client is made with. One of `serverUrl`, `embedded` and `transport` says where the server is. */
export interface FlovynClientOptions {
  /** Address of the server: `http://localhost:9090`. */
  readonly serverUrl?: string | undefined;
  /** The server runs inside this process and keeps everything in memory until `stop`. Default: false. */
  readonly embedded?: boolean | undefined;
  /**
   * How calls get to `serverUrl`: `fetch` (gRPC-Web over the runtime's fetch), and in Node also `http` (gRPC-Web over
   * node:http and node:https) or `http2` (native gRPC over node:http2). Default: `http` in Node unless `fetch` is
   * given, elsewhere `fetch`. Measured in Node 20, a small call takes 0.16 to 0.23 ms of CPU over `http`, 0.13 to 0.27
   * over `http2` and 0.5 to 1.0 over `fetch`; `http` also passes proxies that know no HTTP/2.
   *
   * Or a transport that carries the calls instead of the two above. `stop` does not close it, so several clients can
   * share one.
   */
  readonly transport?: TransportKind | Transport | undefined;
  /**
   * How connections to a `serverUrl` over https are made, with the transports `http` and `http2`. Calls over REST, which
   * go to `httpUrl` by the runtime's fetch, know nothing of it.
   */
  readonly tls?: TlsOptions | undefined;
  /**
   * Whether to use the extensions of our own servers: long polls, claims with leases, durable operations, cached
   * executions and others. False behaves as towards a server that has none, for comparison. Default: true.
   */
  readonly extensions?: boolean | undefined;
  /** Id or slug of the organisation. Default: the one of the key, or of the embedded server. */
  readonly orgId?: string | undefined;
  /**
   * Address of the server's REST interface: `http://localhost:8080`. Cancelling, describing and listing executions needs
   * it on servers without our extensions; nothing else uses it.
   */
  readonly httpUrl?: string | undefined;
  /** Slug of the organisation in addresses below `httpUrl`. Default: `orgId`. */
  readonly orgSlug?: string | undefined;
  /** The queue that the workers poll and that workflows are started on. Default: `default`. */
  readonly queue?: string | undefined;
  /** The key that workers use. Default: `apiKey`. */
  readonly workerToken?: string | undefined;
  /** The key that everything else uses. Default: `workerToken`. */
  readonly apiKey?: string | undefined;
  /** What sends requests, instead of what `transport` names; those to `httpUrl` too. */
  readonly fetch?: Fetch | undefined;
  /** More headers for every request, those to `httpUrl` too. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Turns values into payloads and back, for everything that this client and its workers send and read; a definition can
   * have one of its own for its input and output. What else touches the same executions needs the same one. Where
   * workflows run with it, it must be deterministic. Default: a `JsonSerializer`.
   */
  readonly serializer?: Serializer | undefined;
  /** Default: the console, warnings and errors only. */
  readonly logger?: Logger | undefined;
  /** How workflows are run here. */
  readonly workflowWorkerOptions?: WorkflowWorkerOptions | undefined;
  /** How tasks are run here. */
  readonly taskWorkerOptions?: TaskWorkerOptions | undefined;
  /**
   * How long `stop`, or `shutdown` of a worker, waits for work under way before it is given up, in milliseconds.
   * Default: 10,000.
   */
  readonly shutdownGraceMs?: number | undefined;
  /** Are told of the executions that run here. */
  readonly hooks?: WorkflowHook | readonly WorkflowHook[] | undefined;
  /**
   * Whether SIGINT and SIGTERM stop it in order, as `stop` does. The second signal ends the process at once. In Node, Deno
   * and Bun; elsewhere `true` throws `Unsupported`. Default: false.
   */
  readonly handleSignals?: boolean | undefined;
  /** @internal */
  readonly codec?: PayloadCodec | undefined;
  /** @internal */
  readonly clock?: Clock | undefined;
}

/**
 * What a worker is made with: what a client is, without what only calls of a client need. One of `serverUrl` and
 * `transport` says where the server is.
 */
export interface FlovynWorkerOptions
  extends Omit<FlovynClientOptions, 'embedded' | 'apiKey' | 'httpUrl' | 'orgSlug' | 'workerToken'> {
  /** The key that it uses. */
  readonly workerToken?: string | undefined;
  /** The workflows that it runs. It needs at least one workflow or task. */
  readonly workflows?: readonly AnyWorkflow[] | undefined;
  /** The tasks that it runs. */
  readonly tasks?: readonly AnyTask[] | undefined;
}

/** Options of `startWorkflow`. */
export interface StartWorkflowOptions extends CallControl {
  /** The queue of the workers that may run it. Default: the queue of the client. */
  readonly queue?: string | undefined;
  /** The version to record. Default: the version of the definition, none for a name. */
  readonly workflowVersion?: string | undefined;
  /**
   * A run of the organisation under this key that has not failed is returned instead of a new one; remembered
   * for a day. Default: a random one, so that a repeated request starts nothing twice.
   */
  readonly idempotencyKey?: string | undefined;
  /**
   * How long it may take from its start; after it the execution is asked to end as cancelled, and fails with failure
   * type `TIMEOUT`. Needs a server with our extensions. Default: that of the definition.
   */
  readonly timeout?: Duration | undefined;
  /** How much earlier it is taken than others that wait for a worker, in seconds. Default: 0. */
  readonly prioritySeconds?: number | undefined;
}

/** Options of `signalWithStartWorkflow`. `input` may be left out where the workflow takes none. */
export type SignalWithStartOptions<Input = unknown> = SignalledStart &
  (undefined extends Input ? { readonly input?: Input | undefined } : { readonly input: Input });

/** Options of `signalWithStartWorkflow` besides the input of a new run. */
export interface SignalledStart extends Omit<StartWorkflowOptions, 'idempotencyKey'> {
  /**
   * The key of the execution, the same as an `idempotencyKey` of `startWorkflow`: a run under it that has not ended gets
   * the signal, else a new one is started.
   */
  readonly workflowId: string;
  /** Name of the signal. */
  readonly signalName: string;
  /** What the signal says. Default: null. */
  readonly signalValue?: unknown;
}

/** Options of `cancel`. */
export interface CancelWorkflowOptions extends CallControl {
  /** Ends the execution at once, without the time to make good what it did. Default: false. */
  readonly force?: boolean | undefined;
  /** Cancels its children too. Default: true. */
  readonly cascadeToChildren?: boolean | undefined;
}
