import { describe, expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import {
  ChildWorkflowFailed,
  ConfigurationError,
  HandleCancelled,
  TaskFailed,
  WorkflowCancelled,
} from '../src/errors.js';
import { runDry } from '../src/runtime/run-dry.js';
import { MockWorkflowContext } from '../src/testing/index.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { workflow } from '../src/workflow/define.js';
import { saga } from '../src/workflow/saga.js';
import { failureOf } from './support/failure.js';
import { until } from './support/world.js';
import { charge, mock, order, passed, refund, seconds, START } from './support/mock-context.js';

const child = workflow({ name: 'child', run: (_ctx, n: number) => n * 2 });

describe('child workflows', () => {
  test('give results in turn, and the last one stays', async () => {
    const ctx = mock().mockChildWorkflowResult(child, 1).mockChildWorkflowResult(child, 2);
    const results = [];
    for (const n of [1, 2, 3]) results.push(await ctx.workflow(child, n));
    expect(results).toEqual([1, 2, 2]);
    const handle = ctx.scheduleWorkflow(child, 4, { name: 'mine', queue: 'other' });
    expect([handle.childExecutionId.length, handle.name, await handle.result()]).toEqual([36, 'mine', 2]);
    ctx.mockChildWorkflowResultByName('other', 'x');
    expect(await ctx.scheduleWorkflowByName('other')).toBe('x');
    expect(ctx.startedChildWorkflows.slice(2)).toStrictEqual([
      { workflowName: 'child', input: 3, options: undefined, result: 2 },
      { workflowName: 'child', input: 4, options: { name: 'mine', queue: 'other' }, result: 2 },
      { workflowName: 'other', input: undefined, options: undefined, result: 'x' },
    ]);
  });

  test('fail, take their time, and are cancelled', async () => {
    const ctx = mock().mockChildWorkflowResult(child, new RangeError('no stock'), { after: seconds(9) });
    const failure = await failureOf(ctx.scheduleWorkflow(child, 1));
    expect(failure).toBeInstanceOf(ChildWorkflowFailed);
    expect(failure).toMatchObject({ message: expect.stringContaining('no stock') as string });
    expect([passed(ctx), ctx.startedChildWorkflows[0]?.error]).toEqual([9_000, failure]);
    const handle = ctx.scheduleWorkflow(child, 1);
    await ctx.requestCancellation(handle.childExecutionId, 'enough');
    expect(await failureOf(handle)).toMatchObject({ name: 'ChildWorkflowFailed', message: 'cancelled' });
    const begun = ctx.scheduleWorkflow(child, 1);
    await ctx.sleep(seconds(1));
    begun.cancel('enough');
    expect(await failureOf(begun)).toMatchObject({ name: 'ChildWorkflowFailed' });
    expect(passed(ctx)).toBe(10_000);
  });

  test('without a result they are refused when they are started', () => {
    const ctx = mock();
    const text = /^Child workflow "child" has no result: .*mockChildWorkflowResultByName\("child", result\)$/;
    expect(() => ctx.scheduleWorkflow(child, 1)).toThrow(text);
    expect(() => ctx.workflow(child, 1)).toThrow(ConfigurationError);
    expect(() => ctx.scheduleWorkflowByName('child')).toThrow(text);
    expect(() => ctx.scheduleWorkflow(undefined as never, 1)).toThrow('takes a workflow definition');
    expect(ctx.startedChildWorkflows).toEqual([]);
  });
});

describe('operations', () => {
  test('are run, unless they have a result', async () => {
    const ctx = mock().mockOperationResult('b', 'mocked').mockOperationResult('b', 'again');
    let calls = 0;
    const count = (): number => (calls += 1);
    expect(await ctx.run('a', count)).toBe(1);
    expect(await ctx.run<unknown>('b', count)).toBe('mocked');
    expect(await Promise.all([ctx.run<unknown>('b', count), ctx.run<unknown>('b', count)])).toEqual([
      'again',
      'again',
    ]);
    expect(calls).toBe(1);
    expect(ctx.executedOperations.slice(0, 2)).toStrictEqual([
      { name: 'a', result: 1 },
      { name: 'b', result: 'mocked' },
    ]);
    expect(() => ctx.run('c', 5 as never)).toThrow(ConfigurationError);
  });

  test('fail, and are tried again', async () => {
    const ctx = mock().mockOperationResult('a', new RangeError('odd'));
    const failure = await failureOf(ctx.run('a', () => 1));
    expect(failure).toBeInstanceOf(RangeError);
    expect(ctx.executedOperations).toStrictEqual([
      { name: 'a', result: undefined, error: expect.any(RangeError) as RangeError },
    ]);
    ctx.mockOperationResult('b', new Error('busy')).mockOperationResult('b', 'done');
    const retry = { maxRetries: 1, initialDelay: Duration.hours(1) };
    expect(await ctx.run<unknown>('b', () => 1, { retry })).toBe('done');
    expect(ctx.executedOperations[1]).toStrictEqual({ name: 'b', result: 'done' });
  });

  test('that wait for the machine are waited for', async () => {
    const ctx = mock();
    const slow = () => new Promise((resolve) => setTimeout(resolve, 30, 'slow'));
    expect(await Promise.all([ctx.run('slow', slow), ctx.sleep(Duration.days(1))])).toEqual([
      'slow',
      undefined,
    ]);
    const never = () => new Promise<never>(() => {});
    await expect(ctx.run('never', never, { timeout: Duration.milliseconds(20) })).rejects.toThrow(
      'timed out',
    );
  });

  test('may not use the context', async () => {
    const ctx = mock().mockTaskResult(charge, 'r');
    const failure = await failureOf(ctx.run('a', async () => ctx.task(charge, order)));
    expect(failure).toMatchObject({ message: expect.stringContaining('outside a turn') as string });
    const later = await failureOf(ctx.run('b', () => Promise.resolve().then(() => ctx.get('k'))));
    expect(later).toMatchObject({ message: expect.stringContaining('ctx.run') as string });
  });
});

describe('signals', () => {
  test('that were sent before are there at the beginning', async () => {
    const ctx = mock().mockSignal('s', 1).mockSignal('s', { n: 2 }).mockSignal('t');
    expect([ctx.hasSignal('s'), ctx.pendingSignalCount('s'), ctx.hasSignal('u')]).toEqual([true, 2, false]);
    expect(await ctx.waitForSignal('s')).toBe(1);
    expect(ctx.drainSignals('s')).toEqual([{ n: 2 }]);
    expect(await ctx.waitForSignal('t')).toBeNull();
  });

  test('come while the workflow waits', async () => {
    const ctx = mock();
    const both = Promise.all([ctx.waitForSignal('s'), ctx.waitForSignal('s')]);
    ctx.mockSignal('s', 'second', { after: Duration.hours(2) });
    await ctx.advanceTime(Duration.hours(1));
    ctx.mockSignal('s', 'first');
    expect(await both).toEqual(['first', 'second']);
    expect(passed(ctx)).toBe(Duration.hours(2).toMilliseconds());
  });

  test('come in their time, although the workflow begins later', async () => {
    const ctx = mock()
      .mockSignal('s', 'early', { after: seconds(1) })
      .mockSignal('s', 'late', {
        after: seconds(9),
      });
    await ctx.advanceTime(seconds(5));
    expect([ctx.pendingSignalCount('s'), passed(ctx)]).toEqual([1, 5_000]);
    expect([await ctx.waitForSignal('s'), await ctx.waitForSignal('s')]).toEqual(['early', 'late']);
    await ctx.sleepUntil(new Date(START.getTime() + 10_000));
    expect(passed(ctx)).toBe(10_000);
  });

  test('go to the handlers of the workflow', async () => {
    const counting = workflow({
      name: 'counting',
      version: '2.0.0',
      handlers: {
        signals: {
          add: async (ctx: WorkflowContext, n: number) => {
            ctx.set('sum', (ctx.get<number>('sum') ?? 0) + n);
            if (n === 0) throw new RangeError('no zero');
            await ctx.task(refund, String(n));
          },
        },
      },
      run: async (ctx) => {
        const before = ctx.get('sum');
        await ctx.sleep(Duration.days(1));
        return [
          before,
          ctx.get('sum'),
          ctx.hasSignal('add'),
          ctx.info.workflowKind,
          ctx.info.workflowVersion,
        ];
      },
    });
    const make = () => new MockWorkflowContext({ workflow: counting });
    const ctx = make()
      .mockSignal('add', 1)
      .mockSignal('add', 2, { after: seconds(1) });
    ctx.mockTaskResult(refund, 'a').mockTaskResult(refund, 'b');
    expect(await counting.run(ctx, undefined)).toEqual([1, 3, false, 'counting', '2.0.0']);
    expect(ctx.executedTasks.map(({ input, result }) => [input, result])).toEqual([
      ['1', 'a'],
      ['2', 'b'],
    ]);
    const failing = make().mockSignal('add', 0, { after: seconds(1) });
    await expect(counting.run(failing, undefined)).rejects.toThrow(new RangeError('no zero'));
    expect(() => failing.get('sum')).toThrow('no zero');
  });
});

describe('cancellation', () => {
  const careful = workflow({
    name: 'careful',
    run: async (ctx) => {
      try {
        await ctx.sleep(Duration.days(30));
        return 'slept';
      } finally {
        await ctx.task(refund, String(ctx.isCancellationRequested));
      }
    },
  });

  test('ends what is waited for, and the workflow makes good', async () => {
    const ctx = mock()
      .mockTaskResult(refund, 'x')
      .markCancelled('enough', { after: Duration.days(1) });
    const failure = await failureOf(careful.run(ctx, undefined) as Promise<unknown>);
    expect(failure).toBeInstanceOf(WorkflowCancelled);
    expect(failure).toMatchObject({ reason: 'enough' });
    expect(ctx.executedTasks).toEqual([
      { taskName: 'refund', input: 'true', options: undefined, result: 'x' },
    ]);
    expect(passed(ctx)).toBe(Duration.days(1).toMilliseconds());
    expect([ctx.isCancellationRequested, ctx.cancellation.aborted]).toEqual([true, true]);
    expect(() => ctx.checkCancellation()).toThrow(WorkflowCancelled);
  });

  test('before the workflow begins reaches it once it waits', async () => {
    const ctx = mock().mockTaskResult(refund, 'x').markCancelled();
    expect(await failureOf(careful.run(ctx, undefined) as Promise<unknown>)).toBeInstanceOf(
      WorkflowCancelled,
    );
    expect(ctx.executedTasks[0]?.input).toBe('true');
  });

  test('leaves alone what is not cancellable', async () => {
    const ctx = mock().mockTaskResult(charge, 'r', { after: seconds(2) });
    const both = Promise.allSettled([
      ctx.nonCancellable((inner) => inner.task(charge, order)),
      ctx.promise('p'),
    ]);
    ctx.markCancelled('enough', { after: seconds(1) });
    expect(await both).toMatchObject([{ value: 'r' }, { reason: { name: 'WorkflowCancelled' } }]);
    expect(ctx.executedTasks[0]?.result).toBe('r');
  });

  test('scopes end together, and what is done in them is tracked', async () => {
    const ctx = mock().mockTaskResult(charge, 'r', { after: seconds(10) });
    const scoped = ctx.scope((inner) => Promise.all([inner.task(charge, order), inner.sleep(seconds(20))]), {
      timeout: seconds(5),
    });
    await expect(scoped).rejects.toMatchObject({ name: 'TimeoutError' });
    expect([ctx.executedTasks.length, ctx.startedTimers.length, passed(ctx)]).toEqual([1, 1, 5_000]);
    const byHand = ctx.scope((inner) => inner.promise('p'));
    byHand.cancel('by hand');
    await expect(byHand).rejects.toBeInstanceOf(HandleCancelled);
  });

  test('a saga makes good in reverse order', async () => {
    const ctx = mock();
    for (const result of ['a', 'b']) ctx.mockTaskResult(refund, result);
    ctx.mockTaskResult(charge, new TaskFailed('declined', '', false));
    const booking = async (): Promise<void> => {
      const compensations = saga();
      compensations.add(() => ctx.task(refund, 'first'));
      compensations.add(() => ctx.task(refund, 'second'));
      try {
        await ctx.task(charge, order);
      } catch (error) {
        await compensations.compensate();
        throw error;
      }
    };
    await expect(booking()).rejects.toBeInstanceOf(TaskFailed);
    expect(ctx.executedTasks.map(({ input }) => input)).toEqual([order, 'second', 'first']);
  });
});

describe('what depends on nothing but the context', () => {
  test('state can be looked at afterwards', async () => {
    const noting = workflow({
      name: 'noting',
      run: async (ctx) => {
        ctx.set('a', 1);
        ctx.setState('b', 2);
        await ctx.sleep(seconds(1));
        ctx.clear('a');
      },
    });
    const ctx = mock();
    await noting.run(ctx, undefined);
    expect([ctx.stateKeys(), ctx.getState('b'), ctx.get('a')]).toEqual([['b'], 2, null]);
    ctx.clearState('b');
    ctx.set('c', 1);
    ctx.clearAll();
    expect(ctx.stateKeys()).toEqual([]);
  });

  test('random numbers and ids are those of the seed', () => {
    const draw = (randomSeed?: number): unknown => {
      const ctx = new MockWorkflowContext({ randomSeed, currentTime: START });
      return [ctx.random(), ctx.random(), ctx.randomUUID(), ctx.workflowExecutionId];
    };
    expect(draw()).toEqual(draw(1));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(-1)).toEqual(draw(-1));
    expect(() => draw(0.5)).toThrow('randomSeed must be a whole number, got 0.5');
  });

  test('the execution is a new one', () => {
    const ctx = mock();
    expect(ctx.info).toMatchObject({ workflowKind: 'mock-workflow', attempt: 1, workflowVersion: undefined });
    expect(ctx.info.workflowExecutionId).toBe(ctx.workflowExecutionId);
    expect(ctx.patched('new-way')).toBe(true);
    ctx.deprecatePatch('old-way');
    ctx.log.error('silent');
    expect(ctx.isCancellationRequested).toBe(false);
  });

  test('options that cannot be meant are refused', () => {
    const make = (options: object) => () => new MockWorkflowContext(options);
    expect(make({ currentTime: 5 })).toThrow('currentTime must be a valid Date, got 5');
    expect(make({ currentTime: new Date('x') })).toThrow(ConfigurationError);
    expect(make({ workflow: 'x' })).toThrow('workflow must be a definition');
    expect(make({ seed: 1 })).toThrow('unknown option "seed"');
    expect(() => mock().mockSignal('s', 1, { after: seconds(-1) })).toThrow('after must be no negative time');
    expect(() => mock().mockSignal('s', 1, { late: 1 } as never)).toThrow('unknown option "late"');
    expect(() => mock().mockTaskResult('charge' as never, 'r')).toThrow('mockTaskResultByName');
    expect(() => mock().mockOperationResult(5 as never, 'r')).toThrow('expected a text');
  });
});

