import { encodeFrame } from '../core.js';
import { systemClock } from '../runtime/clock.js';
import { CallScope, closedError } from './call-scope.js';
import type { CarriedAnswer, Carrier } from './carrier.js';
import { Exchange } from './exchange.js';
import { readHead, readMessages, readUnary } from './grpc-answer.js';
import { checkToken, type RequestOptions, parseMaxMessageBytes, requestHeaders } from './grpc-request.js';
import type { CallOptions, Transport, UnaryAnswer } from './transport.js';

/** gRPC calls over a carrier, whichever it is. */
export class GrpcCalls implements Transport {
  readonly #serverUrl: string;
  readonly #options: RequestOptions;
  readonly #carrier: Carrier;
  readonly #scopes = new Set<CallScope>();
  readonly #maxMessageBytes: number;
  #extended = false;
  #closed = false;

  /** The options have been checked, and `serverUrl` is a parsed one. */
  constructor(serverUrl: string, options: RequestOptions, carrier: Carrier) {
    this.#serverUrl = serverUrl;
    this.#options = options;
    this.#carrier = carrier;
    this.#maxMessageBytes = parseMaxMessageBytes(options.maxMessageBytes);
  }

  get extended(): boolean {
    return this.#extended;
  }

  async unary(method: string, body: Uint8Array, options: CallOptions = {}): Promise<UnaryAnswer> {
    const scope = this.#open(method, options);
    const exchange = new Exchange(scope, this.#carrier);
    try {
      return await readUnary(
        exchange,
        await this.#send(scope, exchange, body, options),
        this.#maxMessageBytes,
      );
    } finally {
      this.#dispose(scope, exchange);
    }
  }

  async *serverStream(
    method: string,
    body: Uint8Array,
    options: CallOptions = {},
  ): AsyncGenerator<Uint8Array, void> {
    const scope = this.#open(method, options);
    const exchange = new Exchange(scope, this.#carrier);
    try {
      const answer = await this.#send(scope, exchange, body, options);
      await readHead(exchange, answer);
      yield* readMessages(exchange, answer, this.#maxMessageBytes);
    } finally {
      this.#dispose(scope, exchange);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const scope of this.#scopes) scope.end(closedError(scope.facts.method));
    this.#carrier.close();
  }

  #open(method: string, options: CallOptions): CallScope {
    if (this.#closed) throw closedError(method);
    const scope = new CallScope(method, this.#serverUrl, options, systemClock);
    this.#scopes.add(scope);
    return scope;
  }

  async #send(
    scope: CallScope,
    exchange: Exchange,
    body: Uint8Array,
    options: CallOptions,
  ): Promise<CarriedAnswer> {
    const { token } = this.#options;
    const current = typeof token === 'function' ? await fetched(token, scope) : token;
    const answer = await exchange.send({
      headers: requestHeaders(this.#carrier.protocol, this.#options, current, options),
      body: encodeFrame(body),
      repeatable: options.repeatable === true,
    });
    if (answer.headers['flovyn-ext'] === '1') this.#extended = true;
    return answer;
  }

  #dispose(scope: CallScope, exchange: Exchange): void {
    exchange.dispose();
    this.#scopes.delete(scope);
  }
}

/** A key for one call, unless the call ends before it is there. */
async function fetched(
  token: () => string | undefined | Promise<string | undefined>,
  scope: CallScope,
): Promise<string | undefined> {
  const ended = new Promise<never>((_, reject) => scope.onEnd(reject));
  const fresh = await Promise.race([ended, token()]);
  if (fresh !== undefined) checkToken(fresh);
  return fresh;
}
