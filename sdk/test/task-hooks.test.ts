import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { ConfigurationError, TaskCancelled, TaskTimeout } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import { task } from '../src/task/define.js';
import type { TaskHooks } from '../src/task/hooks.js';
import { workflow } from '../src/workflow/define.js';
import { heartbeatAnswer } from './support/protobuf.js';
import { gate, requestsOf, until, world } from './support/world.js';

/** A workflow that runs one task, which is tried twice. */
const only = (name: string) =>
  workflow({
    name: 'only',
    run: (ctx, input: unknown) =>
      ctx.scheduleByName(name, input, {
        retry: { maxRetries: 1, initialDelay: Duration.milliseconds(1) },
      }),
  });

/** Hooks that write down what they are told. */
function recording(seen: unknown[]): TaskHooks {
  return {
    onStart: ({ attempt }, input) => void seen.push(['start', attempt, input]),
    onSuccess: ({ attempt }, input, output) => void seen.push(['success', attempt, input, output]),
    onFailure: ({ attempt }, input, error) => void seen.push(['failure', attempt, input, error]),
  };
}

test('hooks are told of each attempt, in order with the function', async () => {
  const w = world();
  const seen: unknown[] = [];
  const error = new Error('again');
  const flaky = task({
    name: 'flaky',
    hooks: recording(seen),
    run: ({ attempt }, input) => {
      seen.push('run');
      if (attempt === 1) throw error;
      return [input];
    },
  });
  const client = await w.client([only('flaky'), flaky]);
  expect(await client.executeWorkflow(only('flaky'), 'in')).toEqual(['in']);
  expect(seen).toEqual([
    ['start', 1, 'in'],
    'run',
    ['failure', 1, 'in', error],
    ['start', 2, 'in'],
    'run',
    ['success', 2, 'in', ['in']],
  ]);
});

test('what hooks throw is logged and changes nothing', async () => {
  const w = world();
  const fail = (name: string) => async (): Promise<void> => {
    throw new Error(`${name} broke`);
  };
  const flaky = task({
    name: 'flaky',
    hooks: {
      onStart: () => {
        throw new Error('start broke');
      },
      onSuccess: fail('success'),
      onFailure: fail('failure'),
    },
    run: ({ attempt }) => {
      if (attempt === 1) throw new Error('again');
      return 'fine';
    },
  });
  const failures = requestsOf(w, Method.FailTask);
  const client = await w.client([only('flaky'), flaky]);
  expect(await client.executeWorkflow(only('flaky'), null)).toBe('fine');
  expect(failures).toMatchObject([{ 2: 'again' }]);
  expect(w.logger.at('error').map((line) => line.replace(/task flaky [-0-9a-f]+/, 'task'))).toEqual([
    'task: its hook onStart failed: start broke',
    'task: its hook onFailure failed: failure broke',
    'task: its hook onStart failed: start broke',
    'task: its hook onSuccess failed: success broke',
  ]);
});

test('an end is reported when its hook is done', async () => {
  const w = world();
  const [called, release] = [gate(), gate()];
  const slow = task({
    name: 'slow',
    hooks: {
      onSuccess: () => {
        called.open();
        return release.promise;
      },
    },
    run: () => 1,
  });
  const client = await w.client([only('slow'), slow]);
  const { handle } = await client.startWorkflow(only('slow'), null);
  await called.promise;
  expect(w.engine.count('CompleteTask')).toBe(0);
  release.open();
  expect(await handle.result()).toBe(1);
});

test('a hook that does not end is left behind when the worker stops', async () => {
  const w = world();
  const called = gate();
  const stuck = task({
    name: 'stuck',
    hooks: {
      onSuccess: () => {
        called.open();
        return new Promise(() => {});
      },
    },
    run: () => 'done',
  });
  const client = await w.client([only('stuck'), stuck], { shutdownGraceMs: 10 });
  const { handle } = await client.startWorkflow(only('stuck'), null);
  await called.promise;
  await client.stop();
  expect(w.engine.count('CompleteTask')).toBe(1);
  const second = await w.client([only('stuck')]);
  expect(await second.getWorkflowHandle(handle.workflowId).result()).toBe('done');
});

test('attempts that time out, or give what cannot be sent, have failed', async () => {
  const w = world();
  const seen: unknown[] = [];
  const late = task({
    name: 'late',
    timeout: Duration.milliseconds(5),
    hooks: { onFailure: (_ctx, _input, error) => void seen.push(error) },
    run: ({ attempt }) => (attempt === 1 ? new Promise(() => {}) : Symbol('no')),
  });
  const client = await w.client([only('late'), late]);
  await client.startWorkflow(only('late'), null);
  await until(() => seen.length === 2);
  expect(seen[0]).toBeInstanceOf(TaskTimeout);
  expect(seen[1]).toMatchObject({ name: 'SerializationError' });
});

test('a result that counts no more is no success', async () => {
  const w = world();
  const seen: unknown[] = [];
  const deaf = task({
    name: 'deaf',
    hooks: recording(seen),
    run: async (ctx) => {
      await ctx.heartbeat();
      return 'in vain';
    },
  });
  w.engine.intercept = async (method, next) =>
    method === Method.Heartbeat ? { metadata: {}, body: heartbeatAnswer(true, 0) } : next();
  const client = await w.client([only('deaf'), deaf]);
  await client.startWorkflow(only('deaf'), 7);
  await until(() => seen.length === 2);
  expect(seen).toEqual([
    ['start', 1, 7],
    ['failure', 1, 7, expect.any(TaskCancelled)],
  ]);
});

test('hooks that are none are refused', () => {
  const define = (hooks: object) => () => task({ name: 't', run: () => 1, hooks });
  expect(define({ onStart: 1 })).toThrow(ConfigurationError);
  expect(define({ onStart: 1 })).toThrow('Task "t": hooks.onStart must be a function, got number');
  expect(define({ onEnd: () => {} })).toThrow('Task "t", hooks: unknown option "onEnd"');
  expect(define({ onStart: undefined })).not.toThrow();
});
