import { expect, test } from 'vitest';
import { FlovynClient } from '../src/client/client.js';
import { Duration } from '../src/duration.js';
import { ConnectionError, NotFoundError, QueryFailed, Unsupported } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { PlainTransport } from './support/plain-transport.js';
import { http, Stranger } from './support/stranger.js';
import { until, type World, world } from './support/world.js';

const UNKNOWN = '01234567-89ab-4def-8123-456789abcdef';

const waiting = workflow({
  name: 'waiting',
  version: '2.0.0',
  run: async (ctx, input: { n: number }) => {
    ctx.set('seen', input.n);
    return ctx.promise<string>('end');
  },
});

async function started(w: World) {
  const client = await w.client([waiting]);
  const { handle } = await client.startWorkflow(waiting, { n: 1 });
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('PROMISE_CREATED'));
  return { client, handle };
}

test('a signal is recorded once, under its name, and its number is given', async () => {
  const w = world();
  const { client, handle } = await started(w);
  const sequence = await client.signalWorkflow(handle.workflowId, 'approve', { by: 'Grace' });
  await handle.signal('approve');
  const signals = (await w.history(handle.workflowId)).filter(({ type }) => type === 'SIGNAL_RECEIVED');
  expect(signals[0]?.sequence).toBe(sequence);
  expect(signals.map(({ data }) => data)).toEqual([
    { signalName: 'approve', signalValue: { by: 'Grace' } },
    { signalName: 'approve', signalValue: null },
  ]);
  expect(await failureOf(client.signalWorkflow(UNKNOWN, 'approve'))).toBeInstanceOf(NotFoundError);
});

test('a signal whose fate is unknown is not sent again, and the error says so', async () => {
  const w = world();
  const { handle } = await started(w);
  w.engine.intercept = async (method, next) => {
    const answer = await next();
    if (method === Method.SignalWorkflow) throw new ConnectionError('the answer was lost', 'here');
    return answer;
  };
  const error = await failureOf(handle.signal('approve', 1));
  expect(error).toBeInstanceOf(ConnectionError);
  expect(error.message).toBe(
    'the answer was lost. Whether the server took it is not known, so it was not sent again',
  );
  expect(w.engine.count('SignalWorkflow')).toBe(1);
});

test('signal with start: one run per key, a signal for each call', async () => {
  const w = world();
  const client = await w.client([waiting]);
  const signal = (signalValue: number) =>
    client.signalWithStartWorkflow(waiting, {
      workflowId: 'customer-7',
      input: { n: 7 },
      signalName: 'order',
      signalValue,
    });
  const first = await signal(1);
  const second = await signal(2);
  expect([first.workflowCreated, second.workflowCreated]).toEqual([true, false]);
  expect(second.workflowHandle.workflowId).toBe(first.workflowHandle.workflowId);
  const history = await w.history(first.workflowHandle.workflowId);
  expect(history[0]).toMatchObject({ type: 'WORKFLOW_STARTED', data: { input: { n: 7 } } });
  const values = history
    .filter(({ type }) => type === 'SIGNAL_RECEIVED')
    .map(({ data }) => data['signalValue']);
  expect(values).toEqual([1, 2]);
});

test('describe', async () => {
  const w = world();
  const { client, handle } = await started(w);
  const description = await handle.describe();
  expect(description).toMatchObject({
    workflowId: handle.workflowId,
    kind: 'waiting',
    queue: 'default',
    status: 'WAITING',
    input: { n: 1 },
    output: null,
    error: undefined,
    workflowVersion: '2.0.0',
    parentWorkflowId: undefined,
    completedAt: undefined,
    timeout: undefined,
    parks: 0,
  });
  expect(description.createdAt).toBeInstanceOf(Date);
  await client.resolvePromise(`${handle.workflowId}:end`, 'fine');
  await handle;
  expect(await handle.describe()).toMatchObject({ status: 'COMPLETED', output: 'fine' });
  expect(await failureOf(client.getWorkflowHandle(UNKNOWN).describe())).toBeInstanceOf(NotFoundError);
});

test('list: the newest first, by status, kind and page', async () => {
  const w = world();
  const { client, handle } = await started(w);
  await client.resolvePromise(`${handle.workflowId}:end`, 'fine');
  await handle;
  const other = await client.startWorkflow(waiting, { n: 2 });
  const all = await client.listWorkflows();
  expect(all.total).toBe(2);
  expect(all.workflows.map(({ workflowId }) => workflowId)).toEqual([
    other.handle.workflowId,
    handle.workflowId,
  ]);
  const page = await client.listWorkflows({ status: 'COMPLETED', kind: 'waiting', limit: 1 });
  expect(page.workflows).toMatchObject([{ workflowId: handle.workflowId, status: 'COMPLETED' }]);
  expect((await client.listWorkflows({ kind: 'another' })).workflows).toEqual([]);
  expect((await failureOf(client.listWorkflows({ typo: 1 } as never))).message).toContain(
    'unknown option "typo"',
  );
});

