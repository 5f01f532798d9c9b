import { ConfigurationError } from '../errors.js';
import type { Fetch } from '../runtime/platform-types.js';
import type { CallScope } from './call-scope.js';
import type { CarriedAnswer, Carrier, CarrierRequest } from './carrier.js';

/** Throws `ConfigurationError` if there is nothing to send requests with. */
export function checkFetch(injected: Fetch | undefined): void {
  if (injected === undefined && typeof fetch !== 'function')
    throw new ConfigurationError('This runtime has no global fetch: pass one as the option fetch');
}

/** Requests over `fetch`, which every runtime has. It hides the trailers of HTTP/2, so gRPC-Web it is. */
export class FetchCarrier implements Carrier {
  readonly protocol = 'gRPC-Web';
  readonly #fetch: Fetch | undefined;

  /** Without a `fetch`, the global one is looked up at each request, since programs replace it. */
  constructor(injected: Fetch | undefined) {
    this.#fetch = injected;
  }

  async send({ url, headers, body, scope }: CarrierRequest): Promise<CarriedAnswer> {
    const end = new ScopeEnd(scope);
    const answer = this.#request(url, { method: 'POST', headers: { ...headers }, body, signal: end.signal });
    try {
      return new FetchAnswer(await end.or(answer), end);
    } catch (error) {
      // An answer that comes after the end has nobody to read it.
      answer.then(
        (late) => void late.body?.cancel().catch(() => {}),
        () => {},
      );
      throw error;
    }
  }

  // A `fetch` may throw at once instead of rejecting; and browsers refuse one that is called as a method.
  async #request(url: string, request: RequestInit): Promise<Response> {
    const send = this.#fetch ?? fetch;
    return send(url, request);
  }

  /** The runtime keeps the connections for all programs: there is none to close. */
  close(): void {}
}

/** The early end of a call, for a `fetch` that may not heed its signal: it cannot hold up the call. */
class ScopeEnd {
  readonly #controller = new AbortController();
  readonly #ended: Promise<never>;

  constructor(scope: CallScope) {
    this.#ended = new Promise((_, reject) => {
      scope.onEnd((failure) => {
        reject(failure);
        this.#controller.abort(failure);
      });
    });
    // The end may come while nothing waits for it.
    this.#ended.catch(() => {});
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  or<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([this.#ended, promise]);
  }
}

class FetchAnswer implements CarriedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly trailers = {};
  readonly #body: ReadableStream<Uint8Array> | null;
  readonly #end: ScopeEnd;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(response: Response, end: ScopeEnd) {
    this.status = response.status;
    const headers: Record<string, string> = {};
    response.headers.forEach((value, name) => {
      headers[name.toLowerCase()] = value;
    });
    this.headers = headers;
    this.#body = response.body;
    this.#end = end;
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#body === null) return undefined;
    this.#reader ??= this.#body.getReader();
    return (await this.#end.or(this.#reader.read())).value;
  }

  discard(): void {
    const cancelled = this.#reader?.cancel() ?? this.#body?.cancel();
    cancelled?.catch(() => {});
  }
}
