import { expect, test } from 'vitest';
import { ConfigurationError, SerializationError, TaskCancelled } from '../src/errors.js';
import { task } from '../src/task/define.js';
import { MockTaskContext } from '../src/testing/index.js';

test('it is the first attempt of a task unless told otherwise', () => {
  const { taskExecutionId, taskKind, attempt } = new MockTaskContext();
  expect([taskExecutionId, taskKind, attempt]).toEqual(['mock-task-123', 'mock-task', 1]);
  const other = new MockTaskContext('id', 'kind', 3);
  expect([other.taskExecutionId, other.taskKind, other.attempt]).toEqual(['id', 'kind', 3]);
  expect(other.idempotencyKey).toBe('id');
});

test('it remembers what a task tells', async () => {
  const talking = task({
    name: 'talking',
    run: async (ctx, n: number) => {
      await ctx.reportProgress(0.5, 'half');
      await ctx.heartbeat();
      await ctx.heartbeat({ at: 1 });
      await ctx.streamToken('a');
      await ctx.streamProgress(0.25, 'quarter');
      await ctx.streamData({ n });
      await ctx.streamError('odd', 'E1');
      await ctx.stream({ type: 'token', text: 'b' });
      await ctx.reportProgress(1);
      await ctx.state.set('k', n);
      return ctx.state.get<number>('k');
    },
  });
  const ctx = new MockTaskContext();
  expect([ctx.progress, ctx.heartbeatCount, ctx.streamEvents]).toEqual([0, 0, []]);
  expect(await talking.run(ctx, 7)).toBe(7);
  expect(ctx.progressUpdates).toEqual([0.5, 1]);
  expect(ctx.progress).toBe(1);
  expect(ctx.heartbeatCount).toBe(2);
  expect(ctx.heartbeats[0]).toBeInstanceOf(Date);
  expect(ctx.streamedTokens).toEqual(['a', 'b']);
  expect(ctx.streamedProgress).toEqual([0.25]);
  expect(ctx.streamedData).toEqual([{ n: 7 }]);
  expect(ctx.streamedErrors).toEqual(['odd']);
  expect(ctx.streamEvents.map((event) => ({ ...event, timestamp: undefined }))).toEqual([
    { type: 'token', value: 'a' },
    { type: 'progress', value: 0.25, details: 'quarter' },
    { type: 'data', value: { n: 7 } },
    { type: 'error', value: 'odd', code: 'E1' },
    { type: 'token', value: 'b' },
  ]);
  expect(await ctx.state.keys()).toEqual(['k']);
  await ctx.state.clear('k');
  expect(await ctx.state.get('k')).toBeNull();
  await ctx.state.set('a', 1);
  await ctx.state.clearAll();
  expect(await ctx.state.keys()).toEqual([]);
});

test('it refuses what the real one refuses', async () => {
  const ctx = new MockTaskContext();
  await expect(ctx.reportProgress(2)).rejects.toThrow('Progress must be between 0 and 1');
  await expect(ctx.stream({ type: 'other' } as never)).rejects.toThrow(ConfigurationError);
  await expect(ctx.streamData(() => {})).rejects.toThrow(SerializationError);
  expect([ctx.progressUpdates, ctx.streamEvents]).toEqual([[], []]);
});

test('a cancelled task is told so', () => {
  const ctx = new MockTaskContext('id');
  expect([ctx.isCancelled, ctx.signal.aborted]).toEqual([false, false]);
  ctx.checkCancellation();
  ctx.markCancelled();
  expect([ctx.isCancelled, ctx.signal.aborted]).toEqual([true, true]);
  expect(() => ctx.checkCancellation()).toThrow(TaskCancelled);
  expect(ctx.cancellationError()).toMatchObject({ taskExecutionId: 'id' });
});
