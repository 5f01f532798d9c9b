import type { FlovynClientOptions } from '../../src/client/options.js';
import { task } from '../../src/task/define.js';
import { workflow } from '../../src/workflow/define.js';
import type { WorkflowWorkerOptions } from '../../src/worker/options.js';
import { gate, until, type World, world } from '../support/world.js';
import { type Observation, type Observations, only } from './difference.js';
import { aborted, echo, untilSuspended } from './play.js';

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
  const [held, filled] = [gate(), gate()];
  let underWay = 0;
  let most = 0;
  const hold = task({
    name: 'hold',
    run: async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      if (underWay === 3) filled.open();
      await Promise.race([held.promise, new Promise((resolve) => setTimeout(resolve, 20))]);
      underWay -= 1;
    },
  });
  const fan = workflow({ name: 'fan', run: (ctx) => Promise.all([1, 2, 3].map(() => ctx.task(hold))) });
  const client = await w.client([fan, hold], options);
  const { handle } = await client.startWorkflow(fan);
  await Promise.race([filled.promise, handle]);
  held.open();
  await handle;
  return most;
}

/** Whether a plain server is polled again and again, or not within a time that is long beside the usual pause. */
async function isPolledOn(options: Partial<FlovynClientOptions>): Promise<boolean> {
  const w = world();
  const client = await w.client([echo], { extensions: false, ...options });
  const isPolled = (): boolean => w.engine.count('PollTask') >= 4;
  await Promise.race([until(isPolled), new Promise((resolve) => setTimeout(resolve, 1_500))]);
  const polled = isPolled();
  await client.stop();
  return polled;
}

/** What options of workers change. */
export const worker: Observations = {
  'PollingOptions.maxConcurrent': (given) => atOnce({ taskWorkerOptions: only(given, 'maxConcurrent', 1) }),
  'PollingOptions.pollIntervalMs': (given) =>
    isPolledOn({ taskWorkerOptions: only(given, 'pollIntervalMs', 60_000) }),
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
  'FlovynClientOptions.shutdownGraceMs': async (given) => {
    const w = world();
    const begun = gate();
    let reason: unknown;
    const stubborn = task({
      name: 'stubborn',
      run: async (ctx) => {
        begun.open();
        const late = new Promise((resolve) => setTimeout(resolve, 60));
        await Promise.race([
          late,
          aborted(ctx).catch((error: unknown) => {
            reason = (error as Error).name;
          }),
        ]);
      },
    });
    const caller = workflow({ name: 'caller', run: (ctx) => ctx.task(stubborn) });
    const client = await w.client([stubborn, caller], { shutdownGraceMs: given ? 1 : 10_000 });
    await client.startWorkflow(caller);
    await begun.promise;
    await client.stop();
    return reason;
  },
  'EmbeddedOptions.leaseMs': async (given) => {
    const w = world(only(given, 'leaseMs', 15));
    const held = gate();
    const hold = task({ name: 'hold', run: () => held.promise });
    const caller = workflow({ name: 'caller', run: (ctx) => ctx.task(hold) });
    const client = await w.client([hold, caller]);
    const { handle } = await client.startWorkflow(caller);
    const isRenewed = (): boolean => w.engine.count('Heartbeat') > 0;
    await Promise.race([until(isRenewed), new Promise((resolve) => setTimeout(resolve, 300))]);
    const renewed = isRenewed();
    held.open();
    await handle;
    return renewed;
  },
};
