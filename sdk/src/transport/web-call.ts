import { textOf } from '../errors/base.js';
import { ConnectionError, type FlovynError } from '../errors.js';
import type { CallScope } from './call-scope.js';
import { type CallFacts, cutOff } from './status.js';
import type { Fetch } from '../runtime/platform-types.js';

/** One request over `fetch` and the answer to it, as long as both live. */
export class WebCall {
  readonly #scope: CallScope;
  readonly #controller = new AbortController();
  readonly #ended: Promise<never>;
  #response: Response | undefined;

  constructor(scope: CallScope) {
    this.#scope = scope;
    this.#ended = new Promise((_, reject) => {
      scope.onEnd((failure) => {
        reject(failure);
        this.#controller.abort(failure);
      });
    });
    // The end may come while nothing waits for it.
    this.#ended.catch(() => {});
  }

  get facts(): CallFacts {
    return this.#scope.facts;
  }

  /** `promise`, unless the call ends before it settles. A `fetch` that does not heed its signal cannot hold up a call. */
  async until<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([this.#ended, promise]);
  }

  /** Sends the request; resolves with the head of the answer. */
  async send(fetch: Fetch, headers: Record<string, string>, body: Uint8Array): Promise<Response> {
    if (this.#scope.failure !== undefined) throw this.#scope.failure;
    const { method, serverUrl } = this.facts;
    const request = { method: 'POST', headers, body, signal: this.#controller.signal };
    const answer = this.#request(fetch, serverUrl + method, request);
    try {
      this.#response = await this.until(answer);
      return this.#response;
    } catch (error) {
      // An answer that comes after the end has nobody to read it.
      answer.then(discard, () => {});
      throw this.#scope.failure ?? unreachable(serverUrl, error);
    }
  }

  /** The bytes of the answer, chunk by chunk. Leaving the loop early discards the rest. */
  async *chunks(response: Response): AsyncGenerator<Uint8Array, void> {
    if (response.body === null) return;
    const reader = response.body.getReader();
    try {
      for (;;) {
        const chunk = await this.until(reader.read());
        if (chunk.done) return;
        yield chunk.value;
      }
    } catch (error) {
      throw this.#scope.failure ?? cutOff(this.facts, reason(error), error);
    } finally {
      reader.cancel().catch(() => {});
    }
  }

  /** Lets go of everything; an answer not read to its end is discarded. */
  dispose(): void {
    this.#scope.dispose();
    if (this.#response !== undefined) discard(this.#response);
  }

  // A `fetch` may throw at once instead of rejecting.
  async #request(fetch: Fetch, url: string, request: RequestInit): Promise<Response> {
    return fetch(url, request);
  }
}

function discard(response: Response): void {
  if (response.body !== null && !response.body.locked) response.body.cancel().catch(() => {});
}

function unreachable(serverUrl: string, error: unknown): FlovynError {
  const text = `No server could be reached at ${serverUrl} (${reason(error)}): check that it runs and that serverUrl is right`;
  return new ConnectionError(text, serverUrl, error);
}

/** Runtimes wrap what happened in a general `fetch failed`: the innermost code or text says more. */
function reason(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  const code: unknown = innermost instanceof Error ? Reflect.get(innermost, 'code') : undefined;
  return typeof code === 'string' ? code : textOf(innermost);
}
