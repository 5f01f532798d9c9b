import type { FlovynClientOptions } from '../../src/client/options.js';
import { Method } from '../../src/rpc/methods.js';
import { task } from '../../src/task/define.js';
import { workflow } from '../../src/workflow/define.js';
import type { WorkflowWorkerOptions } from '../../src/worker/options.js';
import { heldTask } from '../support/held-task.js';
import { ManualClock, START_MS } from '../support/manual-clock.js';
import { gate, hidden, until, type World, world } from '../support/world.js';
import { type Observation, type Observations, only } from './difference.js';
import { echo, endsWithin, untilSuspended } from './play.js';

const twoSteps = workflow({
  name: 'two-steps',
  run: async (ctx) => {
    await ctx.waitForSignal('s');
    return 'done';
  },
});

/** How often an execution that is suspended once is taken from memory, and how often it is replayed. */
const cached =
  (option: keyof WorkflowWorkerOptions, value: unknown): Observation =>
  async (given) => {
    const w = world();
    const client = await w.client([twoSteps], {
      workflowWorkerOptions: only(given, option, value) as WorkflowWorkerOptions,
    });
    const { handle } = await client.startWorkflow(twoSteps);
    await untilSuspended(w, handle.workflowId);
    await handle.signal('s');
    await handle.result();
    const { hits, misses } = client.getExecutionCacheMetrics() ?? { hits: -1, misses: -1 };
    return { hits, misses };
  };

/** What becomes of an execution whose code is changed while it waits. */
const violated =
  (options: (reports: unknown[]) => WorkflowWorkerOptions): Observation =>
  async (given) => {
    const w = world();
    const reports: unknown[] = [];
    const before = workflow({
      name: 'changing',
      run: (ctx) => ctx.task(echo, 1).then(() => ctx.waitForSignal('s')),
    });
    const after = workflow({ name: 'changing', run: (ctx) => ctx.waitForSignal('s') });
    const first = await w.client([before, echo]);
    const { handle } = await first.startWorkflow(before);
    await untilWaitsForSignal(w, handle.workflowId);
    await first.stop();
    const second = await w.client([after], { workflowWorkerOptions: given ? options(reports) : {} });
    await second.signalWorkflow(handle.workflowId, 's');
    await until(async () => {
      const { parks, status } = await second.getWorkflowHandle(handle.workflowId).describe();
      return parks > 0 || status === 'FAILED';
    });
    const { status } = await second.getWorkflowHandle(handle.workflowId).describe();
    return { failed: status === 'FAILED', reports: reports.length > 0 };
  };

async function untilWaitsForSignal(w: World, workflowId: string): Promise<void> {
  await until(async () => {
    const types = (await w.history(workflowId)).map(({ type }) => type);
    return types.includes('TASK_COMPLETED') && types.at(-1) === 'WORKFLOW_SUSPENDED';
  });
}

/** How many tasks are under way at once. */
async function atOnce(options: Partial<FlovynClientOptions>): Promise<number> {
  const w = world();
  const held = gate();
  let underWay = 0;
  let most = 0;
  const hold = task({
    name: 'hold',
    run: async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await held.promise;
      underWay -= 1;
    },
  });
  const fan = workflow({ name: 'fan', run: (ctx) => Promise.all([1, 2, 3].map(() => ctx.task(hold))) });
  const client = await w.client([fan, hold], options);
  const { handle } = await client.startWorkflow(fan);
  // Either all of them are under way, or there is no room for another.
  await until(() => underWay === 3 || client.worker?.metrics().tasks.polls.waiting === 0);
  held.open();
  await handle;
  return most;
}

/** How long it takes until a plain server is polled for the fourth time, in milliseconds. */
async function polledOnWithin(options: Partial<FlovynClientOptions>): Promise<number> {
  const clock = new ManualClock();
  const w = world({ clock });
  const fourth = gate<number>();
  w.engine.intercept = async (method, next) => {
    if (method !== Method.PollTask) return next();
    if (w.engine.count('PollTask') === 4) fourth.open(clock.nowMs() - START_MS);
    // It has nothing to do, and says so at once.
    return { body: new Uint8Array(), metadata: {} };
  };
  await w.client([echo], { ...hidden({ clock }), extensions: false, ...options });
  return w.passing(fourth.promise);
}

/** What options of workers change. */
export const worker: Observations = {
  'PollingOptions.maxConcurrent': (given) => atOnce({ taskWorkerOptions: only(given, 'maxConcurrent', 1) }),
  'PollingOptions.pollIntervalMs': (given) =>
    polledOnWithin({ taskWorkerOptions: only(given, 'pollIntervalMs', 60_000) }),
  'WorkflowWorkerOptions.alwaysReplay': cached('alwaysReplay', true),
  'WorkflowWorkerOptions.maxCachedExecutions': cached('maxCachedExecutions', 0),
  'WorkflowWorkerOptions.maxCachedBytes': cached('maxCachedBytes', 1),
  'WorkflowWorkerOptions.violations': violated(() => ({ violations: 'fail' })),
  'WorkflowWorkerOptions.onViolation': violated((reports) => ({
    onViolation: (report) => void reports.push(report),
  })),
  'FlovynClientOptions.taskWorkerOptions': (given) =>
    atOnce(only(given, 'taskWorkerOptions', { maxConcurrent: 1 })),
  'FlovynClientOptions.workflowWorkerOptions': async (given) => {
    const w = world();
    const options = only(given, 'workflowWorkerOptions', { maxCachedExecutions: 0 });
    const client = await w.client([twoSteps], options);
    const { handle } = await client.startWorkflow(twoSteps);
    await untilSuspended(w, handle.workflowId);
    return client.getExecutionCacheMetrics()?.executions;
  },
  'FlovynClientOptions.shutdownGraceMs': endsWithin(
    (client) => client.stop(),
    (given) => only(given, 'shutdownGraceMs', 1),
  ),
  'Transport.isInProcess': async (given) => {
    const clock = new ManualClock();
    const w = world({ clock });
    w.engine.isInProcess = given;
    const ended = gate<number>();
    w.engine.intercept = (method, next) => {
      const answer = next();
      if (method === Method.PollTask) answer.catch(() => ended.open(clock.nowMs() - START_MS));
      return answer;
    };
    const { slow, one, begun, release } = heldTask();
    const client = await w.client([slow, one], hidden({ clock }));
    await client.startWorkflow(one);
    await begun.promise;
    const stopped = client.stop();
    // How long the polls may still be answered.
    const tookMs = await w.passing(ended.promise);
    release.open('done');
    await w.passing(stopped);
    return tookMs;
  },
  'EmbeddedOptions.leaseMs': async (given) => {
    const clock = new ManualClock();
    const w = world({ clock, ...only(given, 'leaseMs', 15) });
    const { slow, one, begun, release } = heldTask();
    const client = await w.client([slow, one], hidden({ clock }));
    const { handle } = await client.startWorkflow(one);
    await begun.promise;
    // A third of the lease that was asked for.
    clock.advance(5);
    const renewals = w.engine.count('Heartbeat');
    release.open('done');
    await handle;
    return renewals;
  },
};
