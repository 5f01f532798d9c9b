import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { expect, test } from 'vitest';
import './support/core.js';
import './support/transports.js';
import { FlovynClient } from '../src/client/client.js';
import type { FlovynClientOptions } from '../src/client/options.js';
import { EmbeddedTransport } from '../src/transport/embedded.js';
import { task } from '../src/task/define.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { silentLogger } from '../src/logger.js';
import type { Stranger } from './support/stranger.js';
import { serve } from './support/wire.js';

const double = task({ name: 'double', run: (_ctx, n: number) => n * 2 });
const order = workflow({
  name: 'order',
  handlers: { queries: { status: () => 'fine' } },
  run: async (ctx, n: number) => {
    ctx.set('state', n);
    await ctx.waitForSignal('go');
    await ctx.promise('approval');
    return ctx.task(double, n);
  },
});

/** What a worker says; all else is said by clients. */
const OF_WORKERS = [
  'RegisterWorker',
  'SendHeartbeat',
  'PollWorkflow',
  'PollTask',
  'SubmitWorkflowCommands',
  'CompleteTask',
  'AnswerQuery',
];

/** Uses every call of a client once, over a real connection. */
async function useEverything(server: Stranger, options: Partial<FlovynClientOptions>): Promise<void> {
  const client = new FlovynClient({ serverUrl: server.url, logger: silentLogger, ...options });
  client.registerWorkflow(order);
  client.registerTask(double);
  await client.start();
  const { handle } = await client.startWorkflow(order, 21);
  await handle.signal('go');
  expect(await handle.query('status')).toBe('fine');
  for (let isWaiting = false; !isWaiting; ) {
    isWaiting = await client.resolvePromise(`${handle.workflowId}:approval`).then(
      () => true,
      () => false,
    );
  }
  expect(await handle.result()).toBe(42);
  expect(await handle.describe()).toMatchObject({ status: 'COMPLETED' });
  expect((await client.listWorkflows()).total).toBe(1);
  await failureOf(handle.cancel());
  await client.stop();
}

interface Call {
  readonly name: string;
  readonly headers: Stranger['seen'][number]['headers'];
}

function callsOf(server: Stranger): Call[] {
  return server.seen.map(({ path, headers }) => ({ name: path.slice(path.lastIndexOf('/') + 1), headers }));
}

/** The keys that calls came with, by who makes them. */
function keysOf(server: Stranger): { workers: string[]; clients: string[] } {
  const keys = (isWorker: boolean): string[] => {
    const calls = callsOf(server).filter(({ name }) => OF_WORKERS.includes(name) === isWorker);
    return [...new Set(calls.map(({ headers }) => String(headers['authorization'])))];
  };
  return { workers: keys(true), clients: keys(false) };
}

test.each([
  ['both', { apiKey: 'api', workerToken: 'wk' }, { workers: ['Bearer wk'], clients: ['Bearer api'] }],
  ['the API key', { apiKey: 'api' }, { workers: ['Bearer api'], clients: ['Bearer api'] }],
  ['the worker key', { workerToken: 'wk' }, { workers: ['Bearer wk'], clients: ['Bearer wk'] }],
  ['none', {}, { workers: ['undefined'], clients: ['undefined'] }],
])('each call goes out under its key: %s', async (_name, keys, expected) => {
  const engine = new EmbeddedTransport();
  const server = await serve(engine);
  await useEverything(server, keys);
  const names = new Set(callsOf(server).map(({ name }) => name));
  for (const name of ['StartWorkflow', 'AwaitResult', 'SignalWorkflow', 'QueryWorkflow', 'CancelWorkflow'])
    expect(names).toContain(name);
  for (const name of OF_WORKERS.filter((each) => each !== 'SendHeartbeat')) expect(names).toContain(name);
  expect(keysOf(server)).toEqual(expected);
  await server.close();
  await engine.close();
});

test('headers go out with every call, and a fetch of the program makes every call', async () => {
  const engine = new EmbeddedTransport();
  const server = await serve(engine);
  let fetched = 0;
  const counting: typeof fetch = (input, init) => {
    fetched += 1;
    return fetch(input, init);
  };
  await useEverything(server, { fetch: counting, headers: { 'x-team': 'checkout' }, apiKey: 'api' });
  expect(fetched).toBe(server.seen.length);
  expect(new Set(callsOf(server).map(({ headers }) => headers['x-team']))).toEqual(new Set(['checkout']));

  const { length } = server.seen;
  await server.close();
  await engine.close();
  expect(length).toBeGreaterThan(10);
});

test('without fetch and headers, neither is used', async () => {
  const engine = new EmbeddedTransport();
  const server = await serve(engine);
  const { fetch: original } = globalThis;
  let fetched = 0;
  globalThis.fetch = (input, init) => {
    fetched += 1;
    return original(input, init);
  };
  await useEverything(server, { transport: 'http' });
  globalThis.fetch = original;
  expect(fetched).toBe(0);
  expect(callsOf(server).some(({ headers }) => 'x-team' in headers)).toBe(false);
  await server.close();
  await engine.close();
});

test('the authority that tls names is trusted by clients and their workers, and only then', async () => {
  const pem = (name: string): Buffer => readFileSync(new URL(`./fixtures/tls/${name}.pem`, import.meta.url));
  const engine = new EmbeddedTransport();
  const server = await serve(engine, createServer({ cert: pem('server'), key: pem('server-key') }));
  const serverUrl = `https://localhost:${server.port}`;
  const tls = { ca: pem('authority') };
  await useEverything(server, { serverUrl, transport: 'http', tls, apiKey: 'api', workerToken: 'wk' });
  expect(keysOf(server)).toEqual({ workers: ['Bearer wk'], clients: ['Bearer api'] });

  const distrusting = new FlovynClient({ serverUrl, transport: 'http', logger: silentLogger });
  await distrusting.start();
  expect((await failureOf(distrusting.startWorkflow(order, 1))).message).toContain('certificate');
  await distrusting.stop();
  await server.close();
  await engine.close();
});
