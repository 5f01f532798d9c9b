import { expect, test } from 'vitest';
import type { FlovynClientOptions } from '../src/client/options.js';
import { Duration } from '../src/duration.js';
import { TaskCancelled, TaskFailed } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import type { TaskContext } from '../src/task/context-types.js';
import { type AnyTask, task } from '../src/task/define.js';
import { workflow } from '../src/workflow/define.js';
import type { TaskOptions } from '../src/workflow/handle-types.js';
import { failureOf } from './support/failure.js';
import { heldTask } from './support/held-task.js';
import { heartbeatAnswer, nestedFields } from './support/protobuf.js';
import { gate, requestsOf, until, world } from './support/world.js';

/** A workflow that runs one task. */
const only = (name: string) => workflow({ name: 'only', run: (ctx) => ctx.scheduleByName(name, null) });

/** A workflow that runs one task many times, all at once. */
const many = (name: string) =>
  workflow({
    name: 'many',
    run: (ctx, count: number) =>
      Promise.all(Array.from({ length: count }, () => ctx.scheduleByName(name, null))),
  });

test('the end of a task brings the next one, so that many tasks need few polls', async () => {
  const w = world();
  const step = task({ name: 'step', run: () => 1 });
  const client = await w.client([many('step'), step], { taskWorkerOptions: { maxConcurrent: 1 } });
  await client.executeWorkflow(many('step'), 50);
  expect(w.engine.count('CompleteTask')).toBe(50);
  // One that brought the first task, one that waits.
  await until(() => w.engine.count('PollTask') === 2);
});

test('a failed attempt brings the next task too', async () => {
  const w = world();
  const step = task({
    name: 'step',
    run: () => {
      throw new TaskFailed('no', '', false);
    },
  });
  const settled = workflow({
    name: 'settled',
    run: (ctx) => Promise.allSettled([1, 2, 3].map(() => ctx.schedule(step))).then(({ length }) => length),
  });
  const client = await w.client([settled, step], { taskWorkerOptions: { maxConcurrent: 1 } });
  expect(await client.executeWorkflow(settled)).toBe(3);
  expect(w.engine.count('FailTask')).toBe(3);
  await until(() => w.engine.count('PollTask') === 2);
});

test('a next task that comes while the worker stops is given back, and its attempt does not count', async () => {
  const w = world();
  const attempts: number[] = [];
  const step = task({ name: 'step', run: ({ attempt }) => void attempts.push(attempt) });
  const releases = requestsOf(w, Method.ReleaseClaim);
  const client = await w.client([many('step'), step], { taskWorkerOptions: { maxConcurrent: 1 } });
  const { intercept } = w.engine;
  let stopped: Promise<void> | undefined;
  w.engine.intercept = async (method, next, request) => {
    const answer = await intercept(method, next, request);
    // The answer with the next task is on its way when the worker is told to stop.
    if (method === Method.CompleteTask) stopped ??= client.stop();
    return answer;
  };
  const { handle } = await client.startWorkflow(many('step'), 2);
  await until(() => stopped !== undefined);
  await stopped;
  // The execution, which the first task made ready, may have been claimed at the same moment.
  expect(releases.filter((release) => release[4] !== undefined)).toHaveLength(1);
  const second = await w.client([many('step'), step]);
  await second.getWorkflowHandle(handle.workflowId).result();
  expect(attempts).toEqual([1, 1]);
});

test('a worker that has been told to stop asks for nothing more', async () => {
  const w = world();
  const { slow, begun, release } = heldTask();
  const completions = requestsOf(w, Method.CompleteTask);
  const options = { taskWorkerOptions: { maxConcurrent: 1 }, shutdownGraceMs: 5_000 };
  const client = await w.client([many('slow'), slow], options);
  await client.startWorkflow(many('slow'), 2);
  await begun.promise;
  const stopped = client.stop();
  release.open('done');
  await stopped;
  expect(completions).toHaveLength(1);
  expect(completions[0]).not.toHaveProperty('1000');
  expect(w.engine.count('ReleaseClaim')).toBe(0);
});

test('the answer to a heartbeat cancels the attempt, of which nothing is reported', async () => {
  const w = world();
  const seen: unknown[] = [];
  const looping = task({
    name: 'looping',
    run: async (ctx) => {
      ctx.signal.addEventListener('abort', () => seen.push(ctx.signal.reason));
      while (!ctx.isCancelled) await ctx.heartbeat();
      seen.push(await failureOf((async () => ctx.checkCancellation())()), ctx.cancellationError());
      return 'in vain';
    },
  });
  const client = await w.client([only('looping'), looping]);
  w.engine.intercept = async (method, next) => {
    const answer = await next();
    const cancelled = w.engine.count('Heartbeat') === 3;
    return method === Method.Heartbeat ? { ...answer, body: heartbeatAnswer(cancelled, 60_000) } : answer;
  };
  await client.startWorkflow(only('looping'));
  await until(() => seen.length === 3 && client.getActiveTaskExecutions().length === 0);
  expect(seen[0]).toBeInstanceOf(TaskCancelled);
  expect(seen).toEqual([seen[0], seen[0], seen[0]]);
  const reports = ['CompleteTask', 'FailTask', 'ReleaseClaim'].map((method) => w.engine.count(method));
  expect(reports).toEqual([0, 0, 0]);
  expect(w.logger.at('warn')).toEqual([]);
});

