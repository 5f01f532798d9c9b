import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** One request as the server saw it. */
export interface Seen {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export type Answer = (response: ServerResponse, seen: Seen) => void | Promise<void>;

/** A server on a real socket that answers whatever a test says, good or bad. */
export class Stranger {
  readonly seen: Seen[] = [];
  /** How often a client went away before its answer was complete. */
  abandoned = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #answer: Answer;

  private constructor(answer: Answer) {
    this.#answer = answer;
    this.#server = createServer((request, response) => void this.#handle(request, response));
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(answer: Answer): Promise<Stranger> {
    const stranger = new Stranger(answer);
    await once(stranger.#server.listen(0, '127.0.0.1'), 'listening');
    return stranger;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Answers like this from now on. */
  answers(answer: Answer): void {
    this.#answer = answer;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.once('close', () => {
      if (!response.writableFinished) this.abandoned += 1;
    });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const seen = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) };
    this.seen.push(seen);
    await this.#answer(response, seen);
  }
}

/** A gRPC frame. */
export function frame(flag: number, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content as string);
  const head = Buffer.alloc(5);
  head.writeUInt8(flag, 0);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

export const message = (content: Buffer | string): Buffer => frame(0, content);
export const trailers = (status: number, text = ''): Buffer =>
  frame(0x80, `grpc-status: ${status}\r\ngrpc-message: ${text}\r\n`);
export const OK: Buffer = trailers(0);

/** An answer of a gRPC-Web server: these bytes, and these headers more. */
export function grpcWeb(body: Buffer | readonly Buffer[], headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/grpc-web+proto', ...headers });
    response.end(Array.isArray(body) ? Buffer.concat(body) : body);
  };
}

/** An answer of something else. */
export function http(status: number, contentType: string, body = ''): Answer {
  return (response) => void response.writeHead(status, { 'content-type': contentType }).end(body);
}
