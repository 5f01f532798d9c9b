import { describe, expect, test } from 'vitest';
import { FlovynClient } from '../src/client/client.js';
import { ConfigurationError, SerializationError } from '../src/errors.js';
import { JsonSerializer, type Serializer } from '../src/serde.js';
import { task } from '../src/task/define.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { until, world } from './support/world.js';

/** Marks each payload with its name, and reads only its own. */
function marking(mark: string): Serializer {
  return {
    serialize: (value) => JSON.stringify({ [mark]: value ?? null }),
    deserialize: <T>(payload: string) => {
      const record = JSON.parse(payload) as Record<string, T> | null;
      if (record === null) return null as T;
      if (!Object.hasOwn(record, mark)) throw new Error(`not written by ${mark}: ${payload}`);
      return record[mark] as T;
    },
  };
}

const double = task({ name: 'double', run: (_ctx, n: number) => n * 2 });
const everything = workflow({
  name: 'everything',
  handlers: { queries: { asked: (ctx, args: number) => [ctx.get('state'), args] } },
  run: async (ctx, n: number) => {
    ctx.set('state', n);
    const operation = await ctx.run('op', () => n + 1);
    const doubled = await ctx.task(double, n);
    const approved = await ctx.promise<number>('approval');
    const signalled = await ctx.waitForSignal<number>('go');
    return [ctx.get('state'), operation, doubled, approved, signalled];
  },
});

test('the serializer of a client writes and reads every payload of it and of its workers', async () => {
  const w = world();
  const client = await w.client([everything, double], { serializer: marking('mine') });
  const { handle } = await client.startWorkflow(everything, 1);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('PROMISE_CREATED'));
  await client.resolvePromise(`${handle.workflowId}:approval`, 4);
  await handle.signal('go', 5);
  expect(await handle.result()).toEqual([1, 2, 2, 4, 5]);
  expect(await handle.query('asked', 6)).toEqual([1, 6]);
  expect(await handle.describe()).toMatchObject({ input: 1, output: [1, 2, 2, 4, 5] });
  const payloads = (await w.history(handle.workflowId)).flatMap(({ type, data }) =>
    Object.entries(data)
      .filter(([name]) => ['input', 'output', 'result', 'value', 'signalValue'].includes(name))
      .map(([name, value]) => [type, name, Object.keys(value as object)]),
  );
  const internal = (type: string): boolean => type === 'OPERATION_COMPLETED';
  expect(payloads.filter(([type, , keys]) => !internal(String(type)) && String(keys) !== 'mine')).toEqual([]);
  expect(payloads.map(([type]) => type)).toEqual(
    expect.arrayContaining([
      'WORKFLOW_STARTED',
      'STATE_SET',
      'TASK_SCHEDULED',
      'TASK_COMPLETED',
      'PROMISE_RESOLVED',
      'SIGNAL_RECEIVED',
      'WORKFLOW_COMPLETED',
    ]),
  );
});

test('without one, payloads are JSON with tags', async () => {
  const w = world();
  const echo = workflow({ name: 'echo', run: (_ctx, value: unknown) => value });
  const client = await w.client([echo]);
  const { handle } = await client.startWorkflow(echo, 1n);
  expect(await handle.result()).toBe(1n);
  expect((await w.history(handle.workflowId))[0]?.data['input']).toEqual({ __type: 'BigInt', value: '1' });
});

