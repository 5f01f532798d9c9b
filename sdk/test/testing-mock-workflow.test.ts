import { describe, expect, test, vi } from 'vitest';
import { Duration } from '../src/duration.js';
import {
  ConfigurationError,
  HandleCancelled,
  PromiseRejected,
  PromiseTimeout,
  SerializationError,
  TaskCancelled,
  TaskFailed,
} from '../src/errors.js';
import { MockWorkflowContext } from '../src/testing/index.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { charge, mock, order, passed, refund, seconds, START } from './support/mock-context.js';

/** The pauses of retries are shortened at random, by up to a fifth. */
function isAbout(ms: number, mostMs: number): boolean {
  return ms <= mostMs && ms >= mostMs * 0.8;
}

describe('tasks', () => {
  test('one after the other, with what was asked for', async () => {
    const paying = workflow({
      name: 'paying',
      run: async (ctx, input: { id: string }) => {
        const receipt = await ctx.schedule(charge, input);
        return ctx.task(refund, receipt, { timeout: seconds(1) });
      },
    });
    const ctx = mock().mockTaskResult(charge, 'r').mockTaskResult(refund, 'back');
    expect(await paying.run(ctx, order)).toBe('back');
    expect(ctx.executedTasks).toStrictEqual([
      { taskName: 'charge', input: order, options: undefined, result: 'r' },
      { taskName: 'refund', input: 'r', options: { timeout: seconds(1) }, result: 'back' },
    ]);
    expect(passed(ctx)).toBe(0);
  });

  test('side by side, each with the next result', async () => {
    const ctx = mock();
    for (const n of [1, 2, 3]) ctx.mockTaskResult(charge, `r${n}`);
    const all = Promise.all([1, 2, 3].map((n) => ctx.schedule(charge, { id: `o${n}` })));
    expect(ctx.executedTasks.map(({ result }) => result)).toEqual([undefined, undefined, undefined]);
    expect(await all).toEqual(['r1', 'r2', 'r3']);
    expect(ctx.executedTasks.map(({ result }) => result)).toEqual(['r1', 'r2', 'r3']);
  });

  test('by name, on a queue of their own, and left alone', async () => {
    const ctx = mock().mockTaskResultByName('resize', { w: 1 }).mockTaskResultByName('mail', null);
    void ctx.scheduleByName('mail');
    const handle = ctx.scheduleByName('resize', 1, { queue: 'gpu' });
    expect(handle.taskExecutionId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await handle.result()).toEqual({ w: 1 });
    expect(ctx.executedTasks.map(({ taskName, result }) => [taskName, result])).toEqual([
      ['mail', null],
      ['resize', { w: 1 }],
    ]);
  });

  test('without a result they are refused when they are scheduled, and nothing is tracked', async () => {
    const ctx = mock();
    const text =
      /^Task "charge" has no result: give one for each time .*mockTaskResultByName\("charge", result\)$/;
    expect(() => ctx.schedule(charge, order)).toThrow(ConfigurationError);
    expect(() => ctx.scheduleTask(charge, order)).toThrow(text);
    expect(() => ctx.task(charge, order)).toThrow(text);
    expect(() => ctx.scheduleByName('charge')).toThrow(text);
    expect(ctx.executedTasks).toEqual([]);
    ctx.mockTaskResult(charge, 'r');
    await ctx.task(charge, order);
    expect(() => ctx.schedule(charge, order)).toThrow('those for the 1 before it are used up');
  });

  test('what production refuses is refused, and uses no result up', async () => {
    const ctx = mock().mockTaskResult(charge, 'r');
    expect(() => ctx.schedule(charge, order, { timeout: 5 as never })).toThrow(ConfigurationError);
    expect(() => ctx.schedule(charge, { id: Symbol('x') as never })).toThrow(SerializationError);
    expect(() => ctx.schedule(undefined as never, order)).toThrow('takes a task definition');
    expect(await ctx.task(charge, order)).toBe('r');
    expect(ctx.executedTasks).toHaveLength(1);
  });

  test('that fail are tried again by their policy, in its time, with the next results', async () => {
    const retry = { maxRetries: 2, initialDelay: seconds(10), backoffMultiplier: 3 };
    const ctx = mock();
    ctx.mockTaskResult(charge, new Error('busy')).mockTaskResult(charge, new Error('busy again'));
    ctx.mockTaskResult(charge, 'r');
    expect(await ctx.schedule(charge, order, { retry })).toBe('r');
    expect(isAbout(passed(ctx), 40_000)).toBe(true);
    expect(ctx.executedTasks).toHaveLength(1);
  });

  test('fail in the end with the last error', async () => {
    const retry = { maxRetries: 1, initialDelay: seconds(1) };
    const ctx = mock().mockTaskResult(charge, new RangeError('declined'));
    const failure = await failureOf(ctx.task(charge, order, { retry }));
    expect(failure).toBeInstanceOf(TaskFailed);
    expect(failure).toMatchObject({ message: 'declined', failureType: 'RangeError' });
    expect(failure.cause).toBeInstanceOf(RangeError);
    expect(isAbout(passed(ctx), 1_000)).toBe(true);
    expect(ctx.executedTasks).toEqual([
      { taskName: 'charge', input: order, options: { retry }, result: undefined, error: failure },
    ]);
    const final = mock().mockTaskResult(charge, new TaskFailed('never', 'id', false));
    expect(await failureOf(final.task(charge, order))).toMatchObject({ message: 'never', retryable: false });
    expect(passed(final)).toBe(0);
  });

  test('that take their time time out, and are tried again', async () => {
    const options = { timeout: seconds(60), retry: { maxRetries: 1, initialDelay: seconds(5) } };
    const ctx = mock()
      .mockTaskResult(charge, 'late', { after: seconds(90) })
      .mockTaskResult(charge, 'r');
    expect(await ctx.schedule(charge, order, options)).toBe('r');
    expect(isAbout(passed(ctx) - 60_000, 5_000)).toBe(true);
  });

  test('that cannot be sent back fail', async () => {
    const ctx = mock().mockTaskResultByName('odd', () => {});
    expect(await failureOf(ctx.scheduleByName('odd'))).toMatchObject({ failureType: 'SerializationError' });
  });
});

