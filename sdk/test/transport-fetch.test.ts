import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { GrpcWebTransport, type GrpcWebOptions } from '../src/transport/grpc-web.js';
import type { CallOptions } from '../src/transport/transport.js';
import { failureOf } from './support/failure.js';
import { grpcWeb, message, OK, Stranger } from './support/stranger.js';

let server: Stranger;
let transport: GrpcWebTransport;

beforeEach(async () => {
  server = await Stranger.start(grpcWeb([message('an answer'), OK]));
  transport = connect();
});

afterEach(async () => {
  await transport.close();
  await server.close();
  vi.unstubAllGlobals();
});

function connect(options: Partial<GrpcWebOptions> = {}): GrpcWebTransport {
  return new GrpcWebTransport({ serverUrl: server.url, ...options });
}

async function answerTo(options?: CallOptions): Promise<string> {
  const { body } = await transport.unary(
    '/flovyn.v1.WorkflowDispatch/StartWorkflow',
    new Uint8Array(),
    options,
  );
  return new TextDecoder().decode(body);
}

function failure(options?: CallOptions): Promise<Error> {
  return failureOf(answerTo(options));
}

test('an injected fetch is used instead of the global one', async () => {
  const injected = vi.fn<typeof fetch>((input, init) => fetch(input, init));
  transport = connect({ fetch: injected });
  expect(await answerTo()).toBe('an answer');
  expect(injected).toHaveBeenCalledTimes(1);
  expect(injected.mock.contexts).toEqual([undefined]);
});

test('the global fetch is looked up at each call', async () => {
  const replaced = vi.fn<typeof fetch>(fetch);
  vi.stubGlobal('fetch', replaced);
  await answerTo();
  expect(replaced).toHaveBeenCalledTimes(1);
});

test('an injected fetch that throws at once is a failed call', async () => {
  transport = connect({
    fetch: () => {
      throw new TypeError('no network today');
    },
  });
  expect(await failure()).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('no network today'),
  });
});

test('a fetch that does not heed its signal cannot hold up a call', async () => {
  let answerNow: (response: Response) => void = () => {};
  transport = connect({ fetch: () => new Promise((resolve) => (answerNow = resolve)) });
  expect(await failure({ deadlineMs: 10 })).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  const cancelled = vi.fn();
  answerNow(new Response(new ReadableStream({ cancel: cancelled })));
  await vi.waitFor(() => expect(cancelled).toHaveBeenCalled());
});
