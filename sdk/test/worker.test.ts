import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { encodePollWorkflow } from '../src/core.js';
import { ConnectionError, NotFoundError, RpcError } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import { EMBEDDED_ORG_ID } from '../src/transport/embedded.js';
import { task } from '../src/task/define.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { gate, hastyClock, hidden, MeddledTransport, until, world } from './support/world.js';
import { ManualClock } from './support/manual-clock.js';

const HUGE = 'x'.repeat(3_000_000);
const echo = workflow({ name: 'echo', run: async (_ctx, input: unknown) => input });

test('two workers share the executions of one engine', async () => {
  const w = world();
  const ran: string[] = [];
  const step = (worker: string) =>
    task({
      name: 'step',
      run: async (_ctx, n: number) => {
        ran.push(worker);
        await new Promise((resolve) => setTimeout(resolve, 2));
        return n;
      },
    });
  const sum = workflow({
    name: 'sum',
    run: async (ctx, count: number) => {
      let total = 0;
      for (let n = 1; n <= count; n += 1) total += await ctx.task(step(''), n);
      return total;
    },
  });
  const options = { taskWorkerOptions: { maxConcurrent: 2 }, workflowWorkerOptions: { maxConcurrent: 2 } };
  const [a] = [await w.client([sum, step('A')], options), await w.client([sum, step('B')], options)];
  const totals = await Promise.all(Array.from({ length: 20 }, () => a.executeWorkflow(sum, 5)));
  expect(totals).toEqual(Array.from({ length: 20 }, () => 15));
  expect(ran).toHaveLength(100);
  expect(new Set(ran)).toEqual(new Set(['A', 'B']));
});

test('no more work is claimed than may be under way', async () => {
  const w = world();
  let [running, most] = [0, 0];
  const held = gate();
  const busy = task({
    name: 'busy',
    run: async () => {
      running += 1;
      most = Math.max(most, running);
      await held.promise;
      running -= 1;
    },
  });
  const fan = workflow({
    name: 'fan',
    run: (ctx) => Promise.all(Array.from({ length: 12 }, () => ctx.schedule(busy))),
  });
  const client = await w.client([fan, busy], { taskWorkerOptions: { maxConcurrent: 3 } });
  const { handle } = await client.startWorkflow(fan);
  await w.quiet();
  expect(running).toBe(3);
  held.open();
  await handle.result();
  expect(most).toBe(3);
});

test('polls are long: no traffic while there is nothing to do', async () => {
  const w = world();
  await w.client([echo]);
  await w.quiet();
  expect(w.engine.calls).toEqual(['RegisterWorker', ...Array<string>(4).fill('PollWorkflow')]);
});

test('stop claims nothing more and waits for what is under way', async () => {
  const w = world();
  const release = gate();
  const begun = gate();
  const slow = task({
    name: 'slow',
    run: async () => {
      begun.open();
      await release.promise;
      return 'done';
    },
  });
  const one = workflow({ name: 'one', run: (ctx) => ctx.task(slow) });
  const client = await w.client([one, slow], { shutdownGraceMs: 5_000 });
  const { handle } = await client.startWorkflow(one);
  await begun.promise;
  expect(client.getActiveTaskExecutions()).toHaveLength(1);
  const stopped = client.stop();
  expect(client.isStarted).toBe(false);
  await w.quiet();
  const polls = () => w.engine.count('PollTask') + w.engine.count('PollWorkflow');
  const before = polls();
  release.open();
  await stopped;
  expect(w.engine.count('CompleteTask')).toBe(1);
  expect(polls()).toBe(before);
  expect(client.getActiveTaskExecutions()).toEqual([]);

  const next = await w.client([one]);
  expect(await next.getWorkflowHandle(handle.workflowId).result()).toBe('done');
});

test('after the grace period signals fire, and the executions go to other workers at once', async () => {
  const w = world();
  const reasons: string[] = [];
  const begun = { task: gate(), operation: gate() };
  const obedient = (done: boolean, which: 'task' | 'operation') => (signal: AbortSignal) =>
    new Promise<string>((resolve, reject) => {
      begun[which].open();
      if (done) return resolve('second worker');
      signal.addEventListener('abort', () => {
        reasons.push((signal.reason as Error).message);
        reject(signal.reason as Error);
      });
    });
  const definitions = (done: boolean) => {
    const wait = task({ name: 'wait', run: (ctx) => obedient(done, 'task')(ctx.signal) });
    const byTask = workflow({ name: 'by-task', run: (ctx) => ctx.task(wait) });
    const byOperation = workflow({
      name: 'by-operation',
      run: (ctx) => ctx.run('op', obedient(done, 'operation')),
    });
    return { all: [wait, byTask, byOperation], byTask, byOperation };
  };
  const { all, byTask, byOperation } = definitions(false);
  const first = await w.client(all, { shutdownGraceMs: 20 });
  const handles = [await first.startWorkflow(byTask), await first.startWorkflow(byOperation)].map(
    ({ handle }) => handle,
  );
  await Promise.all([begun.task.promise, begun.operation.promise]);
  expect(first.getActiveWorkflowExecutions()).toEqual([handles[1]?.workflowId]);
  await first.stop();
  expect(reasons).toEqual(['The worker was stopped', 'The worker was stopped']);
  expect(w.engine.count('ReleaseClaim')).toBe(2);
  // The lease is a minute: only because the claims were given back does this not take as long.
  const second = await w.client(definitions(true).all);
  const results = handles.map(({ workflowId }) => second.getWorkflowHandle(workflowId).result());
  expect(await Promise.all(results)).toEqual(['second worker', 'second worker']);
});