test('the serializer of a definition wins for its input and output, wherever it is used', async () => {
  const w = world();
  const mine = marking('task');
  const charge = task({ name: 'charge', serializer: mine, run: (_ctx, n: number) => n + 1 });
  const child = workflow({ name: 'child', serializer: marking('child'), run: (_ctx, n: number) => n + 2 });
  const parent = workflow({
    name: 'parent',
    serializer: marking('parent'),
    run: async (ctx, n: number) => {
      ctx.set('state', n);
      return [await ctx.task(charge, n), await ctx.workflow(child, n)];
    },
  });
  const client = await w.client([parent, child, charge], { serializer: marking('client') });
  const { handle } = await client.startWorkflow(parent, 1);
  expect(await handle.result()).toEqual([2, 3]);
  expect(await handle.describe()).toMatchObject({ input: 1, output: [2, 3] });
  expect(await client.getWorkflowHandle(handle.workflowId, parent).result()).toEqual([2, 3]);
  const error = await failureOf(client.getWorkflowHandle(handle.workflowId).result());
  expect(error).toBeInstanceOf(SerializationError);
  expect(error.message).toContain('not written by client');

  const history = await w.history(handle.workflowId);
  const of = (type: string) => history.find((event) => event.type === type)?.data;
  expect(of('WORKFLOW_STARTED')?.['input']).toEqual({ parent: 1 });
  expect(of('STATE_SET')?.['value']).toEqual({ client: 1 });
  expect(of('TASK_SCHEDULED')?.['input']).toEqual({ task: 1 });
  expect(of('TASK_COMPLETED')?.['output']).toEqual({ task: 2 });
  expect(of('CHILD_WORKFLOW_INITIATED')?.['input']).toEqual({ child: 1 });
  expect(of('WORKFLOW_COMPLETED')?.['output']).toEqual({ parent: [2, 3] });

  const start = { workflowId: 'k', signalName: 's', signalValue: 7, input: 5 };
  const { workflowHandle } = await client.signalWithStartWorkflow(parent, start);
  expect(await workflowHandle.result()).toEqual([6, 7]);
  const signalled = await w.history(workflowHandle.workflowId);
  expect(signalled.find(({ type }) => type === 'SIGNAL_RECEIVED')?.data['signalValue']).toEqual({
    client: 7,
  });
});

describe('a serializer that does not keep its promises', () => {
  const echo = workflow({ name: 'echo', run: (_ctx, value: unknown) => value });
  const broken = (serialize: (value: unknown) => unknown, deserialize = JSON.parse as never): Serializer => ({
    serialize: serialize as Serializer['serialize'],
    deserialize,
  });
  const boom = (): never => {
    throw new TypeError('boom');
  };

  test.each([
    ['no text', broken(() => 1), 'the serializer must give a text, it gave number (at $)'],
    ['no JSON', broken(() => 'nonsense'), 'the serializer must give JSON text, reading it failed: '],
    ['an error', broken(boom), 'writing the value failed: boom (at $)'],
    [
      'no JSON, of a class that extends ours',
      new (class extends JsonSerializer {
        override serialize(): string {
          return 'nonsense';
        }
      })(),
      'the serializer must give JSON text',
    ],
  ])('is found out before anything is sent: %s', async (_name, serializer, text) => {
    const w = world();
    const client = await w.client([], { serializer });
    const error = await failureOf(client.startWorkflow(echo, 1));
    expect(error).toBeInstanceOf(SerializationError);
    expect(error.message).toContain(text);
    const own = workflow({ name: 'own', serializer, run: () => null });
    const plain = await w.client();
    expect((await failureOf(plain.startWorkflow(own, 1))).message).toContain(text);
    expect(w.engine.count('StartWorkflow')).toBe(0);
  });

  test('an error while reading says so', async () => {
    const w = world();
    const client = await w.client([echo]);
    const { handle } = await client.startWorkflow(echo, 1);
    await handle.result();
    const own = workflow({ name: 'own', serializer: broken(JSON.stringify, boom as never), run: () => null });
    const error = await failureOf(client.getWorkflowHandle(handle.workflowId, own).result());
    expect(error).toBeInstanceOf(SerializationError);
    expect(error.message).toBe('reading the payload failed: boom (at $)');
  });

  test('what is none is refused', () => {
    const options = { embedded: true, serializer: { serialize: String } as never };
    expect(() => new FlovynClient(options)).toThrow(ConfigurationError);
    expect(() => new FlovynClient(options)).toThrow('FlovynClient: serializer must be an object');
  });
});
