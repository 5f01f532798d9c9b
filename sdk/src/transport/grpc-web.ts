import type { Fetch } from '../runtime/platform-types.js';
import { checkFetch, FetchCarrier } from './fetch-carrier.js';
import { GrpcCalls } from './grpc-calls.js';
import { checkRequestOptions, type RequestOptions } from './grpc-request.js';
import type { CallOptions, Transport, UnaryAnswer } from './transport.js';

/** Options of `GrpcWebTransport`. */
export interface GrpcWebOptions extends RequestOptions {
  /** What sends the requests. Default: the runtime's `fetch`, looked up at each call. */
  readonly fetch?: Fetch | undefined;
}

/** gRPC-Web over `fetch`: works in every runtime, and in browsers against a server that allows their origin. */
export class GrpcWebTransport implements Transport {
  readonly #calls: GrpcCalls;

  /** Throws `ConfigurationError` for an option that cannot work. Nothing is sent before the first call. */
  constructor(options: GrpcWebOptions) {
    const serverUrl = checkRequestOptions(options);
    checkFetch(options.fetch);
    this.#calls = new GrpcCalls(serverUrl, options, new FetchCarrier(options.fetch));
  }

  get extended(): boolean {
    return this.#calls.extended;
  }

  unary(method: string, body: Uint8Array, options?: CallOptions): Promise<UnaryAnswer> {
    return this.#calls.unary(method, body, options);
  }

  serverStream(method: string, body: Uint8Array, options?: CallOptions): AsyncGenerator<Uint8Array, void> {
    return this.#calls.serverStream(method, body, options);
  }

  close(): Promise<void> {
    return this.#calls.close();
  }
}