test('what a task has done when its signal fires is reported, and a failure is not', async () => {
  const w = world();
  const begun = gate();
  const finishing = (name: string, end: () => string) =>
    task({
      name,
      run: async ({ signal }) => {
        begun.open();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return end();
      },
    });
  const done = finishing('done', () => 'done');
  const torn = finishing('torn', () => {
    throw new Error('stopped half-way');
  });
  const both = workflow({
    name: 'both',
    run: (ctx) => Promise.race([ctx.task(done), ctx.task(torn)]),
  });
  const first = await w.client([both, done, torn], { shutdownGraceMs: 5 });
  const { handle } = await first.startWorkflow(both);
  await until(() => first.getActiveTaskExecutions().length === 2);
  await begun.promise;
  await first.stop();
  expect([w.engine.count('CompleteTask'), w.engine.count('FailTask')]).toEqual([1, 0]);
  const second = await w.client([both]);
  expect(await second.getWorkflowHandle(handle.workflowId).result()).toBe('done');
});

test('work that does not heed its signal is named when a stop leaves it behind', async () => {
  const w = world();
  const clock = new ManualClock();
  const begun = gate();
  const deaf = task({
    name: 'deaf',
    run: () => {
      begun.open();
      return new Promise(() => {});
    },
  });
  const one = workflow({ name: 'one', run: (ctx) => ctx.task(deaf) });
  const client = await w.client([one, deaf], { shutdownGraceMs: 10_000, ...hidden({ clock }) });
  await client.startWorkflow(one);
  await begun.promise;
  const stopped = client.stop();
  await w.quiet();
  clock.advance(10_000);
  await w.quiet();
  clock.advance(1_000);
  await stopped;
  expect(w.logger.at('warn').join()).toMatch(/stopped although work was still under way .*: [-0-9a-f]{36}$/);
});

test('a claim is kept while an operation goes on', async () => {
  const clock = new ManualClock();
  const w = world({ clock, leaseMs: 60 });
  let calls = 0;
  const held = gate<string>();
  const slow = workflow({
    name: 'slow',
    run: (ctx) =>
      ctx.run('op', () => {
        calls += 1;
        return held.promise;
      }),
  });
  const client = await w.client([slow], hidden({ clock }));
  await w.client([slow], hidden({ clock }));
  const { handle } = await client.startWorkflow(slow);
  await until(() => calls === 1);
  for (let thirds = 0; thirds < 12; thirds += 1) {
    clock.advance(20);
    await w.quiet();
  }
  held.open('once');
  expect(await handle.result()).toBe('once');
  expect(calls).toBe(1);
  expect(w.engine.count('RenewClaim')).toBe(12);
});

test('a lost claim stops the activation, and its operations', async () => {
  const w = world({ leaseMs: 60 });
  const signals: AbortSignal[] = [];
  const slow = workflow({
    name: 'slow',
    run: (ctx) =>
      ctx.run('op', (signal) => {
        signals.push(signal);
        if (signals.length > 1) return 'second';
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve('first')));
      }),
  });
  const cutOff = new MeddledTransport(w.engine);
  const first = await w.client([slow], { transport: cutOff });
  const { handle } = await first.startWorkflow(slow);
  await until(() => signals.length === 1);
  cutOff.intercept = (method, next) =>
    method === Method.RenewClaim && signals.length === 1
      ? Promise.reject(new ConnectionError('cut off', 'here'))
      : next();
  expect(await handle.result()).toBe('second');
  await until(() => signals[0]?.aborted === true);
  expect(signals[0]?.reason).toMatchObject({ code: 'CLAIM_LOST' });
});

test('a final submission whose answer is lost is sent again, and applied once', async () => {
  const w = world();
  const client = await w.client([echo]);
  w.engine.intercept = async (method, next) => {
    const answer = await next();
    if (method === Method.SubmitWorkflowCommands && w.engine.count('SubmitWorkflowCommands') === 1) {
      throw new ConnectionError('the answer was lost', 'here');
    }
    return answer;
  };
  const { handle } = await client.startWorkflow(echo, 1);
  expect(await handle.result()).toBe(1);
  await until(() => client.getActiveWorkflowExecutions().length === 0);
  expect(w.engine.count('SubmitWorkflowCommands')).toBe(2);
  expect(await w.eventTypes(handle.workflowId)).toEqual(['WORKFLOW_STARTED', 'WORKFLOW_COMPLETED']);
  expect(w.logger.at('error')).toEqual([]);
});

