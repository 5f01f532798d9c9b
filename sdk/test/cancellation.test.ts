import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { WorkflowCancelled } from '../src/errors.js';
import { task } from '../src/task/define.js';
import { workflow } from '../src/workflow/define.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { failureOf } from './support/failure.js';
import { gate, hastyClock, hidden, until, type World, world } from './support/world.js';

const noop = task({ name: 'noop', run: () => null });
const HOUR = Duration.hours(1);

const suspended = (w: World, id: string) =>
  until(async () => (await w.eventTypes(id)).length < (await w.history(id)).length);

/** Runs a workflow until it suspends, cancels it, and gives its handle. */
async function cancelled(w: World, run: (ctx: WorkflowContext) => Promise<unknown>, reason?: string) {
  const definition = workflow({ name: 'w', run });
  const client = await w.client([definition, noop]);
  const { handle } = await client.startWorkflow(definition);
  await suspended(w, handle.workflowId);
  await handle.cancel(reason);
  // In an object of its own: a handle can be awaited.
  return { handle };
}

test('cancelled in a long sleep: what was done is undone, and the execution ends as cancelled', async () => {
  const w = world();
  const { handle } = await cancelled(
    w,
    async (ctx) => {
      void (async () => {
        await ctx.promise('nobody awaits this branch');
      })();
      try {
        await ctx.sleep(Duration.days(30));
      } finally {
        ctx.set('sees', [ctx.isCancellationRequested, ctx.cancellation.aborted]);
        await ctx.task(noop);
      }
    },
    'out of stock',
  );
  expect(await failureOf(handle.result())).toMatchObject({
    name: 'WorkflowCancelled',
    message: 'Workflow was cancelled: out of stock',
    reason: 'out of stock',
  });
  const history = await w.history(handle.workflowId);
  expect(history.find(({ type }) => type === 'STATE_SET')?.data['value']).toEqual([true, true]);
  const types = history.map(({ type }) => type).filter((type) => type !== 'WORKFLOW_SUSPENDED');
  expect(types.slice(-5)).toEqual([
    'CANCELLATION_REQUESTED',
    'STATE_SET',
    'TASK_SCHEDULED',
    'TASK_COMPLETED',
    'WORKFLOW_CANCELLED',
  ]);
  expect(w.logger.at('error')).toEqual([]);
});

test('the function decides: one that returns a value has completed', async () => {
  const w = world();
  const { handle } = await cancelled(w, async (ctx) => {
    const error = await failureOf(ctx.sleep(HOUR));
    await ctx.sleep(Duration.milliseconds(1));
    const checks = await failureOf((async () => ctx.checkCancellation())());
    return [error.name, checks.name, error instanceof WorkflowCancelled && error.reason];
  });
  expect(await handle.result()).toEqual(['WorkflowCancelled', 'WorkflowCancelled', null]);
});

test('every pending handle rejects, in the order they were made; operations get their signal', async () => {
  const w = world();
  const started = gate();
  let seen = '';
  const definition = workflow({
    name: 'all-kinds',
    run: async (ctx) => {
      const order: string[] = [];
      const watch = (name: string, handle: Promise<unknown>) =>
        handle.catch((error: unknown) => order.push(`${name} ${(error as Error).name}`));
      const operation = ctx.run('op', async (signal) => {
        started.open();
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        seen = `cancelled: ${(signal.reason as Error).message}`;
      });
      await Promise.all([
        watch('operation', operation),
        watch('signal', ctx.waitForSignal('s')),
        watch('timer', ctx.sleep(HOUR)),
        watch('promise', ctx.promise('p')),
        watch('task', ctx.scheduleByName('nobody-runs-this')),
        watch('child', ctx.scheduleWorkflowByName('nobody-runs-this')),
      ]);
      await ctx.run('wait', () => until(() => seen !== ''));
      return [order, seen];
    },
  });
  // The worker looks for events now and then while an operation runs.
  const client = await w.client([definition], hidden({ clock: hastyClock }));
  const { handle } = await client.startWorkflow(definition);
  await started.promise;
  await handle.cancel();
  expect(await handle.result()).toEqual([
    [
      'operation WorkflowCancelled',
      'signal WorkflowCancelled',
      'timer WorkflowCancelled',
      'promise WorkflowCancelled',
      'task WorkflowCancelled',
      'child WorkflowCancelled',
    ],
    'cancelled: Workflow was cancelled',
  ]);
  const recorded = (await w.history(handle.workflowId)).filter(({ type }) => type === 'OPERATION_COMPLETED');
  expect(recorded.map(({ data }) => data['operationName'])).toContain('op');
});
