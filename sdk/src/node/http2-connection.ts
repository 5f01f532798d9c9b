import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { systemClock } from '../runtime/clock.js';

/** Begins a connection. */
export type Connect = () => ClientHttp2Session;

/** How long a connection in doubt has to answer a ping. */
const PING_LIMIT_MS = 5_000;

/**
 * One connection and the requests on it.
 *
 * ```text
 * open --the server says that it will go--> leaving --its requests end--> gone
 *   '--------------- closed, broken, or no answer to a ping --------------'
 * ```
 */
export class Http2Connection {
  readonly #session: ClientHttp2Session;
  #open = 0;
  #isLeaving = false;
  #isChecking = false;
  #hasServed = false;
  #isGone = false;

  constructor(connect: Connect, onGone: () => void) {
    this.#session = connect();
    // Whatever breaks it, its requests are told too.
    this.#session.on('error', () => {});
    this.#session.once('goaway', () => {
      this.#isLeaving = true;
    });
    this.#session.once('close', () => {
      this.#isGone = true;
      onGone();
    });
  }

  /** Whether it takes one more request. */
  get hasRoom(): boolean {
    const session = this.#session;
    if (this.#isLeaving || session.closed || session.destroyed) return false;
    return this.#open < (session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY);
  }

  /** Whether an answer has come over it. */
  get hasServed(): boolean {
    return this.#hasServed;
  }

  /** Whether it has ended. */
  get isGone(): boolean {
    return this.#isGone || this.#session.destroyed;
  }

  /** Begins a request; only while there is room. */
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    const stream = this.#session.request(headers);
    this.#open += 1;
    if (this.#open === 1) this.#session.ref();
    stream.once('response', () => {
      this.#hasServed = true;
    });
    stream.once('close', () => {
      this.#open -= 1;
      if (this.#open === 0 && !this.#session.destroyed) this.#session.unref();
    });
    return stream;
  }

  /**
   * Asks for a sign of life after a request that got no answer: of a network that swallows everything one learns in no
   * other way. Ends the connection if there is none.
   */
  checkLife(): void {
    if (this.#isChecking || this.isGone) return;
    this.#isChecking = true;
    let wasAsked = true;
    const onLimit = (): void => {
      this.#isChecking = false;
      if (wasAsked || this.#session.connecting) this.destroy();
    };
    const stopTimer = systemClock.schedule(PING_LIMIT_MS, onLimit, { keepAlive: false });
    this.#session.ping((error) => {
      // A session that is still connecting refuses at once, and may never come to be connected.
      if (error !== null) {
        wasAsked = false;
        return;
      }
      stopTimer();
      this.#isChecking = false;
    });
  }

  destroy(): void {
    this.#session.destroy();
  }
}
