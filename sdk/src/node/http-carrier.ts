import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { CallScope } from '../transport/call-scope.js';
import type { CarriedAnswer, Carrier, CarrierRequest, Destination } from '../transport/carrier.js';
import { BodyReader } from './body-reader.js';
import { connectionOptions } from './tls.js';

/** Sends one request, without its body. */
type Send = (options: RequestOptions) => ClientRequest;

/** What a request is told whose connection the server had closed, or was closing, when it was sent. */
const CLOSED_BEFORE = ['ECONNRESET', 'EPIPE'];

/** Requests over `node:http` or `node:https`. The modules are loaded here and not before. */
export async function openHttp({ serverUrl, tls }: Destination): Promise<Carrier> {
  if (!serverUrl.startsWith('https:')) {
    const { Agent, request } = await import('node:http');
    return new HttpCarrier(serverUrl, new Agent({ keepAlive: true }), request);
  }
  const { Agent, request } = await import('node:https');
  const agent = new Agent({ keepAlive: true, ...(await connectionOptions(tls)) });
  return new HttpCarrier(serverUrl, agent, request);
}

/**
 * Each request has a connection to itself; afterwards its agent keeps it for the next. A connection that is not in use
 * does not keep a process from ending.
 */
class HttpCarrier implements Carrier {
  readonly protocol = 'gRPC-Web';
  readonly #options: RequestOptions;
  readonly #agent: Agent;
  readonly #send: Send;
  readonly #origin: string;

  constructor(serverUrl: string, agent: Agent, send: Send) {
    const { protocol, hostname, port, origin } = new URL(serverUrl);
    // Addresses of IPv6 stand in brackets only within a URL.
    this.#options = { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port, method: 'POST', agent };
    this.#agent = agent;
    this.#send = send;
    this.#origin = origin;
  }

  async send(request: CarrierRequest): Promise<CarriedAnswer> {
    for (;;) {
      const sent = this.#send({
        ...this.#options,
        path: request.url.slice(this.#origin.length),
        headers: request.headers,
      });
      try {
        return await answerTo(sent, request);
      } catch (error) {
        // Each round takes away one kept connection: the last one is made with a new one.
        if (!request.repeatable || request.scope.failure !== undefined || !wasClosedBefore(sent, error))
          throw error;
      }
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

function answerTo(sent: ClientRequest, { body, scope }: CarrierRequest): Promise<CarriedAnswer> {
  return new Promise((resolve, reject) => {
    // Errors after the head belong to the answer, which has its own listener; this one stays for those in between.
    sent.on('error', reject);
    sent.once('response', (response) => resolve(new HttpAnswer(response, scope)));
    sent.end(body);
    scope.onEnd((failure) => {
      sent.destroy();
      reject(failure);
    });
  });
}

/** Whether a connection that was kept had come to its end before the request could be answered. */
function wasClosedBefore(sent: ClientRequest, error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return sent.reusedSocket && CLOSED_BEFORE.includes(String(code));
}

class HttpAnswer implements CarriedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly trailers = {};
  readonly #response: IncomingMessage;
  readonly #body: BodyReader;

  constructor(response: IncomingMessage, scope: CallScope) {
    this.status = response.statusCode ?? 0;
    this.headers = plainHeaders(response.headers);
    this.#response = response;
    this.#body = new BodyReader(response);
    scope.onEnd((failure) => {
      this.#body.fail(failure);
      response.destroy();
    });
  }

  read(): Promise<Uint8Array | undefined> {
    return this.#body.read();
  }

  // Of one that has come to its end the connection can serve the next request, which destroying it would prevent.
  discard(): void {
    if (this.#response.complete) this.#response.resume();
    else this.#response.destroy();
  }
}

/** Headers with one text each. */
export function plainHeaders(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(':')) plain[name] = Array.isArray(value) ? value.join(', ') : String(value);
  }
  return plain;
}