test.each([
  ['the last', () => HUGE],
  ['a partial', (ctx: WorkflowContext) => ctx.run('op', () => HUGE)],
  [
    'a later',
    async (ctx: WorkflowContext) => {
      await ctx.run('first', () => 1);
      ctx.set('huge', HUGE);
      await ctx.sleep(Duration.days(1));
    },
  ],
])('%s submission that is refused for its size fails the execution and does not loop', async (_name, run) => {
  const w = world();
  const definition = workflow<unknown, unknown>({ name: 'huge', run });
  const client = await w.client([definition]);
  const error = await failureOf(client.executeWorkflow(definition));
  expect(error.message).toMatch(/^The server refused the submission: .*bytes/);
  await until(() => client.getActiveWorkflowExecutions().length === 0);
  expect(w.engine.count('SubmitWorkflowCommands')).toBeLessThanOrEqual(3);
  expect(w.engine.count('ReleaseClaim')).toBe(0);
});

test('a submission that meets a fault of the server each time is given up for a while', async () => {
  const w = world();
  const client = await w.client([echo], hidden({ clock: hastyClock }));
  w.engine.intercept = (method, next) =>
    method === Method.SubmitWorkflowCommands && w.engine.count('ReleaseClaim') === 0
      ? Promise.reject(new RpcError('INTERNAL', 'it fell over this request'))
      : next();
  const { handle } = await client.startWorkflow(echo, 1);
  await until(() => w.engine.count('ReleaseClaim') === 1);
  expect(w.engine.count('SubmitWorkflowCommands')).toBe(6);
  expect(w.logger.at('error')).toEqual([expect.stringMatching(/parked for . s: it fell over this request$/)]);
  expect(await handle.result()).toBe(1);
});

test('without extensions the same work is done as with a server that has none', async () => {
  const w = world();
  const step = task({ name: 'step', run: async (_ctx, n: number) => n + 1 });
  const steps = workflow({
    name: 'steps',
    run: async (ctx, n: number) => {
      const [a, b] = await Promise.all([ctx.task(step, n), ctx.task(step, 2 * n)]);
      await ctx.sleep(Duration.milliseconds(1));
      return a + b;
    },
  });
  const client = await w.client([steps, step], { extensions: false });
  expect(await client.executeWorkflow(steps, 10)).toBe(32);
  const ours = ['RenewClaim', 'ReleaseClaim', 'AwaitResult', 'DescribeWorkflow'];
  expect(ours.filter((method) => w.engine.count(method) > 0)).toEqual([]);
  expect(w.engine.extensions).toEqual(new Set([false]));
});

test('an execution of an unknown kind is given back with the reason', async () => {
  const w = world();
  w.engine.intercept = (method, next) => {
    if (method !== Method.PollWorkflow) return next();
    // A server that does not know who asks offers everything.
    const anybody = { workerId: 'anybody', workflowCapabilities: [], timeoutSeconds: 30, longPoll: true };
    return next(encodePollWorkflow({ ...anybody, orgId: EMBEDDED_ORG_ID, queue: 'default' }));
  };
  const client = await w.client([echo]);
  const { handle } = await client.startWorkflow('unknown', 1);
  await until(() => w.engine.count('ReleaseClaim') === 1);
  expect(w.logger.at('error')[0]).toMatch(
    /parked for . s: Workflow "unknown" is not registered with this worker/,
  );
  expect(await w.eventTypes(handle.workflowId)).toEqual(['WORKFLOW_STARTED']);
});

test('an outage is one line in the log, and work goes on after it', async () => {
  const w = world();
  const client = await w.client([echo], hidden({ clock: hastyClock }));
  let isOut = true;
  const outage = 'the server cannot be polled for workflows, trying again until it can: restarting';
  const polls = () => w.engine.count('PollWorkflow');
  await until(() => polls() === 4);
  w.engine.intercept = (method, next) =>
    isOut && method === Method.PollWorkflow
      ? Promise.reject(new ConnectionError('restarting', 'here'))
      : next();
  // Ends the poll under way with an answer, after which the outage is seen.
  expect(await client.executeWorkflow(echo, 1)).toBe(1);
  await until(() => w.logger.at('debug').some((line) => line.startsWith(outage)));
  isOut = false;
  expect(await client.executeWorkflow(echo, 2)).toBe(2);
  expect(w.logger.at('warn')).toEqual([outage]);
  expect(w.logger.at('info')).toEqual(['the server can be polled again, after 0 s']);
});

test('a worker that the server has forgotten registers again', async () => {
  const w = world();
  const clock = new ManualClock();
  await w.client([echo], hidden({ clock }));
  w.engine.intercept = (method, next) => {
    if (method !== Method.SendHeartbeat || w.engine.count('SendHeartbeat') > 1) return next();
    return Promise.reject(new NotFoundError('Worker', 'x'));
  };
  clock.advance(20_000);
  await until(() => w.engine.count('RegisterWorker') === 2);
  await until(() => clock.scheduled.all > 0);
  clock.advance(20_000);
  await until(() => w.engine.count('SendHeartbeat') === 2);
  expect(w.engine.count('RegisterWorker')).toBe(2);
});
