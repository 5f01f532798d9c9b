import type { CallOptions, Transport, UnaryAnswer } from './transport.js';

/**
 * The same transport for a client that knows nothing of `flovyn.ext.v1`: it announces nothing, and sees a server that
 * has announced nothing.
 */
export class PlainTransport implements Transport {
  readonly extended = false;
  readonly #inner: Transport;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  get isInProcess(): boolean | undefined {
    return this.#inner.isInProcess;
  }

  unary(method: string, body: Uint8Array, options?: CallOptions): Promise<UnaryAnswer> {
    return this.#inner.unary(method, body, { ...options, extensions: false });
  }

  serverStream(method: string, body: Uint8Array, options?: CallOptions): AsyncIterable<Uint8Array> {
    return this.#inner.serverStream(method, body, { ...options, extensions: false });
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
