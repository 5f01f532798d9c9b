import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTransport } from '../src/transport/create.js';
import type { Transport } from '../src/transport/transport.js';
import { grpc, message, OK, type Stranger, trailers } from './support/stranger.js';
import { TRANSPORTS } from './support/transports.js';

const METHOD = '/flovyn.v1.WorkflowDispatch/SubscribeToNotifications';
const BODY = new TextEncoder().encode('a request');

describe.each(TRANSPORTS)('transport %s', (kind, language) => {
  let server: Stranger;
  let transport: Transport;

  beforeEach(async () => {
    server = await language.start(grpc(language, OK));
    transport = createTransport({ serverUrl: server.url, transport: kind });
  });

  afterEach(async () => {
    await transport.close();
    await server.close();
  });

  async function collect(stream: AsyncIterable<Uint8Array>): Promise<string[]> {
    const texts: string[] = [];
    for await (const bytes of stream) texts.push(new TextDecoder().decode(bytes));
    return texts;
  }

  test('a stream gives its messages as they come and ends with its status', async () => {
    let goOn = (): void => {};
    server.answers(async (response) => {
      language.begin(response, { 'flovyn-ext': '1' });
      response.write(message('one'));
      await new Promise<void>((resolve) => (goOn = resolve));
      language.end(response, [message('two'), message('three'), OK]);
    });
    const stream = transport.serverStream(METHOD, BODY)[Symbol.asyncIterator]();
    expect(Buffer.from((await stream.next()).value ?? []).toString()).toBe('one');
    expect(transport.extended).toBe(true);
    goOn();
    expect(await collect({ [Symbol.asyncIterator]: () => stream })).toEqual(['two', 'three']);
  });

  test('a stream that fails gives what came before and then the error', async () => {
    server.answers(grpc(language, [message('one'), trailers(8, 'too much')]));
    const stream = transport.serverStream(METHOD, BODY)[Symbol.asyncIterator]();
    expect((await stream.next()).done).toBe(false);
    await expect(stream.next()).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', message: 'too much' });
    expect((await stream.next()).done).toBe(true);
  });

  test('a stream of no messages is empty', async () => {
    server.answers(grpc(language, OK));
    expect(await collect(transport.serverStream(METHOD, BODY))).toEqual([]);
  });

  test('leaving a stream ends its call', async () => {
    server.answers((response) => {
      language.begin(response);
      response.write(message('one'));
    });
    for await (const _message of transport.serverStream(METHOD, BODY)) break;
    await vi.waitFor(() => expect(server.abandoned).toBe(1));
  });

  test('an abort ends a stream', async () => {
    server.answers((response) => {
      language.begin(response);
      response.write(message('one'));
    });
    const controller = new AbortController();
    const answer = transport.serverStream(METHOD, BODY, { signal: controller.signal });
    const stream = answer[Symbol.asyncIterator]();
    await stream.next();
    const next = stream.next();
    controller.abort();
    await expect(next).rejects.toMatchObject({ code: 'CANCELLED' });
    await vi.waitFor(() => expect(server.abandoned).toBe(1));
  });
});
