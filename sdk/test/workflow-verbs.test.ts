import { expect, test } from 'vitest';
import { encodeResolvePromise } from '../src/core.js';
import { Duration } from '../src/duration.js';
import { PromiseRejected, PromiseTimeout, TaskFailed } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import { task } from '../src/task/define.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { until, world } from './support/world.js';

const double = task({ name: 'double', run: async (_ctx, n: number) => n * 2 });
const failing = task({
  name: 'failing',
  run: (_ctx, text: string) => {
    throw new TaskFailed(text, '', false);
  },
});

test('an order: task, operation, timer, promise, state and result in one history', async () => {
  const w = world();
  const order = workflow({
    name: 'order',
    run: async (ctx, input: { amount: number }) => {
      ctx.set('status', 'pricing');
      const price = await ctx.run('price', () => input.amount + 1);
      const charged = await ctx.task(double, price);
      await ctx.sleep(Duration.milliseconds(5));
      ctx.set('status', 'waiting');
      const approval = await ctx.promise<{ by: string }>('approval');
      return { charged, by: approval.by, status: ctx.get<string>('status'), keys: ctx.stateKeys() };
    },
  });
  const client = await w.client([order, double]);
  const { handle } = await client.startWorkflow(order, { amount: 20 });
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('PROMISE_CREATED'));
  await client.resolvePromise(`${handle.workflowId}:approval`, { by: 'Grace' });

  expect(await handle).toEqual({ charged: 42, by: 'Grace', status: 'waiting', keys: ['status'] });
  expect(await w.eventTypes(handle.workflowId)).toEqual([
    'WORKFLOW_STARTED',
    'STATE_SET',
    'OPERATION_COMPLETED',
    'TASK_SCHEDULED',
    'TASK_COMPLETED',
    'TIMER_STARTED',
    'TIMER_FIRED',
    'STATE_SET',
    'PROMISE_CREATED',
    'PROMISE_RESOLVED',
    'WORKFLOW_COMPLETED',
  ]);
});

test('all over 100 tasks keeps the order of its input, whatever the order of completion', async () => {
  const w = world();
  const slow = task({
    name: 'slow',
    run: async (_ctx, n: number) => {
      await new Promise((resolve) => setTimeout(resolve, (n * 37) % 11));
      return n;
    },
  });
  const fan = workflow({
    name: 'fan',
    run: (ctx, count: number) => Promise.all(Array.from({ length: count }, (_, n) => ctx.schedule(slow, n))),
  });
  const client = await w.client([fan, slow]);
  const { handle } = await client.startWorkflow(fan, 100);
  expect(await handle.result()).toEqual(Array.from({ length: 100 }, (_, n) => n));
  const scheduled = (await w.history(handle.workflowId)).filter(({ type }) => type === 'TASK_SCHEDULED');
  expect(scheduled.map(({ data }) => data['input'])).toEqual(Array.from({ length: 100 }, (_, n) => n));
});

test.each([
  ['task first', 1, 60_000],
  ['timer first', 60_000, 1],
])(
  'the winner of a race is the event that came first, in both array orders: %s',
  async (_name, taskMs, timerMs) => {
    const w = world();
    const work = task({
      name: 'work',
      run: (ctx) =>
        new Promise<string>((resolve) => {
          const timer = setTimeout(() => resolve('task'), taskMs);
          ctx.signal.addEventListener('abort', () => {
            clearTimeout(timer);
            resolve('stopped');
          });
        }),
    });
    const race = workflow({
      name: 'race',
      run: async (ctx, reversed: boolean) => {
        const entries = [ctx.task(work), ctx.sleep(Duration.milliseconds(timerMs)).then(() => 'timer')];
        const winner = await Promise.race(reversed ? entries.reverse() : entries);
        // Another turn, so that the race is replayed.
        await ctx.sleep(Duration.milliseconds(1));
        return winner;
      },
    });
    const client = await w.client([race, work]);
    const winners = await Promise.all(
      [false, true].map((reversed) => client.executeWorkflow(race, reversed)),
    );
    expect(winners).toEqual(taskMs < timerMs ? ['task', 'task'] : ['timer', 'timer']);
  },
);

test('null and undefined are ordinary results', async () => {
  const w = world();
  const nothing = task({ name: 'nothing', run: () => undefined });
  const nulls = workflow({
    name: 'nulls',
    run: async (ctx, input: null) => ({
      input,
      task: await ctx.task(nothing),
      operation: await ctx.run('op', () => undefined),
      slept: await ctx.sleep(Duration.milliseconds(0)),
      promise: await ctx.promise('p'),
      missing: ctx.get('missing'),
    }),
  });
  const client = await w.client([nulls, nothing]);
  const { handle } = await client.startWorkflow(nulls, null);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('PROMISE_CREATED'));
  await client.resolvePromise(`${handle.workflowId}:p`);
  // `undefined` of the timer is no property of the output.
  expect(await handle.result()).toEqual({
    input: null,
    task: null,
    operation: null,
    promise: null,
    missing: null,
  });

  const empty = workflow({ name: 'empty', run: () => undefined });
  const other = await w.client([empty]);
  expect(await other.executeWorkflow(empty)).toBeNull();
});

