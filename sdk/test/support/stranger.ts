import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createServer2, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2';
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
  /** How many connections were ever opened. */
  accepted = 0;
  /** The connections of HTTP/2 that are open. */
  readonly sessions = new Set<ServerHttp2Session>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #answer: Answer;

  private constructor(answer: Answer, server: Server) {
    this.#answer = answer;
    this.#server = server;
    server.on('request', (request, response) => void this.#handle(request, response));
    server.on('session', (session: ServerHttp2Session) => {
      this.sessions.add(session);
      session.once('close', () => this.sessions.delete(session));
      session.on('error', () => {});
    });
    server.on('connection', (socket: Socket) => {
      this.accepted += 1;
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** Over HTTP/1.1 unless another server is given, which must give the same events. */
  static async start(answer: Answer, server: object = createServer(), port = 0): Promise<Stranger> {
    const stranger = new Stranger(answer, server as Server);
    await once(stranger.#server.listen(port, '127.0.0.1'), 'listening');
    return stranger;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Answers like this from now on. */
  answers(answer: Answer): void {
    this.#answer = answer;
  }

  /** Ends all connections without a word, as a server that dies. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cutAll();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { stream } = response as unknown as Partial<Http2ServerResponse>;
    stream?.on('aborted', () => {
      this.abandoned += 1;
    });
    response.once('close', () => {
      if (stream === undefined && !response.writableFinished) this.abandoned += 1;
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
/** Trailers as gRPC-Web has them: in a frame. */
export const trailers = (status: number, text = ''): Buffer =>
  frame(0x80, `grpc-status: ${status}\r\ngrpc-message: ${text}\r\n`);
export const OK: Buffer = trailers(0);

/** How a server speaks to a client: what makes an answer, given as frames. */
export interface Language {
  readonly protocol: 'gRPC-Web' | 'gRPC';
  readonly contentType: string;
  /** Starts a server that listens in this language. */
  start(answer: Answer, port?: number): Promise<Stranger>;
  /** Sends the head of an answer. */
  begin(response: ServerResponse, headers?: Record<string, string>): void;
  /** Sends the last frames of an answer. */
  end(response: ServerResponse, frames: readonly Buffer[]): void;
  /** Ends the connection of an answer without a word. */
  cut(response: ServerResponse): void;
}

/** gRPC-Web over HTTP/1.1. */
export const web: Language = {
  protocol: 'gRPC-Web',
  contentType: 'application/grpc-web+proto',
  start: (answer, port) => Stranger.start(answer, createServer(), port),
  begin: (response, headers = {}) =>
    void response.writeHead(200, { 'content-type': web.contentType, ...headers }),
  end: (response, frames) => void response.end(Buffer.concat(frames)),
  cut: (response) => void response.socket?.destroy(),
};

/** gRPC over HTTP/2 in clear text. A frame of trailers given to `end` becomes trailers. */
export const native: Language = {
  protocol: 'gRPC',
  contentType: 'application/grpc+proto',
  start: (answer, port) => Stranger.start(answer, createServer2(), port),
  begin: (response, headers = {}) =>
    void response.writeHead(200, { 'content-type': native.contentType, ...headers }),
  end: (response, frames) => {
    const isTrailers = (bytes: Buffer): boolean => bytes[0] === 0x80;
    for (const block of frames.filter(isTrailers)) {
      for (const [, name, value] of block
        .subarray(5)
        .toString()
        .matchAll(/(.+?): (.*)\r\n/g))
        response.addTrailers({ [String(name)]: String(value) });
    }
    response.end(Buffer.concat(frames.filter((bytes) => !isTrailers(bytes))));
  },
  cut: (response) => (response as unknown as Http2ServerResponse).stream.session?.destroy(),
};

/** An answer of frames, and of these headers more. */
export function grpc(
  language: Language,
  frames: Buffer | readonly Buffer[],
  headers: Record<string, string> = {},
): Answer {
  return (response) => {
    language.begin(response, headers);
    language.end(response, Array.isArray(frames) ? frames : [frames as Buffer]);
  };
}

/** An answer of a gRPC-Web server. */
export function grpcWeb(frames: Buffer | readonly Buffer[], headers: Record<string, string> = {}): Answer {
  return grpc(web, frames, headers);
}

/** An answer of something else. */
export function http(status: number, contentType: string, body = ''): Answer {
  return (response) => void response.writeHead(status, { 'content-type': contentType }).end(body);
}