test('a task that never looks learns of its cancellation when its claim is renewed', async () => {
  const w = world({ leaseMs: 60 });
  const reasons: unknown[] = [];
  const deaf = task({
    name: 'deaf',
    run: ({ signal }) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(reasons.push(signal.reason)))),
  });
  const client = await w.client([only('deaf'), deaf]);
  w.engine.intercept = async (method, next) =>
    method === Method.Heartbeat ? { metadata: {}, body: heartbeatAnswer(true, 0) } : next();
  await client.startWorkflow(only('deaf'));
  await until(() => reasons.length === 1);
  expect(reasons[0]).toBeInstanceOf(TaskCancelled);
});

test('a heartbeat carries its details, and prolongs the claim', async () => {
  const w = world();
  const beats = requestsOf(w, Method.Heartbeat);
  const beating = task({
    name: 'beating',
    run: async (ctx) => {
      await ctx.heartbeat();
      await ctx.heartbeat({ done: 3, at: new Date(0) });
    },
  });
  const client = await w.client([only('beating'), beating]);
  await client.executeWorkflow(only('beating'));
  const at = '{"__type":"Date","value":"1970-01-01T00:00:00.000Z"}';
  expect(beats.map((beat) => beat[1000])).toEqual([undefined, `{"done":3,"at":${at}}`]);
});

test('what an attempt said last is given to the next one', async () => {
  const w = world();
  const seen: unknown[] = [];
  const flaky = task({
    name: 'flaky',
    retry: { maxRetries: 2, initialDelay: Duration.milliseconds(1) },
    run: async (ctx) => {
      seen.push(ctx.heartbeatDetails);
      if (ctx.attempt === 1) await ctx.heartbeat({ done: 3, at: new Date(0) });
      if (ctx.attempt <= 2) throw new Error('again');
    },
  });
  const flow = workflow({ name: 'flow', run: (ctx) => ctx.schedule(flaky) });
  const client = await w.client([flow, flaky]);
  await client.executeWorkflow(flow);
  expect(seen).toEqual([undefined, { done: 3, at: new Date(0) }, { done: 3, at: new Date(0) }]);
});

test.each([
  [
    'TaskFailed',
    (ctx: TaskContext) => new TaskFailed('x', ctx.taskExecutionId, true, undefined, Duration.seconds(7)),
  ],
  ['any error', () => Object.assign(new Error('x'), { nextRetryDelay: Duration.seconds(7) })],
])('what a task throws says when it is tried again: %s', async (_name, error) => {
  const w = world();
  const failures = requestsOf(w, Method.FailTask);
  const failing = task({
    name: 'failing',
    run: (ctx) => {
      throw error(ctx);
    },
  });
  const client = await w.client([only('failing'), failing]);
  await client.startWorkflow(only('failing'));
  await until(() => failures.length === 1);
  expect(failures[0]).toMatchObject({ 2: 'x', 1003: 7_000 });
  expect(failures[0]?.[1002]).toContain('task-control.test.ts');
});

test('a property of that name that is no duration is left alone', async () => {
  const w = world();
  const failures = requestsOf(w, Method.FailTask);
  const failing = task({
    name: 'failing',
    run: () => {
      throw Object.assign(new Error('x'), { nextRetryDelay: 'soon' });
    },
  });
  const client = await w.client([only('failing'), failing]);
  await client.startWorkflow(only('failing'));
  await until(() => failures.length === 1);
  expect(failures[0]).not.toHaveProperty('1003');
});

/** The options with which the one task of a workflow was scheduled, by the number of their field. */
async function scheduled(
  definition: AnyTask,
  options: TaskOptions,
  client: Partial<FlovynClientOptions> = {},
): Promise<Record<number, number | string>> {
  const w = world();
  let command: Record<number, number | string> = {};
  w.engine.intercept = (method, next, request) => {
    if (method === Method.SubmitWorkflowCommands && w.engine.count('SubmitWorkflowCommands') === 1)
      command = nestedFields(request, [2, 13]);
    return next();
  };
  const one = workflow({
    name: 'one',
    run: (ctx) => void ctx.schedule(definition, undefined as never, options),
  });
  const started = await w.client([one], client);
  await started.executeWorkflow(one);
  const { 5: timeoutMs, 1001: startToCloseMs, 1002: heartbeatMs } = command;
  return { ...(timeoutMs !== undefined && { timeoutMs }), startToCloseMs, heartbeatMs } as never;
}

