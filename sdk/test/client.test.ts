import { expect, test } from 'vitest';
import { FlovynClient } from '../src/client/client.js';
import {
  ConfigurationError,
  ConnectionError,
  FlovynError,
  NotFoundError,
  Unsupported,
} from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import { task } from '../src/task/define.js';
import { EMBEDDED_ORG_ID } from '../src/transport/embedded.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { PlainTransport } from './support/plain-transport.js';
import { ManualClock } from './support/manual-clock.js';
import { gate, hastyClock, hidden, until, world } from './support/world.js';

const echo = workflow({ name: 'echo', run: async (_ctx, input: unknown) => input });
const noop = task({ name: 'noop', run: () => null });
const UNKNOWN = '01234567-89ab-4def-8123-456789abcdef';

test('registration: once per name, only before the start, with the texts that programs match on', async () => {
  const client = new FlovynClient({ embedded: true });
  client.registerWorkflow(echo);
  client.registerTask(noop);
  expect(() => client.registerWorkflow(echo)).toThrow('Workflow "echo" is already registered');
  expect(() => client.registerTask(noop)).toThrow('Task "noop" is already registered');
  expect(() => client.registerWorkflow({} as never)).toThrow('Workflow name is required');
  expect(() => client.registerTask({ name: 'x' } as never)).toThrow('Task run function is required');
  await client.start();
  expect(() => client.registerWorkflow({ ...echo, name: 'other' })).toThrow(
    'Cannot register workflows after client has started',
  );
  expect(() => client.registerTask({ ...noop, name: 'other' })).toThrow(
    'Cannot register tasks after client has started',
  );
  await client.stop();
});

test('start and stop', async () => {
  const client = new FlovynClient({ embedded: true });
  client.registerWorkflow(echo);
  await client.stop();
  expect(client.isStarted).toBe(false);
  expect((await failureOf(client.startWorkflow(echo, 1))).message).toBe('Client is not started');
  expect((await failureOf(client.getWorkflowHandle(UNKNOWN).result())).message).toBe('Client is not started');

  const starting = client.start();
  expect((await failureOf(client.start())).message).toBe('Client is already started');
  await starting;
  expect(client.isStarted).toBe(true);
  expect(await client.executeWorkflow(echo, 'hello')).toBe('hello');
  await Promise.all([client.stop(), client.stop()]);
  expect(client.isStarted).toBe(false);
  await client.stop();

  // A new start is a new embedded server.
  await client.start();
  expect(await client.executeWorkflow(echo, 'again')).toBe('again');
  await client.stop();
});

test('a stop during the start ends what the start has begun', async () => {
  const w = world();
  const client = new FlovynClient({ transport: w.engine });
  client.registerWorkflow(echo);
  const starting = client.start();
  await Promise.all([starting, client.stop()]);
  expect(client.isStarted).toBe(false);
  const { length } = w.engine.calls;
  await w.quiet();
  expect(w.engine.calls).toHaveLength(length);

  w.engine.intercept = () => Promise.reject(new FlovynError('no'));
  const failing = failureOf(client.start());
  await client.stop();
  expect((await failing).message).toBe('no');
});

test('options of a start: unknown ones are refused, undefined ones keep the default', async () => {
  const w = world();
  const versioned = workflow({ name: 'versioned', version: '2', run: () => null });
  const client = await w.client();
  const unknown = { priority: 1 } as never;
  expect((await failureOf(client.startWorkflow(versioned, null, unknown))).message).toBe(
    'startWorkflow: unknown option "priority", expected one of queue, workflowVersion, idempotencyKey, timeout, prioritySeconds, callTimeout, signal',
  );
  const later = { metadata: {} } as never;
  expect(await failureOf(client.startWorkflow(versioned, null, later))).toBeInstanceOf(Unsupported);
  const { handle } = await client.startWorkflow(versioned, null, { workflowVersion: undefined });
  expect((await w.history(handle.workflowId))[0]?.data).toMatchObject({ version: '2' });
});

