import { expect, test } from 'vitest';
import { ConnectionError } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import { task } from '../src/task/define.js';
import { DurationHistogram } from '../src/worker/histogram.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { heldTask } from './support/held-task.js';
import { hastyClock, hidden, until, world } from './support/world.js';

const echo = task({ name: 'echo', run: async (_ctx, input: unknown) => input });
const flaky = task({
  name: 'flaky',
  retry: { maxRetries: 1 },
  run: (ctx) => (ctx.attempt === 1 ? Promise.reject(new Error('not yet')) : 'now'),
});

test('counts tell what a worker has done, also over a stop and another start', async () => {
  const w = world();
  const steps = workflow({
    name: 'steps',
    run: async (ctx, fails: boolean) => {
      await ctx.task(echo, 1);
      if (fails) throw new Error('no');
    },
    handlers: { queries: { state: () => 'fine' } },
  });
  const client = await w.client([steps, echo]);
  const idle = client.worker?.metrics();
  expect(idle?.tasks).toEqual({
    active: 0,
    polls: { withWork: 0, empty: 0, failed: 0, chained: 0, givenBack: 0, waiting: 4 },
    started: 0,
    completed: 0,
    failed: 0,
    abandoned: { cancelled: 0, claimLost: 0, stopped: 0, unreported: 0 },
    attemptMs: expect.objectContaining({ count: 0, sum: 0, min: 0, max: 0 }),
    reports: expect.objectContaining({ streamEventsDropped: 0 }),
  });
  const { handle } = await client.startWorkflow(steps, false);
  await handle.result();
  expect(await handle.query('state')).toBe('fine');
  await failureOf(client.executeWorkflow(steps, true));
  await client.stop();
  await client.start();
  await client.executeWorkflow(steps, false);
  // The result is known before the worker has its answer.
  await until(() => client.worker?.metrics().workflows.active === 0);
  await until(() => client.worker?.metrics().workflows.polls.waiting === 4);
  const metrics = client.worker?.metrics();
  expect(metrics).toMatchObject({
    disconnects: 0,
    reconnects: 0,
    workflows: {
      active: 0,
      started: 3,
      completed: 2,
      failed: 1,
      cancelled: 0,
      activations: 6,
      failedActivations: 0,
      activationMs: { count: 6 },
      parks: 0,
      violations: 0,
      queries: 1,
      cache: { hits: 1, executions: 0 },
    },
    tasks: { active: 0, started: 3, completed: 3, failed: 0, attemptMs: { count: 3 } },
  });
  // What went out is what was counted.
  const { withWork = 0, empty = 0, waiting = 0, chained = 0 } = metrics?.workflows.polls ?? {};
  expect(withWork + chained).toBe(6 + 1);
  expect(empty).toBe(0);
  expect(waiting).toBe(4);
  // Numbers, and nothing that JSON cannot tell.
  expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
});

test('failed attempts and failed polls are counted as such', async () => {
  const w = world();
  const retried = workflow({ name: 'retried', run: (ctx) => ctx.task(flaky) });
  const client = await w.client([retried, flaky], hidden({ clock: hastyClock }));
  let failures = 2;
  w.engine.intercept = (method, next) => {
    if (method !== Method.PollTask || failures === 0) return next();
    failures -= 1;
    return Promise.reject(new ConnectionError('out', 'here'));
  };
  expect(await client.executeWorkflow(retried)).toBe('now');
  const metrics = client.worker?.metrics();
  expect(metrics?.tasks).toMatchObject({ started: 2, completed: 1, failed: 1, polls: { failed: 2 } });
  expect(metrics?.disconnects).toBe(1);
});

test('what is under way now is counted while it is, and named', async () => {
  const w = world();
  const { slow, begun, release } = heldTask();
  const one = workflow({
    name: 'one',
    run: async (ctx) => {
      await ctx.run('operation', () => release.promise);
      await ctx.task(slow);
    },
  });
  const client = await w.client([one, slow]);
  const { handle } = await client.startWorkflow(one);
  await until(() => client.worker?.activeWorkflowExecutions.length === 1);
  expect(client.worker?.activeWorkflowExecutions).toEqual([handle.workflowId]);
  expect(client.worker?.metrics().workflows.active).toBe(1);
  release.open('done');
  await begun.promise;
  await handle.result();
  await until(() => client.worker?.metrics().workflows.active === 0);
  expect(client.worker?.metrics().tasks.active).toBe(0);
  expect(client.worker?.activeWorkflowExecutions).toEqual([]);
});

test('a histogram counts each value in its bucket and in those after it', () => {
  const histogram = new DurationHistogram();
  for (const ms of [0, 1, 1.5, 60, 400_000]) histogram.add(ms);
  const { buckets, ...rest } = histogram.values;
  expect(rest).toEqual({ count: 5, sum: 400_062.5, min: 0, max: 400_000 });
  const at = (upTo: number) => buckets.find((bucket) => bucket.upTo === upTo)?.count;
  expect([at(1), at(2), at(50), at(100), at(300_000)]).toEqual([2, 3, 3, 4, 4]);
  expect(buckets.map(({ upTo }) => upTo)).toEqual(buckets.map(({ upTo }) => upTo).sort((a, b) => a - b));
});