test('an async function may return a handle', async () => {
  const w = world();
  const direct = workflow({ name: 'direct', run: async (ctx) => ctx.schedule(double, 4) });
  const plain = workflow({ name: 'plain', run: (ctx) => ctx.schedule(double, 5) });
  const client = await w.client([direct, plain, double]);
  expect(await client.executeWorkflow(direct)).toBe(8);
  expect(await client.executeWorkflow(plain)).toBe(10);
});

test('catch and finally do not run because an execution suspends', async () => {
  const w = world();
  const gone: string[] = [];
  const guarded = workflow({
    name: 'guarded',
    run: async (ctx) => {
      try {
        return await ctx.promise('never');
      } catch {
        gone.push('catch');
        await ctx.task(double, 1);
      } finally {
        gone.push('finally');
        void ctx.task(double, 2);
      }
      return 'fallback';
    },
  });
  const client = await w.client([guarded, double]);
  const { handle } = await client.startWorkflow(guarded);
  await until(async () =>
    (await w.history(handle.workflowId)).some(({ type }) => type === 'WORKFLOW_SUSPENDED'),
  );
  expect(gone).toEqual([]);
  expect(await w.eventTypes(handle.workflowId)).toEqual(['WORKFLOW_STARTED', 'PROMISE_CREATED']);
});

test('commands that nobody awaited go out with the completion', async () => {
  const w = world();
  const hasty = workflow({
    name: 'hasty',
    run: async (ctx) => {
      ctx.set('a', 1);
      void ctx.run('op', () => 'done');
      void ctx.schedule(double, 1);
      void ctx.sleep(Duration.days(1));
      void ctx.promise('p');
      ctx.clear('a');
      return 'end';
    },
  });
  const client = await w.client([hasty, double]);
  const { handle } = await client.startWorkflow(hasty);
  expect(await handle.result()).toBe('end');
  expect(await w.eventTypes(handle.workflowId)).toEqual([
    'WORKFLOW_STARTED',
    'STATE_SET',
    'TASK_SCHEDULED',
    'TIMER_STARTED',
    'PROMISE_CREATED',
    'STATE_CLEARED',
    'OPERATION_COMPLETED',
    'WORKFLOW_COMPLETED',
  ]);
});

test('failures reach the code as typed errors', async () => {
  const w = world();
  const collect = workflow({
    name: 'collect',
    run: async (ctx) => {
      const handle = ctx.schedule(failing, 'no funds');
      const failures = await Promise.allSettled([
        handle,
        ctx.promise('late', { timeout: Duration.milliseconds(1) }),
        ctx.promise('refused', { idempotencyKey: `key-${ctx.workflowExecutionId}` }),
        ctx.run('type', () => {
          throw new TypeError('not a function');
        }),
      ]);
      return failures.map((failure) => {
        const error = (failure as PromiseRejectedResult).reason as Error;
        return {
          isTaskFailed: error instanceof TaskFailed && error.taskExecutionId === handle.taskExecutionId,
          isTimeout: error instanceof PromiseTimeout,
          isRejected: error instanceof PromiseRejected,
          isTypeError: error instanceof TypeError,
          text: error.message,
        };
      });
    },
  });
  const client = await w.client([collect, failing]);
  const { handle } = await client.startWorkflow(collect);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('PROMISE_TIMEOUT'));
  await client.rejectPromise(`key-${handle.workflowId}`, new Error('not today'));
  const none = { isTaskFailed: false, isTimeout: false, isRejected: false, isTypeError: false };
  expect(await handle.result()).toEqual([
    { ...none, isTaskFailed: true, text: 'no funds' },
    { ...none, isTimeout: true, text: 'Promise "late" timed out' },
    { ...none, isRejected: true, text: 'Promise "refused" was rejected: not today' },
    { ...none, isTypeError: true, text: 'not a function' },
  ]);
});

test('a result that cannot be read says whose it is and why', async () => {
  const w = world();
  const reading = workflow({ name: 'reading', run: (ctx) => ctx.promise('answer') });
  const client = await w.client([reading]);
  const { handle } = await client.startWorkflow(reading);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('PROMISE_CREATED'));
  const id = `${handle.workflowId}:answer`;
  // Written as other clients may: a tag with a value that does not fit it.
  const value = '{"at":{"__type":"Date","value":"never"}}';
  await w.engine.unary(Method.ResolvePromise, encodeResolvePromise({ promiseId: id, value }));
  expect((await failureOf(handle.result())).message).toBe(
    'the result of the promise "answer" cannot be read: expected the value of a Date to be an ISO 8601 time, got "never" (at $.at)',
  );
});