test('a server that is restarted while a client starts is waited for; a start that fails can be tried again', async () => {
  const w = world();
  let isDown = (call: number): boolean => call < 3;
  w.engine.intercept = (_method, next) =>
    isDown(w.engine.calls.length) ? Promise.reject(new ConnectionError('nobody there', 'here')) : next();
  const first = await w.client([echo], hidden({ clock: hastyClock }));
  expect(w.engine.count('RegisterWorker')).toBe(3);
  await first.stop();

  isDown = () => true;
  const settings = { transport: w.engine, orgId: EMBEDDED_ORG_ID, ...hidden({ clock: hastyClock }) };
  const client = new FlovynClient(settings);
  client.registerWorkflow(echo);
  expect(await failureOf(client.start())).toBeInstanceOf(ConnectionError);
  expect(client.isStarted).toBe(false);
  isDown = () => false;
  await client.start();
  expect(await client.executeWorkflow(echo, 1)).toBe(1);
  await client.stop();
});

test.each([
  ['nowhere', {}, 'exactly one of serverUrl, embedded: true and transport, got none'],
  ['two places', { embedded: true, serverUrl: 'http://localhost' }, 'got 2 of them'],
  ['no address', { serverUrl: 'nonsense' }, 'serverUrl must be like'],
  ['an unknown option', { embedded: true, orgID: 'x' }, 'unknown option "orgID"'],
  [
    'headers without a request',
    { embedded: true, headers: {} },
    '"headers" has an effect only together with serverUrl',
  ],
  [
    'no room for work',
    { embedded: true, taskWorkerOptions: { maxConcurrent: 0 } },
    'taskWorkerOptions.maxConcurrent',
  ],
  ['a wrong pause', { embedded: true, workflowWorkerOptions: { pollIntervalMs: -1 } }, 'pollIntervalMs'],
  [
    'a wrong choice',
    { embedded: true, workflowWorkerOptions: { violations: 'x' } },
    '"park", "fail" or { failAfterParks',
  ],
  ['a wrong grace', { embedded: true, shutdownGraceMs: -1 }, 'shutdownGraceMs'],
])('options: %s', (_name, options, text) => {
  expect(() => new FlovynClient(options as never)).toThrow(ConfigurationError);
  expect(() => new FlovynClient(options as never)).toThrow(text);
});

test.each([['a persistent engine', { embedded: { path: '/tmp' } }]])(
  'options of later versions are refused: %s',
  (_name, options) => {
    expect(() => new FlovynClient(options as never)).toThrow(Unsupported);
  },
);

test('errors of the server name what they are about', async () => {
  const w = world();
  const client = await w.client();
  const unknown = await failureOf(client.getWorkflowHandle(UNKNOWN).result());
  expect(unknown).toBeInstanceOf(NotFoundError);
  expect(unknown).toMatchObject({ resourceType: 'Workflow execution', resourceId: UNKNOWN });
  expect(await failureOf(client.getWorkflowHandle('nonsense').result())).toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  expect(await failureOf(client.resolvePromise(UNKNOWN, 1))).toMatchObject({ resourceType: 'Promise' });
  const circular: unknown[] = [];
  circular.push({ circular });
  const error = await failureOf(client.startWorkflow('echo', circular));
  expect(error).toMatchObject({ code: 'SERIALIZATION', path: '$[0].circular' });
  expect(w.engine.count('StartWorkflow')).toBe(0);
});

test('a logger that throws does no harm', async () => {
  const w = world();
  const broken = () => {
    throw new Error('the disk is full');
  };
  const logger = { debug: broken, info: broken, warn: broken, error: broken };
  const talkative = workflow({ name: 'talkative', run: async (ctx) => ctx.log.info('hello') });
  const client = await w.client([talkative], { logger });
  expect(await client.executeWorkflow(talkative)).toBeNull();
});

