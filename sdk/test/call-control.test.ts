import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import './support/core.js';
import { FlovynClient } from '../src/client/client.js';
import type { CallControl } from '../src/client/call-control.js';
import { Duration } from '../src/duration.js';
import { ConfigurationError, ConnectionError, RpcError, TimeoutError } from '../src/errors.js';
import type { CallOptions, Transport, UnaryAnswer } from '../src/transport/transport.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { ManualClock } from './support/manual-clock.js';
import { PlainTransport } from './support/plain-transport.js';
import { hidden, until, world } from './support/world.js';

const echo = workflow({ name: 'echo', run: async (_ctx, input: unknown) => input });
const ID = '01234567-89ab-4def-8123-456789abcdef';
const MINUTE = Duration.minutes(1);

/** A server that never answers. */
class DeafTransport implements Transport {
  readonly extended = true;
  readonly calls: string[] = [];
  /** Those of the calls under way. */
  readonly signals: AbortSignal[] = [];

  async unary(method: string, _body: Uint8Array, { signal }: CallOptions = {}): Promise<UnaryAnswer> {
    this.calls.push(method.slice(method.lastIndexOf('/') + 1));
    if (signal !== undefined) this.signals.push(signal);
    return new Promise((_, reject) => {
      const end = (): void => reject(new RpcError('CANCELLED', 'aborted', { cause: signal?.reason }));
      if (signal?.aborted) end();
      else signal?.addEventListener('abort', end, { once: true });
    });
  }

  serverStream(): never {
    throw new Error('nothing streams here');
  }

  async close(): Promise<void> {}
}

type Call = (client: FlovynClient, control?: CallControl) => Promise<unknown>;

const handleOf = (client: FlovynClient) => client.getWorkflowHandle(ID);

/** Every call of a client and a handle, what it is called in errors, and the first call that it makes. */
const CALLS: [what: string, rpc: string, call: Call][] = [
  ['startWorkflow', 'StartWorkflow', (client, control) => client.startWorkflow(echo, 1, control)],
  ['executeWorkflow', 'StartWorkflow', (client, control) => client.executeWorkflow(echo, 1, control)],
  [
    'signalWithStartWorkflow',
    'SignalWithStartWorkflow',
    (client, control) =>
      client.signalWithStartWorkflow(echo, { workflowId: 'k', signalName: 's', ...control }),
  ],
  ['signalWorkflow', 'SignalWorkflow', (client, control) => client.signalWorkflow(ID, 's', 1, control)],
  ['resolvePromise', 'ResolvePromise', (client, control) => client.resolvePromise(ID, 1, control)],
  ['rejectPromise', 'RejectPromise', (client, control) => client.rejectPromise(ID, 'no', control)],
  ['listWorkflows', 'ListWorkflows', (client, control) => client.listWorkflows(control)],
  ['handle.cancel', 'CancelWorkflow', (client, control) => client.cancelWorkflow(ID, 'why', control)],
  ['handle.cancel', 'CancelWorkflow', (client, control) => handleOf(client).cancel('why', control)],
  ['handle.result', 'AwaitResult', (client, control) => handleOf(client).result(control)],
  ['handle.query', 'QueryWorkflow', (client, control) => handleOf(client).query('q', 1, control)],
  ['handle.signal', 'SignalWorkflow', (client, control) => handleOf(client).signal('s', 1, control)],
  ['handle.describe', 'DescribeWorkflow', (client, control) => handleOf(client).describe(control)],
];

interface Deaf {
  readonly client: FlovynClient;
  readonly transport: DeafTransport;
  readonly clock: ManualClock;
}

async function deaf(): Promise<Deaf> {
  const transport = new DeafTransport();
  const clock = new ManualClock();
  const client = new FlovynClient({ transport, ...hidden({ clock }) });
  await client.start();
  return { client, transport, clock };
}

