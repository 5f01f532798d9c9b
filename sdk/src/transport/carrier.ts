import type { CallScope } from './call-scope.js';
import type { TlsOptions } from './tls.js';

/** What is spoken on the network: gRPC-Web over any HTTP, or gRPC itself, whose trailers take HTTP/2. */
export type Protocol = 'gRPC-Web' | 'gRPC';

/** Where a carrier leads. */
export interface Destination {
  /** Address of the server, without a slash at its end. */
  readonly serverUrl: string;
  /** How the server proves itself, and we ourselves to it. Default: as the runtime does it. */
  readonly tls?: TlsOptions | undefined;
}

/**
 * Sends HTTP requests, and knows nothing of gRPC but the name of the protocol that its way of HTTP makes possible.
 *
 * What it throws is the runtime's error as it came, which the caller turns into one of this package, or one of this
 * package already. No request outlives the scope of its call.
 */
export interface Carrier {
  readonly protocol: Protocol;
  /** Sends a POST request; resolves with the head of its answer. */
  send(request: CarrierRequest): Promise<CarriedAnswer>;
  /** Closes all connections, also those under way. */
  close(): void;
}

/** One request. */
export interface CarrierRequest {
  /** Where to: the path of the server followed by the method. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The call that it is for: when that ends early, so do the request and its answer, with its failure. */
  readonly scope: CallScope;
  /** Whether it does no harm to send it again when a connection that was kept turns out to be closed. */
  readonly repeatable: boolean;
}

/** The head of an answer, and its body as it comes. */
export interface CarriedAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** Names are lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The next bytes; undefined at the end. Rejects if the connection ends too early. One read at a time. */
  read(): Promise<Uint8Array | undefined>;
  /** What came after the body, names lower case; empty before its end, and where the way of HTTP has no such thing. */
  readonly trailers: Readonly<Record<string, string>>;
  /** Lets go of the rest, if there is one. */
  discard(): void;
}
