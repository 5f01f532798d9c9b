import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Http2ServerResponse } from 'node:http2';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConnectionError } from '../src/errors.js';
import { createTransport } from '../src/transport/create.js';
import type { CallOptions, Transport } from '../src/transport/transport.js';
import { failureOf } from './support/failure.js';
import { type Answer, grpc, message, native, OK, type Stranger, web } from './support/stranger.js';
import { NODE_TRANSPORTS } from './support/transports.js';

const METHOD = '/flovyn.v1.WorkflowDispatch/GetEvents';

let server: Stranger;
let transport: Transport;

afterEach(async () => {
  vi.useRealTimers();
  await transport.close();
  await server.close();
});

async function answerTo(options?: CallOptions): Promise<string> {
  const { body } = await transport.unary(METHOD, new Uint8Array(), options);
  return new TextDecoder().decode(body);
}

describe.each(NODE_TRANSPORTS)('transport %s', (kind, language) => {
  const good: Answer = grpc(language, [message('an answer'), OK]);
  const cut: Answer = (response) => language.cut(response);

  beforeEach(async () => {
    server = await language.start(good);
    transport = createTransport({ serverUrl: server.url, transport: kind });
  });

  /** The first of the requests to come is answered like this, the others are answered well. */
  function answersFirst(answer: Answer): void {
    server.answers((response, seen) => {
      server.answers(good);
      return answer(response, seen);
    });
  }

  test('calls one after the other use one connection, failed ones too', async () => {
    for (let call = 0; call < 5; call += 1) await answerTo();
    server.answers(grpc(language, Buffer.alloc(0), { 'grpc-status': '9', 'grpc-message': 'no' }));
    await failureOf(answerTo());
    server.answers(good);
    await answerTo();
    expect(server.accepted).toBe(1);
  });

  test('a kept connection that the server closed meanwhile is replaced', async () => {
    await answerTo();
    server.cutAll();
    await vi.waitFor(() => expect(server.connections).toBe(0));
    await new Promise((resolve) => setImmediate(resolve));
    expect(await answerTo()).toBe('an answer');
    expect(server.accepted).toBe(2);
  });

  test('a kept connection that ends under a repeatable call: the call is made again', async () => {
    await answerTo();
    answersFirst(cut);
    expect(await answerTo({ repeatable: true })).toBe('an answer');
    expect(server.seen.length).toBe(3);
  });

  test('a kept connection that ends under another call: its fate is left to the caller', async () => {
    await answerTo();
    answersFirst(cut);
    expect(await failureOf(answerTo())).toBeInstanceOf(ConnectionError);
    expect(server.seen.length).toBe(2);
  });

  test('a new connection that ends is no reason to make a call again', async () => {
    answersFirst(cut);
    expect(await failureOf(answerTo({ repeatable: true }))).toBeInstanceOf(ConnectionError);
    expect(server.seen.length).toBe(1);
  });

  test('an answer that has begun is no reason to make a call again', async () => {
    await answerTo();
    answersFirst(async (response) => {
      language.begin(response);
      await new Promise((resolve) => response.write(message('a'), resolve));
      language.cut(response);
    });
    const error = await failureOf(answerTo({ repeatable: true }));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toContain('was cut off');
    expect(server.seen.length).toBe(2);
  });

  test('calls go on after a restart of the server', async () => {
    await Promise.all(Array.from({ length: 5 }, () => answerTo()));
    const { port } = server;
    await server.close();
    const error = await failureOf(answerTo({ repeatable: true }));
    expect(error).toBeInstanceOf(ConnectionError);
    server = await language.start(good, port);
    expect(await answerTo()).toBe('an answer');
  });

  test('close closes the kept connections', async () => {
    await Promise.all(Array.from({ length: 5 }, () => answerTo()));
    expect(server.connections).toBeGreaterThan(0);
    await transport.close();
    await vi.waitFor(() => expect(server.connections).toBe(0));
  });

  test('kept connections do not keep a process from ending, and calls under way do', async () => {
    const handles = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    await answerTo();
    // The sockets of the server, and none of ours.
    const ofServer = server.connections;
    await vi.waitFor(() => expect(handles()).toBe(ofServer));
    server.answers(() => {});
    const call = failureOf(answerTo());
    await vi.waitFor(() => expect(server.seen.length).toBe(2));
    expect(handles()).toBe(ofServer + 1);
    await transport.close();
    await call;
  });

  test('an answer of many megabytes arrives whole, though it is read slowly', async () => {
    const big = Buffer.alloc(8 * 1024 * 1024, 'x');
    server.answers(grpc(language, [message(big), OK]));
    const { body } = await transport.unary(METHOD, new Uint8Array());
    expect(Buffer.compare(big, body)).toBe(0);
    server.answers(
      grpc(language, [...Array.from({ length: 40 }, () => message(big.subarray(0, 100_000))), OK]),
    );
    let bytes = 0;
    for await (const part of transport.serverStream(METHOD, new Uint8Array())) {
      await new Promise((resolve) => setImmediate(resolve));
      bytes += part.length;
    }
    expect(bytes).toBe(4_000_000);
  });

  test('a stream whose reader does nothing is held back', async () => {
    const part = message(Buffer.alloc(256 * 1024));
    let written = 0;
    server.answers(async (response) => {
      language.begin(response);
      while (written < 200 && !response.destroyed) {
        written += 1;
        if (!response.write(part)) await once(response, 'drain');
      }
    });
    const stream = transport.serverStream(METHOD, new Uint8Array())[Symbol.asyncIterator]();
    await stream.next();
    let before: number;
    do {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } while (written !== before);
    // What the two sides and the system between them hold for a reader, of 50 MB.
    expect(written).toBeLessThan(100);
    await stream.return?.(undefined);
  });
});