describe.each(CALLS)('%s (%s)', (what, rpc, call) => {
  test('is ended by its signal, with the reason', async () => {
    const { client, transport } = await deaf();
    const controller = new AbortController();
    const reason = new Error('the user went away');
    const failing = failureOf(call(client, { signal: controller.signal }));
    await until(() => transport.calls.length > 0);
    expect(transport.calls).toEqual([rpc]);
    controller.abort(reason);
    expect(await failing).toBe(reason);
    expect(transport.signals[0]?.aborted).toBe(true);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    await client.stop();
  });

  test('is not begun when its signal has fired', async () => {
    const { client, transport } = await deaf();
    const reason = new Error('the user went away');
    expect(await failureOf(call(client, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(transport.calls).toEqual([]);
    await client.stop();
  });

  test('is ended when its time is over', async () => {
    const { client, transport, clock } = await deaf();
    const failing = failureOf(call(client, { callTimeout: MINUTE }));
    await until(() => transport.calls.length > 0);
    expect(clock.scheduled.all).toBe(1);
    clock.advance(60_000);
    const error = await failing;
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ timeoutMs: 60_000, message: `${what} timed out after 60000 ms` });
    expect(transport.signals[0]?.aborted).toBe(true);
    expect(clock.scheduled.all).toBe(0);
    await client.stop();
  });

  test('without a limit it has no end, except with its client', async () => {
    const { client, transport, clock } = await deaf();
    const failing = failureOf(call(client));
    await until(() => transport.calls.length > 0);
    expect(clock.scheduled.all).toBe(0);
    await client.stop();
    expect(await failing).toMatchObject({ code: 'CANCELLED' });
  });

  test('refuses what is no limit', async () => {
    const { client, transport } = await deaf();
    const wrong = [{ callTimeout: 5 }, { callTimeout: Duration.seconds(0) }, { signal: {} }, { deadline: 1 }];
    for (const control of wrong)
      expect(await failureOf(call(client, control as never))).toBeInstanceOf(ConfigurationError);
    expect(transport.calls).toEqual([]);
    await client.stop();
  });
});

test('a call that succeeds leaves no listener and no timer behind', async () => {
  const w = world();
  const clock = new ManualClock();
  const worker = await w.client([echo]);
  const client = await w.client([], hidden({ clock }));
  const { signal } = new AbortController();
  const control = { signal, callTimeout: MINUTE };
  expect(await client.executeWorkflow(echo, 'hello', control)).toBe('hello');
  const { handle } = await client.startWorkflow(echo, 1, control);
  expect(await handle.result(control)).toBe(1);
  expect(await handle.describe(control)).toMatchObject({ status: 'COMPLETED' });
  expect((await client.listWorkflows({ limit: 1, ...control })).total).toBe(2);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(clock.scheduled.all).toBe(0);
  await worker.stop();
});

test('executeWorkflow is ended while it waits for the result, and the execution goes on', async () => {
  const w = world();
  const waiting = workflow({ name: 'waiting', run: (ctx) => ctx.waitForSignal('go') });
  const client = await w.client([waiting]);
  const controller = new AbortController();
  const failing = failureOf(client.executeWorkflow(waiting, null, { signal: controller.signal }));
  await until(() => w.engine.count('AwaitResult') === 1);
  controller.abort('enough');
  expect(await failing).toBe('enough');
  const { workflows } = await client.listWorkflows();
  expect(workflows.map(({ status }) => status)).not.toContain('CANCELLED');
  const handle = client.getWorkflowHandle(workflows[0]?.workflowId ?? '');
  await handle.signal('go', 'gone');
  expect(await handle.result()).toBe('gone');
});

test('a wait for a result by looking at events is ended too', async () => {
  const transport = new PlainTransport();
  const clock = new ManualClock();
  const client = new FlovynClient({ transport, ...hidden({ clock }) });
  await client.start();
  const { handle } = await client.startWorkflow(echo, 1);
  const controller = new AbortController();
  const failing = failureOf(handle.result({ signal: controller.signal }));
  await until(() => clock.scheduled.all === 1);
  controller.abort('enough');
  expect(await failing).toBe('enough');
  await until(() => clock.scheduled.all === 0);

  const timedOut = failureOf(handle.result({ callTimeout: MINUTE }));
  await until(() => clock.scheduled.all === 2);
  while (clock.scheduled.all > 0) {
    clock.advance(5_000);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(await timedOut).toBeInstanceOf(TimeoutError);
  await client.stop();
  await transport.close();
});

test('a pause between attempts is ended too', async () => {
  const w = world();
  const clock = new ManualClock();
  w.engine.intercept = () => Promise.reject(new ConnectionError('nobody there', 'here'));
  const client = await w.client([], hidden({ clock }));
  const controller = new AbortController();
  const failing = failureOf(client.startWorkflow(echo, 1, { signal: controller.signal }));
  await until(() => clock.scheduled.all === 1);
  controller.abort('enough');
  expect(await failing).toBe('enough');
  await until(() => clock.scheduled.all === 0);
  expect(w.engine.count('StartWorkflow')).toBe(1);
});

describe('start', () => {
  test.each([
    ['its signal', (controller: AbortController): CallControl => ({ signal: controller.signal }), 'enough'],
    ['its time', (): CallControl => ({ callTimeout: MINUTE }), expect.any(TimeoutError) as unknown],
  ])('is ended by %s, and can be tried again', async (_name, controlOf, expected) => {
    const w = world();
    const deafness = new DeafTransport();
    const clock = new ManualClock();
    let isDeaf = true;
    const transport: Transport = {
      extended: true,
      unary: (...args) => (isDeaf ? deafness : w.engine).unary(...args),
      serverStream: () => deafness.serverStream(),
      close: async () => {},
    };
    const client = new FlovynClient({ transport, ...hidden({ clock }) });
    client.registerWorkflow(echo);
    const controller = new AbortController();
    const failing = failureOf(client.start(controlOf(controller)));
    await until(() => deafness.calls.length > 0);
    expect(deafness.calls).toEqual(['RegisterWorker']);
    controller.abort('enough');
    clock.advance(60_000);
    expect(await failing).toEqual(expected);
    expect(deafness.signals[0]?.aborted).toBe(true);
    expect(client.isStarted).toBe(false);
    expect(clock.scheduled.all).toBe(0);
    isDeaf = false;
    await client.start({ signal: new AbortController().signal });
    expect(client.isStarted).toBe(true);
    await client.stop();
  });

  test('is ended as it was with a signal that fires later', async () => {
    const w = world();
    const controller = new AbortController();
    const client = new FlovynClient({ transport: w.engine });
    client.registerWorkflow(echo);
    await client.start({ signal: controller.signal, callTimeout: MINUTE });
    controller.abort();
    expect(client.isStarted).toBe(true);
    expect(await client.executeWorkflow(echo, 1)).toBe(1);
    await client.stop();
  });
});