test('a start with a time limit is recorded with it', async () => {
  const w = world();
  const client = await w.client([]);
  const { handle } = await client.startWorkflow(waiting, { n: 1 }, { timeout: Duration.minutes(5) });
  expect((await handle.describe()).timeout?.toMilliseconds()).toBe(300_000);
});

test('cancel is recorded with its reason', async () => {
  const w = world();
  const client = await w.client([]);
  const { handle } = await client.startWorkflow(waiting, { n: 1 });
  await handle.cancel('out of stock');
  expect(await handle.describe()).toMatchObject({ status: 'CANCELLING', cancelReason: 'out of stock' });
  await client.cancelWorkflow(handle.workflowId, 'now', { force: true });
  expect(await handle.describe()).toMatchObject({ status: 'CANCELLED' });
  expect(await failureOf(client.cancelWorkflow(UNKNOWN))).toBeInstanceOf(NotFoundError);
});

test('a server without extensions: refused with advice, or asked over REST', async () => {
  const w = world();
  const plain = new PlainTransport();
  const client = await w.client([], { transport: plain });
  const { handle } = await client.startWorkflow(waiting, { n: 1 });
  for (const refused of [
    handle.cancel(),
    handle.describe(),
    client.listWorkflows(),
    client.startWorkflow(waiting, { n: 1 }, { timeout: Duration.seconds(1) }),
  ]) {
    const error = await failureOf(refused);
    expect(error).toBeInstanceOf(Unsupported);
    expect(error.message).toContain('has not announced');
  }
  expect(await client.signalWorkflow(handle.workflowId, 's')).toBeGreaterThan(1);
  await plain.close();
});

const restAnswer = {
  id: UNKNOWN,
  kind: 'waiting',
  queue: 'default',
  status: 'WAITING',
  input: { n: 1 },
  output: null,
  currentSequence: 4,
  metadata: { team: 'a' },
  createdAt: '2026-01-02T03:04:05Z',
  updatedAt: '2026-01-02T03:04:06Z',
};

test('over REST: cancel, describe and list under the slug of the organisation, with the key', async () => {
  const rest = await Stranger.start(http(200, 'application/json', JSON.stringify(restAnswer)));
  const grpc = await Stranger.start(http(404, 'text/plain'));
  const client = new FlovynClient({
    serverUrl: grpc.url,
    httpUrl: rest.url,
    orgSlug: 'acme works',
    apiKey: 'key-1',
    extensions: false,
  });
  await client.start();
  // Nothing says that the server has no extensions until it has answered; `extensions: false` does.
  const handle = client.getWorkflowHandle(UNKNOWN);
  expect(await handle.describe()).toMatchObject({
    workflowId: UNKNOWN,
    historyLength: 4,
    createdAt: new Date('2026-01-02T03:04:05Z'),
    metadata: { team: 'a' },
  });
  await handle.cancel('why', { cascadeToChildren: false });
  rest.answers(http(200, 'application/json', JSON.stringify({ workflows: [restAnswer], total: 9 })));
  const list = await client.listWorkflows({ status: 'WAITING', limit: 1 });
  expect([list.total, list.workflows[0]?.workflowId]).toEqual([9, UNKNOWN]);
  rest.answers(http(404, 'application/json', '{"error":"no such execution","code":"NOT_FOUND"}'));
  expect(await failureOf(handle.cancel())).toBeInstanceOf(NotFoundError);
  rest.answers(http(500, 'text/html', '<p>broken</p>'));
  expect((await failureOf(handle.describe())).message).toContain('HTTP status 500');

  const base = '/api/orgs/acme%20works/workflow-executions';
  expect(rest.seen.slice(0, 3).map(({ path }) => path)).toEqual([
    `${base}/${UNKNOWN}`,
    `${base}/${UNKNOWN}/cancel`,
    `${base}?status=WAITING&limit=1`,
  ]);
  expect(rest.seen[0]?.headers['authorization']).toBe('Bearer key-1');
  expect(JSON.parse(String(rest.seen[1]?.body))).toEqual({
    reason: 'why',
    force: false,
    cascadeToChildren: false,
  });
  await client.stop();
  await Promise.all([rest.close(), grpc.close()]);
});

test('a query: answered by its handler, by the state, or with the error of the handler', async () => {
  const w = world();
  const asked = workflow({
    name: 'asked',
    handlers: {
      queries: {
        sum: (ctx, args: { n: number }) => args.n + (ctx.get<number>('seen') ?? 0),
        broken: () => {
          throw new RangeError('no such order');
        },
      },
    },
    run: (ctx) => {
      ctx.set('seen', 40);
      return ctx.promise('end');
    },
  });
  const client = await w.client([asked]);
  const { handle } = await client.startWorkflow(asked);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('PROMISE_CREATED'));
  const before = await w.history(handle.workflowId);
  expect(await handle.query<number>('sum', { n: 2 })).toBe(42);
  expect(await handle.query<number>('seen')).toBe(40);
  expect(await handle.query('never set')).toBeNull();
  const error = await failureOf(handle.query('broken'));
  expect(error).toBeInstanceOf(QueryFailed);
  expect(error.message).toBe('Query "broken" failed: no such order');
  // Nothing is recorded by asking.
  expect(await w.history(handle.workflowId)).toEqual(before);
});