describe('races', () => {
  const racing = workflow({
    name: 'racing',
    run: async (ctx) => {
      const [work, timer] = [ctx.schedule(charge, order), ctx.sleep(seconds(60))];
      const first = await Promise.race([work, timer.then(() => 'too late')]);
      if (first === 'too late') work.cancel('too late');
      else timer.cancel();
      return [first, await failureOf(first === 'too late' ? work : timer)];
    },
  });

  test('are won by what comes first, and the loser is cancelled', async () => {
    const quick = mock().mockTaskResult(charge, 'r', { after: seconds(59) });
    expect(await racing.run(quick, undefined)).toEqual(['r', expect.any(HandleCancelled)]);
    expect(quick.startedTimers).toEqual([{ duration: seconds(60), firedAt: undefined }]);
    expect(passed(quick)).toBe(59_000);
    const slow = mock().mockTaskResult(charge, 'r', { after: seconds(61) });
    expect(await racing.run(slow, undefined)).toEqual(['too late', expect.any(TaskCancelled)]);
    expect(slow.executedTasks[0]?.error).toBeInstanceOf(TaskCancelled);
    expect(slow.startedTimers[0]?.firedAt).toEqual(new Date(START.getTime() + 60_000));
    expect(passed(slow)).toBe(60_000);
    await slow.advanceTime(seconds(60));
    expect(slow.executedTasks[0]?.result).toBeUndefined();
  });

  test('withTimeout cancels what loses', async () => {
    const ctx = mock().mockTaskResult(charge, 'r', { after: seconds(2) });
    const work = ctx.schedule(charge, order);
    await expect(ctx.withTimeout(work, seconds(1))).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect(work).rejects.toBeInstanceOf(TaskCancelled);
  });
});