const limited = task({
  name: 'limited',
  timeout: Duration.seconds(1),
  totalTimeout: Duration.seconds(2),
  heartbeatTimeout: Duration.seconds(3),
  run: () => 1,
});
const free = task({ name: 'free', run: () => 1 });
const all = {
  timeout: Duration.seconds(4),
  totalTimeout: Duration.seconds(5),
  heartbeatTimeout: Duration.seconds(6),
};

test('the limits of a task come from its definition, or from where it is scheduled', async () => {
  const limits = { timeoutMs: 2_000, startToCloseMs: 1_000, heartbeatMs: 3_000 };
  expect(await scheduled(limited, {})).toEqual(limits);
  expect(await scheduled(limited, { timeout: Duration.seconds(9) })).toEqual({
    ...limits,
    startToCloseMs: 9_000,
  });
  expect(await scheduled(free, all)).toEqual({ timeoutMs: 5_000, startToCloseMs: 4_000, heartbeatMs: 6_000 });
  expect(await scheduled(free, {})).toEqual({});
});

test('a server without extensions knows one limit: the whole life of the task', async () => {
  const plain = { extensions: false };
  expect(await scheduled(free, all, plain)).toEqual({ timeoutMs: 5_000 });
  expect(await scheduled(free, { timeout: Duration.seconds(4) }, plain)).toEqual({ timeoutMs: 4_000 });
  const { totalTimeout: _, ...attempt } = limited;
  // What the worker keeps by itself for each attempt must not end the task.
  expect(await scheduled({ ...attempt, totalTimeout: undefined }, {}, plain)).toEqual({});
});

test.each(['timeout', 'totalTimeout', 'heartbeatTimeout'])(
  '%s of no time at all is refused',
  async (option) => {
    const none = { [option]: Duration.milliseconds(0) };
    const text = `Task "free", ${option} must be more than no time`;
    expect(() => task({ name: 'free', run: () => 1, ...none })).toThrow(text);
    const w = world();
    const one = workflow({ name: 'one', run: (ctx) => ctx.task(free, undefined, none) });
    const client = await w.client([one]);
    expect((await failureOf(client.executeWorkflow(one))).message).toContain(text);
  },
);

test('an attempt that is silent for too long fails on the server, and what it gives later is dropped', async () => {
  const w = world();
  const heard = gate();
  const silent = task({
    name: 'silent',
    heartbeatTimeout: Duration.milliseconds(30),
    retry: { initialDelay: Duration.milliseconds(1) },
    run: async ({ attempt }) => {
      if (attempt === 2) return 'heard';
      await heard.promise;
      return 'unheard';
    },
  });
  const one = workflow({ name: 'one', run: (ctx) => ctx.task(silent) });
  const client = await w.client([one, silent]);
  expect(await client.executeWorkflow(one)).toBe('heard');
  heard.open();
  await until(() => client.getActiveTaskExecutions().length === 0);
  expect(w.logger.at('warn')).toEqual([]);
});

test.each([
  ['its handle', undefined],
  ['its execution', 'not wanted any more'],
])('a task that is cancelled through %s learns it from its heartbeats', async (_name, reason) => {
  const w = world();
  const [begun, ended] = [gate(), gate<unknown>()];
  const looping = task({
    name: 'looping',
    run: async (ctx) => {
      begun.open();
      try {
        for (;;) {
          await ctx.heartbeat();
          ctx.checkCancellation();
        }
      } catch (error) {
        ended.open(error);
        throw error;
      }
    },
  });
  const cancelling = workflow({
    name: 'cancelling',
    run: async (ctx) => {
      const handle = ctx.schedule(looping);
      await ctx.promise('cancel');
      handle.cancel();
      return handle.catch((error: unknown) => (error as Error).name);
    },
  });
  const client = await w.client([cancelling, looping]);
  const { handle } = await client.startWorkflow(cancelling);
  await begun.promise;
  if (reason === undefined) await client.resolvePromise(`${handle.workflowId}:cancel`);
  else await handle.cancel(reason);
  expect(await ended.promise).toBeInstanceOf(TaskCancelled);
  if (reason === undefined) expect(await handle.result()).toBe('TaskCancelled');
  else expect((await failureOf(handle.result())).message).toContain(reason);
  await until(() => client.getActiveTaskExecutions().length === 0);
  expect([w.engine.count('CompleteTask'), w.engine.count('FailTask')]).toEqual([0, 0]);
});