test('a failed workflow rejects result() with the recorded text', async () => {
  const w = world();
  const broken = workflow({
    name: 'broken',
    run: async () => {
      throw new RangeError('out of stock');
    },
  });
  const circular = workflow({
    name: 'circular',
    run: () => {
      const order: Record<string, unknown> = {};
      order['self'] = order;
      return order;
    },
  });
  const client = await w.client([broken, circular]);
  const error = await failureOf(client.executeWorkflow(broken));
  expect(error).toMatchObject({ name: 'WorkflowFailed', code: 'WORKFLOW_FAILED', message: 'out of stock' });
  expect((error.cause as Error).stack).toContain('RangeError: out of stock\n    at ');
  expect((await failureOf(client.executeWorkflow(circular))).message).toContain('circular reference');
});

test('time, random numbers and ids are the same on every replay', async () => {
  const w = world();
  const seen: unknown[] = [];
  const clock = workflow({
    name: 'clock',
    run: async (ctx) => {
      const first = [ctx.currentTimeMillis(), ctx.currentTime().getTime(), ctx.randomUUID(), ctx.random()];
      seen.push(first);
      await ctx.sleepUntil(new Date(ctx.currentTimeMillis() + 5));
      return [...first, ctx.random() === first[3], ctx.currentTimeMillis() >= (first[0] as number) + 5];
    },
  });
  const client = await w.client([clock], { workflowWorkerOptions: { alwaysReplay: true } });
  const result = (await client.executeWorkflow(clock)) as unknown[];
  expect(seen).toHaveLength(2);
  expect(seen[1]).toEqual(seen[0]);
  expect(result.slice(0, 4)).toEqual(seen[0]);
  expect(result.slice(4)).toEqual([false, true]);
  expect(result[0]).toBe(result[1]);
});

test('logs are silent during replay', async () => {
  const w = world();
  const talkative = workflow({
    name: 'talkative',
    run: async (ctx) => {
      ctx.log.info('one');
      await ctx.task(double, 1);
      await ctx.run('op', async () => {
        await null;
        ctx.log.debug('in an operation');
      });
      ctx.log.warn('two');
      await ctx.sleep(Duration.milliseconds(1));
      ctx.log.error('three');
    },
  });
  const client = await w.client([talkative, double]);
  const { handle } = await client.startWorkflow(talkative);
  await handle;
  const prefix = `workflow talkative ${handle.workflowId}: `;
  const lines = w.logger.lines.filter((line) => line.includes(prefix));
  expect(lines).toEqual([
    `info ${prefix}one`,
    `debug ${prefix}in an operation`,
    `warn ${prefix}two`,
    `error ${prefix}three`,
  ]);
});

test('state of every name, cleared at once', async () => {
  const w = world();
  const stateful = workflow({
    name: 'stateful',
    run: async (ctx) => {
      const live = { at: new Date(0) };
      ctx.setState('b', live);
      live.at = new Date(1);
      ctx.set('a', 1n);
      const before = [ctx.stateKeys(), ctx.getState('a'), ctx.get<{ at: Date }>('b')?.at.getTime()];
      ctx.clearState('a');
      ctx.set('c', 3);
      await ctx.sleep(Duration.milliseconds(0));
      const after = [ctx.stateKeys(), ctx.get('a')];
      ctx.clearAll();
      return [before, after, ctx.stateKeys()];
    },
  });
  const client = await w.client([stateful]);
  const { handle } = await client.startWorkflow(stateful);
  // The value is serialised at once: what happens to the object later does not matter.
  expect(await handle.result()).toEqual([[['a', 'b'], 1n, 0], [['b', 'c'], null], []]);
  const types = await w.eventTypes(handle.workflowId);
  expect(types.filter((type) => type === 'STATE_CLEARED')).toHaveLength(3);
});

test('options of a task go out with its command', async () => {
  const w = world();
  const elsewhere = workflow({
    name: 'elsewhere',
    run: async (ctx) => {
      void ctx.schedule(double, 1, {
        queue: 'other',
        totalTimeout: Duration.seconds(30),
        retry: { maxRetries: 7, initialDelay: Duration.seconds(2), backoffMultiplier: 1.5 },
      });
      void ctx.scheduleByName('byName', { a: 1 });
    },
  });
  const client = await w.client([elsewhere]);
  const { handle } = await client.startWorkflow(elsewhere);
  await handle;
  const scheduled = (await w.history(handle.workflowId)).filter(({ type }) => type === 'TASK_SCHEDULED');
  expect(scheduled.map(({ data }) => data)).toMatchObject([
    { kind: 'double', input: 1, queue: 'other', maxRetries: 7, timeoutMs: 30_000 },
    { kind: 'byName', input: { a: 1 } },
  ]);
});