describe('time', () => {
  test('is skipped to the timer that is due next', async () => {
    const ctx = mock();
    const order: number[] = [];
    await Promise.all([30, 1, 7].map((days) => ctx.sleep(Duration.days(days)).then(() => order.push(days))));
    await ctx.sleepUntil(new Date('2026-03-01'));
    await ctx.sleepUntil(START);
    expect(order).toEqual([1, 7, 30]);
    expect(ctx.currentTime()).toEqual(new Date('2026-03-01'));
    expect(ctx.startedTimers).toEqual([
      { duration: Duration.days(30), firedAt: new Date('2026-01-31') },
      { duration: Duration.days(1), firedAt: new Date('2026-01-02') },
      { duration: Duration.days(7), firedAt: new Date('2026-01-08') },
      { duration: Duration.days(29), firedAt: new Date('2026-03-01') },
      { duration: Duration.milliseconds(0), firedAt: new Date('2026-03-01') },
    ]);
  });

  test('is the one of the test while it lets time pass', async () => {
    const reminding = workflow({
      name: 'reminding',
      run: async (ctx) => {
        for (let n = 1; n <= 3; n += 1) {
          await ctx.sleep(Duration.days(10));
          ctx.set('reminded', n);
        }
        return ctx.currentTime();
      },
    });
    const ctx = mock();
    const done = reminding.run(ctx, undefined);
    await ctx.advanceTime(Duration.days(9));
    expect([ctx.get('reminded'), ctx.startedTimers.length]).toEqual([null, 1]);
    await ctx.advanceTime(Duration.days(1));
    expect([ctx.get('reminded'), ctx.startedTimers.length]).toEqual([1, 2]);
    await ctx.advanceTime(Duration.days(15));
    expect([ctx.get('reminded'), ctx.currentTime()]).toEqual([2, new Date('2026-01-26')]);
    expect(await done).toEqual(new Date('2026-01-31'));
  });

  test('stands still until the test waits for anything else', async () => {
    const ctx = mock();
    const done = ctx.sleep(seconds(10));
    await ctx.advanceTime(seconds(9));
    for (let n = 0; n < 1_000; n += 1) await null;
    expect([passed(ctx), ctx.startedTimers[0]?.firedAt]).toEqual([9_000, undefined]);
    await ctx.advanceTime(seconds(1));
    expect([passed(ctx), ctx.startedTimers[0]?.firedAt]).toEqual([10_000, ctx.currentTime()]);
    await done;
    void ctx.advanceTime(seconds(1));
    await ctx.sleep(seconds(1));
    expect(passed(ctx)).toBe(12_000);
  });

  test('moves at once when nothing is under way', () => {
    const ctx = mock();
    void ctx.advanceTime(seconds(1));
    expect(passed(ctx)).toBe(1_000);
    void ctx.advanceTime(seconds(1));
    expect(passed(ctx)).toBe(2_000);
    expect(ctx.currentTime()).toEqual(new Date(START.getTime() + 2_000));
  });

  test('does not go back, and is a Duration', async () => {
    await expect(mock().advanceTime(seconds(-1))).rejects.toThrow(
      'advanceTime: time does not go back, got -1s',
    );
    await expect(mock().advanceTime(5 as never)).rejects.toThrow(ConfigurationError);
  });

  test('is not the one that a test runner fakes', async () => {
    vi.useFakeTimers({ now: START });
    try {
      const ctx = new MockWorkflowContext().mockTaskResult(charge, 'r', { after: seconds(1) });
      expect(await Promise.all([ctx.sleep(Duration.days(1)), ctx.task(charge, order)])).toEqual([
        undefined,
        'r',
      ]);
      expect([Date.now(), passed(ctx)]).toEqual([START.getTime(), Duration.days(1).toMilliseconds()]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('begins now unless told otherwise', () => {
    const ctx = new MockWorkflowContext();
    expect(Math.abs(ctx.currentTimeMillis() - Date.now())).toBeLessThan(10_000);
  });
});

describe('promises', () => {
  test('are resolved and rejected by name, in turn; the last settlement stays', async () => {
    const ctx = mock();
    ctx.mockPromiseResolution('p', { n: 1 }).mockPromiseRejection('p', 'no').mockPromiseResolution('p', 3);
    expect(await ctx.promise('p')).toEqual({ n: 1 });
    const rejected = await failureOf(ctx.promise('p', { timeout: seconds(1) }));
    expect(rejected).toBeInstanceOf(PromiseRejected);
    expect(rejected).toMatchObject({ reason: 'no' });
    expect(await Promise.all([ctx.promise('p'), ctx.promise('p')])).toEqual([3, 3]);
    expect(ctx.createdPromises.slice(0, 3)).toStrictEqual([
      { name: 'p', options: undefined, resolved: true, value: { n: 1 }, error: undefined },
      { name: 'p', options: { timeout: seconds(1) }, resolved: false, value: undefined, error: rejected },
      { name: 'p', options: undefined, resolved: true, value: 3, error: undefined },
    ]);
  });

  test('time out, and are settled in time or too late', async () => {
    const ctx = mock();
    const timedOut = await failureOf(ctx.promise('p', { timeout: seconds(5) }));
    expect(timedOut).toBeInstanceOf(PromiseTimeout);
    expect([passed(ctx), ctx.createdPromises[0]?.error]).toEqual([5_000, timedOut]);
    ctx.mockPromiseResolution('p', 'in time', { after: seconds(4) }).mockPromiseResolution('p', 'at once');
    const inTime = ctx.promise('p', { timeout: seconds(5) });
    await ctx.sleep(seconds(1));
    expect(await inTime).toBe('in time');
    expect(await ctx.promise('p', { timeout: seconds(5) })).toBe('at once');
    ctx.mockPromiseRejection('q', new Error('late'), { after: seconds(6) });
    expect(await failureOf(ctx.promise('q', { timeout: seconds(5) }))).toBeInstanceOf(PromiseTimeout);
    await ctx.advanceTime(seconds(5));
  });

  test('are settled by what is said after they were made', async () => {
    const ctx = mock();
    const promise = ctx.promise('p');
    await ctx.advanceTime(Duration.days(1));
    expect(ctx.createdPromises[0]?.resolved).toBe(false);
    ctx.mockPromiseResolution('p');
    expect(await promise).toBeNull();
    expect(passed(ctx)).toBe(Duration.days(1).toMilliseconds());
  });

  test('that were cancelled are not in the way of others of the name', async () => {
    const ctx = mock();
    await failureOf(ctx.withTimeout(ctx.promise('p'), seconds(1)));
    ctx.mockPromiseResolution('p', 'yes').mockPromiseResolution('p', 'again');
    expect([await ctx.promise('p'), await ctx.promise('p')]).toEqual(['yes', 'again']);
  });

  test('take only what can be sent', () => {
    expect(() => mock().mockPromiseResolution('p', () => {})).toThrow(SerializationError);
    expect(() => mock().mockPromiseRejection('p', 5 as never)).toThrow('expected a text or an Error, got 5');
  });
});
