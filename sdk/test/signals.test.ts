import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { HandleCancelled } from '../src/errors.js';
import { task } from '../src/task/define.js';
import { workflow } from '../src/workflow/define.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { failureOf } from './support/failure.js';
import { gate, until, type World, world } from './support/world.js';

const noop = task({ name: 'noop', run: () => null });

/** Waits until an execution has suspended this often. */
const suspended = (w: World, id: string, times = 1) =>
  until(async () => {
    const history = await w.history(id);
    return history.filter(({ type }) => type === 'WORKFLOW_SUSPENDED').length >= times;
  });

test('signals are taken in the order they came, waited for or not', async () => {
  const w = world();
  const reader = workflow({
    name: 'reader',
    run: async (ctx) => {
      const seen: unknown[] = [ctx.hasSignal('s'), ctx.pendingSignalCount('s')];
      seen.push(await ctx.waitForSignal<number>('s'));
      await ctx.waitForSignal('go');
      seen.push(ctx.hasSignal('s'), ctx.pendingSignalCount('s'), ctx.pendingSignalCount('other'));
      seen.push(await ctx.waitForSignal('s'), ctx.drainSignals('s'), ctx.drainSignals('s'));
      await ctx.task(noop);
      return seen;
    },
  });
  const client = await w.client([reader, noop]);
  const { handle } = await client.startWorkflow(reader);
  await suspended(w, handle.workflowId);
  await handle.signal('s', 1);
  for (const value of [2n, new Date(3), undefined]) await handle.signal('s', value);
  await handle.signal('go');
  expect(await handle.result()).toEqual([false, 0, 1, true, 3, 0, 2n, [new Date(3), null], []]);
});

test('a cancelled waiter leaves the line; one that lost a race stays in it', async () => {
  const w = world();
  const races = workflow({
    name: 'races',
    run: async (ctx) => {
      const cancelled = ctx.waitForSignal('s');
      cancelled.cancel('not needed');
      const error = await failureOf(cancelled);
      const loser = ctx.waitForSignal('s');
      await Promise.race([loser, ctx.sleep(Duration.milliseconds(1))]);
      const next = ctx.waitForSignal('s');
      return [error instanceof HandleCancelled, error.message, await loser, await next];
    },
  });
  const client = await w.client([races]);
  const { handle } = await client.startWorkflow(races);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('TIMER_FIRED'));
  await suspended(w, handle.workflowId, 2);
  await handle.signal('s', 'first');
  await handle.signal('s', 'second');
  expect(await handle.result()).toEqual([
    true,
    'The signal "s" was cancelled: not needed',
    'first',
    'second',
  ]);
});

test('handlers: signals from before the start first, each in its turn, with the context of the function', async () => {
  const w = world();
  const handled = workflow({
    name: 'handled',
    handlers: {
      signals: {
        add: async (ctx, n: number) => {
          const sum = (ctx.get<number>('sum') ?? 0) + n;
          ctx.set('sum', sum);
          await ctx.task(noop);
          ctx.set('done', sum);
        },
      },
    },
    run: async (ctx) => {
      const atStart = ctx.get('sum');
      await ctx.waitForSignal('stop');
      await ctx.sleep(Duration.milliseconds(0));
      return [atStart, ctx.get('sum'), ctx.get('done'), ctx.hasSignal('add')];
    },
  });
  const first = await w.client([]);
  const { workflowHandle: handle } = await first.signalWithStartWorkflow(handled, {
    workflowId: 'key',
    signalName: 'add',
    signalValue: 1,
  });
  await w.client([handled, noop]);
  await suspended(w, handle.workflowId);
  await handle.signal('add', 10);
  await handle.signal('add', 100);
  await until(async () => {
    const history = await w.history(handle.workflowId);
    return history.filter(({ type }) => type === 'TASK_COMPLETED').length === 3;
  });
  await handle.signal('stop');
  expect(await handle.result()).toEqual([1, 111, 111, false]);
});

test.each([
  [
    'throws',
    (ctx: WorkflowContext) => {
      ctx.checkCancellation();
      throw new RangeError('no such item');
    },
  ],
  ['rejects', () => Promise.reject(new RangeError('no such item'))],
])('a handler that %s fails the execution as the function would', async (_how, handler) => {
  const w = world();
  const broken = workflow({
    name: 'broken',
    handlers: { signals: { poke: handler } },
    run: (ctx) => ctx.promise('never'),
  });
  const client = await w.client([broken]);
  const { handle } = await client.startWorkflow(broken);
  await suspended(w, handle.workflowId);
  await handle.signal('poke');
  expect(await failureOf(handle.result())).toMatchObject({
    name: 'WorkflowFailed',
    message: 'no such item',
  });
});

test('an execution that only its handlers can wake sleeps, and is woken', async () => {
  const w = world();
  const ends = new WeakMap<object, (value: string) => void>();
  const quiet = workflow({
    name: 'quiet',
    handlers: { signals: { end: (ctx, value: string) => ends.get(ctx)?.(value) } },
    run: (ctx) => {
      const end = gate<string>();
      ends.set(ctx, end.open);
      return end.promise;
    },
  });
  const client = await w.client([quiet]);
  const { handle } = await client.startWorkflow(quiet);
  await suspended(w, handle.workflowId);
  await handle.signal('end', 'well');
  expect(await handle.result()).toBe('well');
});
