import { ConfigurationError } from '../errors.js';
import type { Fetch } from '../runtime/platform-types.js';
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

  // A `fetch` may throw at once instead of rejecting.
  async send({ url, headers, body, signal }: CarrierRequest): Promise<CarriedAnswer> {
    // Never called as a method, which browsers refuse.
    const send = this.#fetch ?? fetch;
    return new FetchAnswer(await send(url, { method: 'POST', headers: { ...headers }, body, signal }));
  }

  /** The runtime keeps the connections for all programs: there is none to close. */
  close(): void {}
}

class FetchAnswer implements CarriedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly trailers = {};
  readonly #body: ReadableStream<Uint8Array> | null;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(response: Response) {
    this.status = response.status;
    const headers: Record<string, string> = {};
    response.headers.forEach((value, name) => {
      headers[name.toLowerCase()] = value;
    });
    this.headers = headers;
    this.#body = response.body;
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#body === null) return undefined;
    this.#reader ??= this.#body.getReader();
    return (await this.#reader.read()).value;
  }

  discard(): void {
    const cancelled = this.#reader?.cancel() ?? this.#body?.cancel();
    cancelled?.catch(() => {});
  }
}