test('two requests at once have two connections over http, and one over http2', async () => {
  for (const [kind, language, connections] of [
    ['http', web, 2],
    ['http2', native, 1],
  ] as const) {
    await transport?.close();
    await server?.close();
    const waiting: (() => void)[] = [];
    server = await language.start(async (response, seen) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      await grpc(language, [message('an answer'), OK])(response, seen);
    });
    transport = createTransport({ serverUrl: server.url, transport: kind });
    const calls = [answerTo(), answerTo()];
    await vi.waitFor(() => expect(waiting.length).toBe(2));
    for (const goOn of waiting) goOn();
    await Promise.all(calls);
    expect(server.accepted).toBe(connections);
  }
});

describe('transport http2', () => {
  const good: Answer = grpc(native, [message('an answer'), OK]);
  const streamOf = (response: object) => (response as Http2ServerResponse).stream;

  beforeEach(async () => {
    server = await native.start(good);
    transport = createTransport({ serverUrl: server.url, transport: 'http2' });
  });

  test('a server that says it will go answers what it has, and gets nothing more on that connection', async () => {
    let goOn = (): void => {};
    server.answers(async (response, seen) => {
      await new Promise<void>((resolve) => (goOn = resolve));
      await good(response, seen);
    });
    const early = answerTo();
    await vi.waitFor(() => expect(server.seen.length).toBe(1));
    const [session] = server.sessions;
    session?.goaway(0);
    // The notice is read by the client before the answer of a later ping.
    await new Promise((resolve) => session?.ping(resolve));
    server.answers(good);
    expect(await answerTo()).toBe('an answer');
    expect(server.accepted).toBe(2);
    goOn();
    expect(await early).toBe('an answer');
  });

  test('a request that the server refuses to look at is sent again, whatever it is', async () => {
    let refusals = 2;
    server.answers((response, seen) => {
      if (refusals === 0) return good(response, seen);
      refusals -= 1;
      return streamOf(response).close(7);
    });
    expect(await answerTo()).toBe('an answer');
    expect(server.seen.length).toBe(3);
  });

  test('a server that refuses for ever is given up', async () => {
    server.answers((response) => streamOf(response).close(7));
    expect(await failureOf(answerTo())).toBeInstanceOf(ConnectionError);
    expect(server.seen.length).toBe(3);
  });

  test('a reset of another kind is a failure', async () => {
    server.answers((response) => streamOf(response).close(2));
    const error = await failureOf(answerTo({ repeatable: true }));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(server.seen.length).toBe(1);
  });

  test('more requests than a server allows on one connection go over another', async () => {
    await answerTo();
    for (const session of server.sessions) session.settings({ maxConcurrentStreams: 2 });
    await answerTo();
    const waiting: (() => void)[] = [];
    server.answers(async (response, seen) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      await good(response, seen);
    });
    const calls = [answerTo(), answerTo(), answerTo()];
    await vi.waitFor(() => expect(waiting.length).toBe(3));
    for (const goOn of waiting) goOn();
    await Promise.all(calls);
    expect(server.accepted).toBe(2);
  });

  test('a network that swallows everything is noticed after a call that got no answer', async () => {
    const hole = await BlackHole.before(server.port);
    await transport.close();
    transport = createTransport({ serverUrl: hole.url, transport: 'http2' });
    await answerTo();
    hole.swallows = true;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const call = failureOf(answerTo({ deadlineMs: 1_000 }));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await call).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    hole.swallows = false;
    await vi.advanceTimersByTimeAsync(5_000);
    vi.useRealTimers();
    expect(await answerTo()).toBe('an answer');
    expect(hole.accepted).toBe(2);
    hole.close();
  });
});

/** A network in between: it carries bytes, or takes them and says nothing. */
class BlackHole {
  accepted = 0;
  swallows = false;
  readonly #server: Server;
  readonly #sockets: Socket[] = [];

  private constructor(port: number) {
    this.#server = createServer((near) => {
      this.accepted += 1;
      const far = connectTcp(port, '127.0.0.1');
      this.#sockets.push(near, far);
      this.#carry(near, far);
      this.#carry(far, near);
    });
  }

  static async before(port: number): Promise<BlackHole> {
    const hole = new BlackHole(port);
    await once(hole.#server.listen(0, '127.0.0.1'), 'listening');
    return hole;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  // What was swallowed stays swallowed.
  #carry(from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      if (!this.swallows) to.write(bytes);
    });
    from.on('error', () => {});
    from.on('close', () => to.destroy());
  }
}