describe('a workflow that would wait for ever', () => {
  test('is told so, and what to mock', async () => {
    const ctx = mock();
    await expect(ctx.promise('p')).rejects.toThrow(
      'The workflow waits for promise "p", and nothing will come: settle it by mockPromiseResolution("p", value) or',
    );
    await expect(ctx.waitForSignal('s')).rejects.toThrow(
      'send it by mockSignal("s", value), before the test waits',
    );
    expect(passed(ctx)).toBe(0);
    expect(ctx.createdPromises[0]?.error).toBeInstanceOf(ConfigurationError);
    ctx.mockPromiseResolution('p', 'now');
    expect(await ctx.promise('p')).toBe('now');
  });

  test('is told so in a race that it lost already, without harm', async () => {
    const ctx = mock();
    expect(await Promise.race([ctx.promise('p'), ctx.sleep(seconds(1))])).toBeUndefined();
    expect(await ctx.run('later', () => new Promise((resolve) => setTimeout(resolve, 5, 'fine')))).toBe(
      'fine',
    );
  });

  test('is not told so when the test gives it soon', async () => {
    const ctx = mock();
    const both = Promise.all([ctx.promise('p'), ctx.waitForSignal('s')]);
    await new Promise((resolve) => setTimeout(resolve, 10));
    ctx.mockPromiseResolution('p', 1);
    await new Promise((resolve) => setTimeout(resolve, 10));
    ctx.mockSignal('s', 2);
    expect(await both).toEqual([1, 2]);
    expect(passed(ctx)).toBe(0);
  });

  test('is left alone once it was stopped', async () => {
    const listening = workflow({
      name: 'listening',
      run: async (ctx) => {
        const branch = async (): Promise<void> => {
          for (;;) ctx.set('last', await ctx.waitForSignal('s'));
        };
        void branch();
        void ctx.sleep(Duration.days(30)).then(() => ctx.set('last', 'slept'));
        await ctx.sleep(Duration.days(1));
        return ctx.get('last');
      },
    });
    const ctx = mock().mockSignal('s', 1);
    expect(await listening.run(ctx, undefined)).toBe(1);
    ctx.stop();
    ctx.mockSignal('s', 2);
    await ctx.advanceTime(Duration.days(60));
    expect(ctx.get('last')).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect([ctx.get('last'), ctx.startedTimers.map(({ firedAt }) => firedAt)]).toEqual([
      1,
      [undefined, new Date('2026-01-02')],
    ]);
    expect([ctx.currentTime(), ctx.stateKeys()]).toEqual([new Date('2026-03-03'), ['last']]);
    ctx.stop();
    const fresh = mock();
    fresh.stop();
    await fresh.advanceTime(seconds(1));
    expect([fresh.stateKeys(), passed(fresh)]).toEqual([[], 1_000]);
  });

  test('is ended when it goes on and on', async () => {
    const polling = workflow({
      name: 'polling',
      run: async (ctx) => {
        for (;;) await ctx.sleep(Duration.hours(1));
      },
    });
    const ctx = mock();
    const done = polling.run(ctx, undefined) as Promise<never>;
    await ctx.advanceTime(Duration.days(2));
    expect(ctx.startedTimers).toHaveLength(49);
    await expect(done).rejects.toThrow('went on 2000 times without a call of the test');
    expect(ctx.get('still')).toBeNull();
    const cancelled = mock().markCancelled('enough', { after: Duration.days(1) });
    await expect(polling.run(cancelled, undefined)).rejects.toBeInstanceOf(WorkflowCancelled);
    expect(cancelled.startedTimers).toHaveLength(24);
  });
  test('is not taken for one that has many tasks', async () => {
    const ctx = mock();
    const many = Array.from({ length: 2_001 }, (_, n) => n);
    for (const n of many) ctx.mockTaskResultByName('count', n);
    for (const n of many) expect(await ctx.scheduleByName('count')).toBe(n);
    await ctx.sleep(seconds(1));
  });

  test('is told once, and then left alone until the test does something', async () => {
    const ctx = mock();
    const errors: unknown[] = [];
    const stubborn = async (): Promise<void> => {
      while (errors.length < 3) await ctx.sleep(seconds(1)).catch((error: unknown) => errors.push(error));
    };
    const done = stubborn();
    await until(() => errors.length > 0);
    for (let turn = 0; turn < 100; turn += 1) await runDry();
    expect(errors).toEqual([expect.any(ConfigurationError)]);
    ctx.markCancelled();
    await until(() => errors.length > 1);
    expect(errors[1]).toBeInstanceOf(WorkflowCancelled);
    ctx.mockSignal('any');
    await done;
  });
});
