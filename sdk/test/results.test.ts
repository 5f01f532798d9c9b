import { expect, test } from 'vitest';
import './support/core.js';
import { FlovynClient } from '../src/client/client.js';
import { ConnectionError, NotFoundError, RpcError } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import { EMBEDDED_ORG_ID } from '../src/transport/embedded.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { ManualClock } from './support/manual-clock.js';
import { PlainTransport } from './support/plain-transport.js';
import { hastyClock, hidden, MeddledTransport, until, world } from './support/world.js';

const echo = workflow({ name: 'echo', run: async (_ctx, input: unknown) => input });
const waiting = workflow({ name: 'waiting', run: (ctx) => ctx.waitForSignal('go') });
const UNKNOWN = '01234567-89ab-4def-8123-456789abcdef';

test('the server says when an execution has ended, where it can', async () => {
  const w = world();
  const client = await w.client([waiting]);
  const { handle } = await client.startWorkflow(waiting);
  const result = handle.result();
  await until(() => w.engine.count('AwaitResult') === 1);
  const looks = w.engine.count('GetEvents');
  await handle.signal('go', 'gone');
  expect(await result).toBe('gone');
  expect(w.engine.count('AwaitResult')).toBe(1);
  expect(w.engine.count('GetEvents')).toBe(looks);
});

test('without our extensions the history is looked at, less and less often', async () => {
  const plain = new PlainTransport();
  const transport = new MeddledTransport(plain);
  transport.extended = false;
  const clock = new ManualClock();
  const client = new FlovynClient({ transport, orgId: EMBEDDED_ORG_ID, ...hidden({ clock }) });
  await client.start();
  const { handle } = await client.startWorkflow(waiting);
  const result = handle.result();
  const pauses: number[] = [];
  for (let look = 1; look <= 10; look += 1) {
    await until(() => clock.scheduled.all === 1);
    expect(transport.count('GetEvents')).toBe(look);
    let pausedMs = 0;
    for (; clock.scheduled.all === 1; pausedMs += 50) clock.advance(50);
    pauses.push(pausedMs);
  }
  expect(pauses).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  expect(transport.count('AwaitResult')).toBe(0);

  const worker = new FlovynClient({ transport: plain, orgId: EMBEDDED_ORG_ID });
  worker.registerWorkflow(waiting);
  await worker.start();
  await handle.signal('go', 'gone');
  await until(async () => {
    clock.advance(5_000);
    return (await Promise.race([result, Promise.resolve(undefined)])) === 'gone';
  });
  await Promise.all([client.stop(), worker.stop()]);
  await plain.close();
});

test('an outage while the history is looked at is waited for; one before the first look is told', async () => {
  const plain = new PlainTransport();
  const transport = new MeddledTransport(plain);
  transport.extended = false;
  const options = { orgId: EMBEDDED_ORG_ID, ...hidden({ clock: hastyClock }) };
  const client = new FlovynClient({ transport, ...options });
  const worker = new FlovynClient({ transport: plain, ...options });
  worker.registerWorkflow(waiting);
  await Promise.all([client.start(), worker.start()]);
  const { handle } = await client.startWorkflow(waiting);
  let isDown = true;
  let refused = 0;
  transport.intercept = (method, next) => {
    if (method !== Method.GetEvents || !isDown) return next();
    refused += 1;
    return Promise.reject(new ConnectionError('nobody there', 'here'));
  };
  expect(await failureOf(handle.result())).toBeInstanceOf(ConnectionError);
  expect(refused).toBe(4);
  isDown = false;
  const looks = transport.count('GetEvents');
  const result = handle.result();
  await until(() => transport.count('GetEvents') > looks);
  isDown = true;
  await until(() => refused > 20);
  isDown = false;
  await handle.signal('go', 'gone');
  expect(await result).toBe('gone');
  await Promise.all([client.stop(), worker.stop()]);
  await plain.close();
});

test('a server of ours that does not know the call is asked for the events that are new', async () => {
  const w = world();
  const client = await w.client([waiting], hidden({ clock: hastyClock }));
  const { handle } = await client.startWorkflow(waiting);
  w.engine.intercept = (method, next) =>
    method === Method.AwaitResult
      ? Promise.reject(new RpcError('UNIMPLEMENTED', 'no such call', { method }))
      : next();
  const result = handle.result();
  await until(() => w.engine.count('GetEvents') > 3);
  await handle.signal('go', 'gone');
  expect(await result).toBe('gone');
  expect(w.engine.count('AwaitResult')).toBe(1);
});

test('an execution that does not exist is not waited for', async () => {
  const w = world();
  const client = await w.client();
  expect(await failureOf(client.getWorkflowHandle(UNKNOWN).result())).toBeInstanceOf(NotFoundError);
  const plain = new PlainTransport();
  const other = await w.client([], { transport: plain });
  expect(await failureOf(other.getWorkflowHandle(UNKNOWN).result())).toBeInstanceOf(NotFoundError);
  await other.stop();
  await plain.close();
});

test('a workflow can be executed by its name', async () => {
  const w = world();
  const client = await w.client([echo]);
  expect(await client.executeWorkflow<string>('echo', 'hello', { workflowVersion: '7' })).toBe('hello');
  const { workflows } = await client.listWorkflows();
  expect(workflows[0]).toMatchObject({ kind: 'echo', workflowVersion: '7' });
});
