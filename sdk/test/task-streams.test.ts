import { expect, test } from 'vitest';
import type { WorkflowStreamEvent } from '../src/client/stream-types.js';
import { Duration } from '../src/duration.js';
import { ConfigurationError, ConnectionError, NotFoundError, Unsupported } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import type { TaskContext } from '../src/task/context-types.js';
import { task } from '../src/task/define.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { gate, hastyClock, hidden, until, world } from './support/world.js';

const flow = workflow({ name: 'flow', run: (ctx) => ctx.scheduleByName('telling', null) });
const telling = (run: (ctx: TaskContext) => unknown) => task({ name: 'telling', run });

async function read(stream: AsyncIterable<WorkflowStreamEvent>): Promise<WorkflowStreamEvent[]> {
  const events: WorkflowStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

const texts = (events: readonly WorkflowStreamEvent[]): string[] =>
  events.map((event) => (event.type === 'token' ? event.text : event.type));

test('a reader gets the events with their values, and the loop ends with the execution', async () => {
  const w = world();
  const before = Date.now();
  const client = await w.client([
    flow,
    telling(async (ctx) => {
      await ctx.streamToken('a');
      await ctx.streamProgress(0.25, 'quarter');
      await ctx.streamProgress(1);
      await ctx.streamData({ at: new Date(0), big: 10n });
      await ctx.streamData(undefined);
      await ctx.streamError('odd', 'E1');
      await ctx.streamError('odd');
      return ctx.taskExecutionId;
    }),
  ]);
  const { handle } = await client.startWorkflow(flow);
  const events = await read(handle.stream());
  const taskExecutionId = await handle;
  expect(events).toMatchObject([
    { taskExecutionId, type: 'token', text: 'a' },
    { taskExecutionId, type: 'progress', progress: 0.25, details: 'quarter' },
    { taskExecutionId, type: 'progress', progress: 1, details: undefined },
    { taskExecutionId, type: 'data', data: { at: new Date(0), big: 10n } },
    { taskExecutionId, type: 'data', data: null },
    { taskExecutionId, type: 'error', message: 'odd', code: 'E1' },
    { taskExecutionId, type: 'error', message: 'odd', code: undefined },
  ]);
  const times = events.map(({ timestamp }) => timestamp.getTime());
  expect(times.every((time) => time >= before && time <= Date.now())).toBe(true);
  const sequences = events.map(({ sequence }) => sequence);
  expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
});

test('a reader hears what comes while the task runs', async () => {
  const w = world();
  const release = gate();
  const client = await w.client([
    flow,
    telling(async (ctx) => {
      await ctx.streamToken('first');
      await release.promise;
      await ctx.streamToken('last');
    }),
  ]);
  const { handle } = await client.startWorkflow(flow);
  const heard: WorkflowStreamEvent[] = [];
  for await (const event of handle.stream()) {
    heard.push(event);
    release.open();
  }
  expect(texts(heard)).toEqual(['first', 'last']);
  // A reader that waits asks seldom.
  expect(w.engine.count('ReadStream')).toBeLessThan(20);
});

test('afterSequence leaves out what was read', async () => {
  const w = world();
  const client = await w.client([
    flow,
    telling((ctx) => {
      for (const text of 'abcd') void ctx.streamToken(text);
    }),
  ]);
  const { handle } = await client.startWorkflow(flow);
  const all = await read(handle.stream());
  expect(texts(all)).toEqual(['a', 'b', 'c', 'd']);
  expect(await read(handle.stream({ afterSequence: 0 }))).toEqual(all);
  expect(await read(handle.stream({ afterSequence: all[1]?.sequence }))).toEqual(all.slice(2));
  expect(await read(handle.stream({ afterSequence: all[3]?.sequence }))).toEqual([]);
});

test('a reader outlives failures of the network, and misses nothing', async () => {
  const w = world();
  const release = gate();
  let failures = 0;
  w.engine.intercept = async (method, next) => {
    if (method !== Method.ReadStream) return next();
    failures += 1;
    if (failures % 2 === 1) throw new ConnectionError('no server', 'here');
    return next();
  };
  const client = await w.client([
    flow,
    telling(async (ctx) => {
      await ctx.streamToken('a');
      await release.promise;
      for (const text of 'bc') await ctx.streamToken(text);
    }),
  ]);
  const { handle } = await client.startWorkflow(flow);
  const reader = await w.client([], hidden({ clock: hastyClock }));
  const heard: WorkflowStreamEvent[] = [];
  for await (const event of reader.getWorkflowHandle(handle.workflowId).stream()) {
    heard.push(event);
    release.open();
  }
  expect(texts(heard)).toEqual(['a', 'b', 'c']);
  expect(failures).toBeGreaterThan(2);
});

test('the stream of a task is that task’s alone', async () => {
  const w = world();
  const two = workflow({
    name: 'two',
    run: (ctx) => Promise.all(['x', 'y'].map((name) => ctx.scheduleByName<string>('naming', name))),
  });
  const naming = task({
    name: 'naming',
    run: async (ctx, name: string) => {
      await ctx.streamToken(name);
      return ctx.taskExecutionId;
    },
  });
  const client = await w.client([two, naming]);
  const { handle } = await client.startWorkflow(two);
  const [first, second] = await handle;
  expect(texts(await read(client.streamTask(first as string)))).toEqual(['x']);
  expect(texts(await read(client.streamTask(second as string)))).toEqual(['y']);
  expect(texts(await read(handle.stream())).sort()).toEqual(['x', 'y']);
});

test('a signal ends the reading, and so does the stop of the client', async () => {
  const w = world();
  const client = await w.client([
    flow,
    telling((ctx) => ctx.streamToken('a').then(() => new Promise(() => {}))),
  ]);
  const { handle } = await client.startWorkflow(flow);
  const controller = new AbortController();
  const reason = new Error('enough');
  const heard: string[] = [];
  const reading = (async () => {
    for await (const event of handle.stream({ signal: controller.signal })) {
      heard.push(event.type);
      setTimeout(() => controller.abort(reason), 1);
    }
  })();
  expect(await failureOf(reading)).toBe(reason);
  expect(heard).toEqual(['token']);
  const aborted = read(handle.stream({ signal: AbortSignal.abort(reason) }));
  expect(await failureOf(aborted)).toBe(reason);
  const other = await w.client();
  const again = other.getWorkflowHandle(handle.workflowId).stream();
  expect((await again.next()).value).toMatchObject({ text: 'a' });
  const asked = w.engine.count('ReadStream');
  const waiting = failureOf(again.next());
  await until(() => w.engine.count('ReadStream') > asked);
  await other.stop();
  expect(await waiting).toMatchObject({ name: 'RpcError', code: 'CANCELLED' });
});

test('leaving the loop asks for nothing more', async () => {
  const w = world();
  const client = await w.client([
    flow,
    telling((ctx) => ctx.streamToken('a').then(() => new Promise(() => {}))),
  ]);
  const { handle } = await client.startWorkflow(flow);
  for await (const _ of handle.stream()) break;
  const asked = w.engine.count('ReadStream');
  await new Promise((resolve) => void setImmediate(resolve));
  expect(w.engine.count('ReadStream')).toBe(asked);
});

test('without our extensions there is no stream to read', async () => {
  const w = world();
  const client = await w.client([flow, telling((ctx) => ctx.streamToken('a'))], { extensions: false });
  const { handle } = await client.startWorkflow(flow);
  await handle;
  for (const stream of [handle.stream(), client.streamTask('00000000-0000-0000-0000-000000000001')]) {
    const error = await failureOf(read(stream));
    expect(error).toBeInstanceOf(Unsupported);
    expect(error.message).toMatch(
      /^(handle\.stream|client\.streamTask): the server has not announced our extensions/,
    );
  }
  expect(w.engine.count('ReadStream')).toBe(0);
});

test('an execution or a task that does not exist is not found', async () => {
  const client = await world().client();
  const nobody = '00000000-0000-0000-0000-000000000001';
  const streams = [client.getWorkflowHandle(nobody).stream(), client.streamTask(nobody)];
  const [execution, ofTask] = await Promise.all(streams.map((stream) => failureOf(read(stream))));
  expect(execution).toBeInstanceOf(NotFoundError);
  expect(execution).toMatchObject({ resourceType: 'Workflow execution', resourceId: nobody });
  expect(ofTask).toMatchObject({ name: 'NotFoundError', resourceType: 'Task execution', resourceId: nobody });
});

test.each([
  [{ afterSequence: -1 }, 'handle.stream, afterSequence: expected a whole number from 0 up, got -1'],
  [{ afterSequence: 1.5 }, 'got 1.5'],
  [{ after: 1 }, 'handle.stream: unknown option "after"'],
])('%j is refused', async (options, text) => {
  const client = await world().client();
  const handle = client.getWorkflowHandle('00000000-0000-0000-0000-000000000001');
  const read = (): unknown => handle.stream(options as never);
  expect(read).toThrow(ConfigurationError);
  expect(read).toThrow(text);
});

test('events of a failed attempt stay, and those of the next one follow', async () => {
  const w = world();
  const retry = { maxRetries: 1, initialDelay: Duration.milliseconds(1) };
  const twice = workflow({ name: 'twice', run: (ctx) => ctx.scheduleByName('telling', null, { retry }) });
  const client = await w.client([
    twice,
    telling(async (ctx) => {
      await ctx.streamToken(`attempt ${ctx.attempt}`);
      if (ctx.attempt === 1) throw new Error('again');
    }),
  ]);
  const { handle } = await client.startWorkflow(twice);
  expect(texts(await read(handle.stream()))).toEqual(['attempt 1', 'attempt 2']);
});
