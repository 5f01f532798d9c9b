import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { CallScope } from '../transport/call-scope.js';
import type { CarriedAnswer, Carrier, CarrierRequest, Destination } from '../transport/carrier.js';
import { BodyReader } from './body-reader.js';
import { plainHeaders } from './http-carrier.js';
import { connectionOptions } from './tls.js';
import { type Connect, Http2Connection } from './http2-connection.js';

/** How often a request is sent that the server refuses to look at. */
const MAX_REFUSALS = 3;

/** Memory that the other side may fill before we read, for one answer and for all of a connection. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

/** Requests over `node:http2`. The module is loaded here and not before. */
export async function openHttp2({ serverUrl, tls }: Destination): Promise<Carrier> {
  const { connect } = await import('node:http2');
  const { origin } = new URL(serverUrl);
  const options = await connectionOptions(tls);
  const settings = { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES };
  const open = (): ClientHttp2Session => {
    const session = connect(origin, { settings, ...options });
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    return session;
  };
  return new Http2Carrier(origin, open);
}

/**
 * All requests share one connection, and another where the server allows no more at once on the first. A connection
 * that has no request under way does not keep a process from ending.
 */
class Http2Carrier implements Carrier {
  readonly protocol = 'gRPC';
  readonly #origin: string;
  readonly #connect: Connect;
  readonly #connections = new Set<Http2Connection>();

  constructor(origin: string, connect: Connect) {
    this.#origin = origin;
    this.#connect = connect;
  }

  async send(request: CarrierRequest): Promise<CarriedAnswer> {
    for (let refusals = 0; ; ) {
      const connection = this.#connectionWithRoom();
      const wasKept = connection.hasServed;
      const stream = connection.request({
        ':method': 'POST',
        ':path': request.url.slice(this.#origin.length),
        ...request.headers,
      });
      try {
        return await answerTo(connection, stream, request);
      } catch (error) {
        if (request.scope.failure !== undefined) throw error;
        // The server says that it has not looked at the request, so anything may be sent again.
        const wasRefused = stream.rstCode === REFUSED_STREAM;
        if (wasRefused) refusals += 1;
        if (wasRefused ? refusals >= MAX_REFUSALS : !(wasKept && request.repeatable && connection.isGone))
          throw error;
      }
    }
  }

  close(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  #connectionWithRoom(): Http2Connection {
    for (const connection of this.#connections) {
      if (connection.hasRoom) return connection;
    }
    const connection = new Http2Connection(this.#connect, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    return connection;
  }
}

/** Of the error codes of HTTP/2. */
const REFUSED_STREAM = 7;
const CANCEL = 8;

function answerTo(
  connection: Http2Connection,
  stream: ClientHttp2Stream,
  { body, scope }: CarrierRequest,
): Promise<CarriedAnswer> {
  return new Promise((resolve, reject) => {
    stream.on('error', reject);
    stream.once('response', (headers) => resolve(new Http2Answer(stream, headers, scope)));
    stream.once('close', () =>
      reject(new Error(`the request was ended with code ${stream.rstCode} of HTTP/2`)),
    );
    stream.end(body);
    scope.onEnd((failure) => {
      reject(failure);
      stream.close(CANCEL);
      connection.checkLife();
    });
  });
}

class Http2Answer implements CarriedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  trailers: Readonly<Record<string, string>> = {};
  readonly #stream: ClientHttp2Stream;
  readonly #body: BodyReader;

  constructor(stream: ClientHttp2Stream, headers: Readonly<Record<string, unknown>>, scope: CallScope) {
    this.status = Number(headers[':status']);
    this.headers = plainHeaders(headers);
    this.#stream = stream;
    this.#body = new BodyReader(stream);
    scope.onEnd((failure) => {
      this.#body.fail(failure);
      stream.close(CANCEL);
    });
    stream.once('trailers', (trailers) => {
      this.trailers = plainHeaders(trailers);
    });
  }

  // A stream that was reset ends like one that is complete.
  async read(): Promise<Uint8Array | undefined> {
    const chunk = await this.#body.read();
    if (chunk === undefined && this.#stream.rstCode !== 0)
      throw new Error(`it was reset with code ${this.#stream.rstCode} of HTTP/2`);
    return chunk;
  }

  discard(): void {
    if (!this.#stream.closed && !this.#stream.readableEnded) this.#stream.close(CANCEL);
  }
}
