import { Duration } from '@flovyn/sdk';

import { same, thrownBy, until } from '../harness.mjs';
import { echo, noteByTask, suite } from '../tools.mjs';

// Child workflows.

const double = suite.workflow('double', async (ctx, n) => (await ctx.task(echo, n)) * 2);
const failing = suite.workflow('failing-child', async () => {
  throw new Error('the child is broken');
});
const patient = suite.workflow('patient-child', async (ctx) => {
  try {
    await ctx.sleep(Duration.days(30));
  } finally {
    await ctx.task(echo, 'tidied');
  }
});

suite.check('child: results, names and ids', {
  run: async (ctx) => {
    const handles = [
      ctx.scheduleWorkflow(double, 1),
      ctx.scheduleWorkflow(double, 2, { name: 'second' }),
      ctx.scheduleWorkflowByName('double', 3),
    ];
    const results = await Promise.all(handles);
    return [
      results,
      await ctx.workflow(double, 4),
      handles.map(({ name }) => name),
      new Set(handles.map((handle) => handle.childExecutionId)).size,
    ];
  },
  gives: [[2, 4, 6], 8, ['double-1', 'second', 'double-2'], 3],
});

suite.check('child: one name given twice is refused', {
  run: async (ctx) => {
    const first = ctx.scheduleWorkflow(double, 1, { name: 'same' });
    const error = await thrownBy(() => ctx.scheduleWorkflow(double, 2, { name: 'same' }));
    return [await first, error.message.includes('same')];
  },
  gives: [2, true],
});

suite.check('child: its failure can be caught', {
  run: async (ctx) => {
    const child = ctx.scheduleWorkflow(failing);
    const error = await thrownBy(() => child);
    await ctx.task(echo, null);
    return [
      error.name,
      error.message.includes('the child is broken'),
      error.childExecutionId === child.workflowId,
    ];
  },
  gives: ['ChildWorkflowFailed', true, true],
});

suite.check('child: cancelled by its parent it makes good, then its handle rejects', {
  run: async (ctx) => {
    const child = ctx.scheduleWorkflow(patient);
    await ctx.waitForSignal('cancel');
    child.cancel('enough');
    const error = await thrownBy(() => child);
    return [error.name, child.workflowId];
  },
  act: async ({ handle }) => handle.signal('cancel'),
  then: async ({ client, result: [name, childId] }) => {
    same(name, 'ChildWorkflowFailed');
    same((await thrownBy(() => client.getWorkflowHandle(childId).result())).name, 'WorkflowCancelled');
  },
});

suite.check('child: cancelling the parent cancels it too', {
  needs: 'operating',
  run: async (ctx) => {
    const child = ctx.scheduleWorkflow(patient);
    noteByTask(ctx, child.workflowId);
    await child;
  },
  act: async ({ handle, notes }) => {
    await until(() => notes.length > 0);
    await handle.cancel('all of it');
  },
  fails: /all of it/,
  then: async ({ client, notes: [childId] }) =>
    same((await thrownBy(() => client.getWorkflowHandle(childId).result())).name, 'WorkflowCancelled'),
});
