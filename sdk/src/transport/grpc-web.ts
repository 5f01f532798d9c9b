import { encodeFrame } from '../core.js';
import { ConfigurationError } from '../errors.js';
import { systemClock } from '../runtime/clock.js';
import { CallScope, closedError } from './call-scope.js';
import { readHead, readMessages, readUnary } from './grpc-web-answer.js';
import {
  checkHeaders,
  checkToken,
  type GrpcWebOptions,
  parseMaxMessageBytes,
  parseServerUrl,
  requestHeaders,
} from './grpc-web-request.js';
import type { CallOptions, Transport, UnaryAnswer } from './transport.js';
import { WebCall } from './web-call.js';

export type { GrpcWebOptions } from './grpc-web-request.js';

/** gRPC-Web over `fetch`: works in every runtime, and in browsers against a server that allows their origin. */
export class GrpcWebTransport implements Transport {
  readonly #serverUrl: string;
  readonly #options: GrpcWebOptions;
  readonly #scopes = new Set<CallScope>();
  readonly #maxMessageBytes: number;
  #extended = false;
  #closed = false;

  /** Throws `ConfigurationError` for an option that cannot work. Nothing is sent before the first call. */
  constructor(options: GrpcWebOptions) {
    this.#serverUrl = parseServerUrl(options.serverUrl);
    if (options.headers !== undefined) checkHeaders(options.headers);
    if (typeof options.token === 'string') checkToken(options.token);
    if (options.fetch === undefined && typeof fetch !== 'function') {
      throw new ConfigurationError('This runtime has no global fetch: pass one as the option fetch');
    }
    this.#options = options;
    this.#maxMessageBytes = parseMaxMessageBytes(options.maxMessageBytes);
  }

  get extended(): boolean {
    return this.#extended;
  }

  async unary(method: string, body: Uint8Array, options: CallOptions = {}): Promise<UnaryAnswer> {
    const scope = this.#open(method, options);
    const call = new WebCall(scope);
    try {
      return await readUnary(call, await this.#send(call, body, options), this.#maxMessageBytes);
    } finally {
      this.#dispose(scope, call);
    }
  }

  async *serverStream(
    method: string,
    body: Uint8Array,
    options: CallOptions = {},
  ): AsyncGenerator<Uint8Array, void> {
    const scope = this.#open(method, options);
    const call = new WebCall(scope);
    try {
      const response = await this.#send(call, body, options);
      const metadata = await readHead(call, response);
      yield* readMessages(call, response, metadata, this.#maxMessageBytes);
    } finally {
      this.#dispose(scope, call);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const scope of this.#scopes) scope.end(closedError(scope.facts.method));
  }

  #open(method: string, options: CallOptions): CallScope {
    if (this.#closed) throw closedError(method);
    const scope = new CallScope(method, this.#serverUrl, options, systemClock);
    this.#scopes.add(scope);
    return scope;
  }

  async #send(call: WebCall, body: Uint8Array, options: CallOptions): Promise<Response> {
    const token = await call.until(this.#token());
    const headers = requestHeaders(this.#options, token, options);
    // Looked up at each call, since programs replace the global one; and never called as a method, which browsers refuse.
    const send = this.#options.fetch ?? fetch;
    const response = await call.send(send, headers, encodeFrame(body));
    if (response.headers.get('flovyn-ext') === '1') this.#extended = true;
    return response;
  }

  async #token(): Promise<string | undefined> {
    const { token } = this.#options;
    if (typeof token !== 'function') return token;
    const fresh = await token();
    if (fresh !== undefined) checkToken(fresh);
    return fresh;
  }

  #dispose(scope: CallScope, call: WebCall): void {
    call.dispose();
    this.#scopes.delete(scope);
  }
}