test('starting twice: the same key finds the same execution, another one does not', async () => {
  const w = world();
  const client = await w.client([echo]);
  const start = async (idempotencyKey?: string) =>
    (await client.startWorkflow(echo, 1, { idempotencyKey })).handle.workflowId;
  expect(await start('a')).toBe(await start('a'));
  expect(await start('b')).not.toBe(await start('c'));
  expect(await start()).not.toBe(await start());
});

test('a start whose answer was lost is repeated and starts nothing twice', async () => {
  const w = world();
  const client = await w.client([echo]);
  const started = new Set<string>();
  w.engine.intercept = async (method, next) => {
    const answer = await next();
    if (method !== Method.StartWorkflow) return answer;
    started.add(Buffer.from(answer.body).toString('hex').slice(0, 76));
    if (w.engine.count('StartWorkflow') === 1) throw new ConnectionError('the answer was lost', 'here');
    return answer;
  };
  expect(await client.executeWorkflow(echo, 'once')).toBe('once');
  expect(w.engine.count('StartWorkflow')).toBe(2);
  expect(started.size).toBe(1);
});

test('calls that cannot reach the server fail after a few attempts', async () => {
  const w = world();
  const client = await w.client([], hidden({ clock: hastyClock }));
  w.engine.intercept = () => Promise.reject(new ConnectionError('nobody there', 'here'));
  expect(await failureOf(client.startWorkflow(echo, 1))).toBeInstanceOf(ConnectionError);
  expect(w.engine.count('StartWorkflow')).toBe(4);
});

test('a result that takes long outlives outages', async () => {
  const w = world();
  const release = gate();
  const waiting = workflow({
    name: 'waiting',
    run: (ctx) => ctx.run('op', () => release.promise.then(() => 'done')),
  });
  const client = await w.client([waiting], hidden({ clock: hastyClock }));
  const { handle } = await client.startWorkflow(waiting);
  let outages = 0;
  w.engine.intercept = (method, next) => {
    if (method !== Method.AwaitResult || outages === 2) return next();
    outages += 1;
    return Promise.reject(new ConnectionError('restarting', 'here'));
  };
  const result = handle.result();
  await until(() => outages === 2);
  release.open();
  expect(await result).toBe('done');
});

test.each(['AwaitResult', 'an outage'])('a stop ends a wait for a result: during %s', async (moment) => {
  const w = world();
  const clock = new ManualClock();
  const client = await w.client([], hidden({ clock }));
  const { handle } = await client.startWorkflow('nobody runs this');
  if (moment === 'an outage') w.engine.intercept = () => Promise.reject(new ConnectionError('out', 'here'));
  const failing = failureOf(handle.result());
  await until(() => w.engine.count('AwaitResult') === 1);
  await client.stop();
  expect(await failing).toBeInstanceOf(FlovynError);
  expect(clock.scheduled.all).toBe(0);
});

test('on a plain server a result is read from the history', async () => {
  const w = world();
  const broken = workflow({
    name: 'broken',
    run: () => {
      throw new FlovynError('as expected');
    },
  });
  const client = await w.client([echo, broken], { transport: new PlainTransport() });
  expect(await client.executeWorkflow(echo, { at: new Date(5) })).toEqual({ at: new Date(5) });
  const error = await failureOf(client.executeWorkflow(broken));
  expect(error).toMatchObject({ name: 'WorkflowFailed', message: 'as expected' });
});

test('a workflow can be started by name, on another queue', async () => {
  const w = world();
  const client = await w.client();
  const { handle } = await client.startWorkflow<string>('echo', 'x', {
    queue: 'other',
    workflowVersion: '3',
  });
  await w.client([echo], { queue: 'other' });
  expect(await handle).toBe('x');
  expect((await w.history(handle.workflowId))[0]?.data).toMatchObject({
    kind: 'echo',
    input: 'x',
    version: '3',
  });
});
