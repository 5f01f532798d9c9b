import { getEventListeners } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  AuthenticationError,
  ConfigurationError,
  ConnectionError,
  NotFoundError,
  RpcError,
} from '../src/errors.js';
import { createTransport, type TransportOptions } from '../src/transport/create.js';
import type { CallOptions, Transport } from '../src/transport/transport.js';
import { failureOf } from './support/failure.js';
import { type Answer, grpc, http, message, OK, type Stranger, trailers, web } from './support/stranger.js';
import { TRANSPORTS } from './support/transports.js';

const METHOD = '/flovyn.v1.WorkflowDispatch/StartWorkflow';
const BODY = new TextEncoder().encode('a request');
const silence: Answer = () => {};

describe.each(TRANSPORTS)('transport %s', (kind, language) => {
  let server: Stranger;
  let transport: Transport;

  beforeEach(async () => {
    server = await language.start(answerOf([message('an answer'), OK]));
    transport = connect();
  });

  afterEach(async () => {
    await transport.close();
    await server.close();
    vi.unstubAllGlobals();
  });

  const answerOf = (frames: Buffer | readonly Buffer[], headers?: Record<string, string>): Answer =>
    grpc(language, frames, headers);

  function connect(options: Partial<TransportOptions> = {}): Transport {
    return createTransport({ serverUrl: server.url, transport: kind, ...options });
  }

  async function answerTo(options?: CallOptions): Promise<string> {
    const { body } = await transport.unary(METHOD, BODY, options);
    return new TextDecoder().decode(body);
  }

  function failure(options?: CallOptions): Promise<Error> {
    return failureOf(answerTo(options));
  }

  test('a request is one frame with the headers of gRPC-Web', async () => {
    await answerTo();
    const [seen] = server.seen;
    expect(seen?.path).toBe(METHOD);
    expect(seen?.body).toEqual(message('a request'));
    expect(seen?.headers).toMatchObject({
      'content-type': language.contentType,
      'flovyn-ext': '1',
      ...(language === web ? { 'x-grpc-web': '1' } : { te: 'trailers' }),
    });
    for (const name of ['authorization', 'grpc-timeout', 'flovyn-claim'])
      expect(seen?.headers).not.toHaveProperty(name);
  });

  test('key, headers, metadata and deadline are sent', async () => {
    transport = connect({ token: 'flovyn_wk_1', headers: { 'X-Team': 'a' } });
    await answerTo({ metadata: { 'flovyn-claim': 'token' }, deadlineMs: 1_500.5 });
    expect(server.seen[0]?.headers).toMatchObject({
      authorization: 'Bearer flovyn_wk_1',
      'x-team': 'a',
      'flovyn-claim': 'token',
      'grpc-timeout': '1501m',
    });
  });

  test('a deadline of days still fits into eight digits', async () => {
    await answerTo({ deadlineMs: 10 * 86_400_000 });
    expect(server.seen[0]?.headers['grpc-timeout']).toBe('864000S');
  });

  test('a key can be fetched anew for each call', async () => {
    let count = 0;
    transport = connect({ token: async () => `key-${++count}` });
    await answerTo();
    await answerTo();
    expect(server.seen.map((seen) => seen.headers['authorization'])).toEqual([
      'Bearer key-1',
      'Bearer key-2',
    ]);
  });

  test('a path before that of the method is kept', async () => {
    transport = connect({ serverUrl: `${server.url}/behind/a/proxy/` });
    await answerTo();
    expect(server.seen[0]?.path).toBe(`/behind/a/proxy${METHOD}`);
  });

  test.each<[string, Answer, string]>([
    ['in one piece', answerOf([message('an answer'), OK]), 'an answer'],
    ['of no bytes', answerOf([message(''), OK]), ''],
    ['with the status in the headers', answerOf(message('an answer'), { 'grpc-status': '0' }), 'an answer'],
    [
      'with another form of the content type',
      answerOf([message('a'), OK], {
        'content-type': `${language.contentType.replace('+proto', '')}; charset=x`,
      }),
      'a',
    ],
    [
      'byte by byte',
      async (response) => {
        language.begin(response);
        for (const byte of Buffer.concat([message('an answer'), ...(language === web ? [OK] : [])])) {
          response.write(Buffer.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
        language.end(response, language === web ? [] : [OK]);
      },
      'an answer',
    ],
  ])('an answer %s is read', async (_name, answer, text) => {
    server.answers(answer);
    expect(await answerTo()).toBe(text);
  });

  test('metadata of the answer are given with lower-case names', async () => {
    server.answers(answerOf([message('a'), OK], { 'X-Trace': '1' }));
    expect((await transport.unary(METHOD, BODY)).metadata).toMatchObject({ 'x-trace': '1' });
  });

  test('extended is true from the first answer on that announces the extension, failed ones too', async () => {
    expect(transport.extended).toBe(false);
    await answerTo();
    expect(transport.extended).toBe(false);
    server.answers(answerOf(trailers(3, 'no'), { 'flovyn-ext': '1' }));
    await failure();
    expect(transport.extended).toBe(true);
  });

  const statuses: [number, unknown, string][] = [
    [3, RpcError, 'INVALID_ARGUMENT'],
    [5, NotFoundError, 'NOT_FOUND'],
    [7, AuthenticationError, 'PERMISSION_DENIED'],
    [8, RpcError, 'RESOURCE_EXHAUSTED'],
    [9, RpcError, 'FAILED_PRECONDITION'],
    [12, RpcError, 'UNIMPLEMENTED'],
    [14, ConnectionError, 'UNAVAILABLE'],
    [16, AuthenticationError, 'UNAUTHENTICATED'],
    [99, RpcError, 'UNKNOWN'],
  ];

  test.each(statuses)('status %d in the trailers or in the headers', async (status, errorClass, code) => {
    const text = 'd%C3%BCrr 100%25';
    for (const answer of [
      answerOf(trailers(status, text)),
      answerOf(Buffer.alloc(0), { 'grpc-status': String(status), 'grpc-message': text }),
      answerOf([message('half of it'), trailers(status, text)]),
    ]) {
      server.answers(answer);
      const error = await failure();
      expect(error.constructor).toBe(errorClass);
      expect(error).toMatchObject({ code });
      expect(error.message).toContain('dürr 100%');
    }
  });

  test('a status in the headers counts whatever else the answer is', async () => {
    server.answers((response) => {
      response
        .writeHead(503, { 'content-type': 'application/grpc', 'grpc-status': '9', 'grpc-message': 'bad %' })
        .end();
    });
    expect(await failure()).toMatchObject({
      code: 'FAILED_PRECONDITION',
      grpcCode: 9,
      message: 'bad %',
      method: METHOD,
    });
  });

  test('a status without a text is named', async () => {
    server.answers(answerOf(trailers(13)));
    expect((await failure()).message).toBe('StartWorkflow failed with INTERNAL; the server gave no reason');
  });

  test('a thing that is not found is named by the caller', async () => {
    server.answers(answerOf(trailers(5, 'no such execution')));
    const subject = { type: 'Workflow execution', id: 'abc' };
    expect(await failure({ subject })).toMatchObject({
      resourceType: 'Workflow execution',
      resourceId: 'abc',
      message: 'no such execution',
    });
  });

  const MB_OF_HTML = `<title>Welcome</title>${'<p>text</p>'.repeat(100_000)}`;

  test('no server there', async () => {
    const free = createServer();
    await new Promise<void>((resolve) => void free.listen(0, '127.0.0.1', resolve));
    const { port } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    transport = connect({ serverUrl: `http://localhost:${port}` });
    const error = await failure();
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', serverUrl: `http://localhost:${port}` });
    expect(error.message).toMatch(
      /^No server could be reached at http:\/\/localhost:\d+ \(ECONNREFUSED\): check that it runs/,
    );
  });

  test('a fetched key that cannot be sent fails the call without being shown', async () => {
    transport = connect({ token: () => 'secret\r\nkey' });
    const error = await failure();
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).not.toContain('secret');
  });

  test('a message over the limit is refused', async () => {
    transport = connect({ maxMessageBytes: 1_024 });
    server.answers(answerOf([message('x'.repeat(1_025)), OK]));
    expect(await failure()).toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('1024 bytes, got'),
    });
    server.answers(answerOf([message('x'.repeat(1_024)), OK]));
    expect(await answerTo()).toHaveLength(1_024);
  });

  test('an abort ends a call that waits for its answer', async () => {
    server.answers(silence);
    const controller = new AbortController();
    const reason = new Error('enough');
    const call = failure({ signal: controller.signal, deadlineMs: 60_000 });
    await vi.waitFor(() => expect(server.seen.length).toBe(1));
    controller.abort(reason);
    const error = await call;
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ code: 'CANCELLED', grpcCode: 1, cause: reason });
    await vi.waitFor(() => expect(server.abandoned).toBe(1));
  });

  test('an abort ends a call in the middle of its answer', async () => {
    server.answers((response) => {
      language.begin(response);
      response.write(message('a'));
    });
    const controller = new AbortController();
    const call = failure({ signal: controller.signal });
    await vi.waitFor(() => expect(server.seen.length).toBe(1));
    controller.abort();
    expect(await call).toMatchObject({ code: 'CANCELLED' });
    await vi.waitFor(() => expect(server.abandoned).toBe(1));
  });

  test('a signal that was aborted before sends nothing', async () => {
    expect(await failure({ signal: AbortSignal.abort() })).toMatchObject({ code: 'CANCELLED' });
    expect(server.seen).toEqual([]);
  });

  test('a deadline ends a call', async () => {
    server.answers(silence);
    const error = await failure({ deadlineMs: 30 });
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', grpcCode: 4 });
    expect(error.message).toBe(`${METHOD} got no answer within its deadline of 30 ms`);
    await vi.waitFor(() => expect(server.abandoned).toBe(1));
  });

  test.each([Number.NaN, -1])('a deadline of %d is refused', async (deadlineMs) => {
    expect(await failure({ deadlineMs })).toBeInstanceOf(ConfigurationError);
  });

  test('calls leave no timer and no listener behind, however they end', async () => {
    const { signal } = new AbortController();
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const options = { signal, deadlineMs: 60_000 };
    await answerTo(options);
    server.answers(http(200, 'text/html', MB_OF_HTML));
    await failure(options);
    server.answers(silence);
    await failure({ signal, deadlineMs: 5 });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(timers()).toBeLessThanOrEqual(before);
  });

  test('the rest of an answer that nobody reads is discarded', async () => {
    server.answers(
      (response) => void response.writeHead(200, { 'content-type': 'text/html' }).write('x'.repeat(1_000)),
    );
    await failure();
    await vi.waitFor(() => expect(server.abandoned).toBe(1));
  });

  test('close ends what is under way and refuses what comes', async () => {
    server.answers(silence);
    const call = failure();
    await vi.waitFor(() => expect(server.seen.length).toBe(1));
    await transport.close();
    await transport.close();
    expect(await call).toMatchObject({
      code: 'CANCELLED',
      message: expect.stringContaining('the transport is closed'),
    });
    expect(await failure()).toMatchObject({ code: 'CANCELLED' });
    expect(server.seen.length).toBe(1);
  });

  test('many calls at once are kept apart', async () => {
    server.answers((response, seen) => void answerOf([message(seen.body.subarray(5)), OK])(response, seen));
    const texts = Array.from({ length: 50 }, (_, index) => `call ${index}`);
    const answers = await Promise.all(
      texts.map((text) => transport.unary(METHOD, new TextEncoder().encode(text))),
    );
    expect(answers.map(({ body }) => new TextDecoder().decode(body))).toEqual(texts);
  });
});
