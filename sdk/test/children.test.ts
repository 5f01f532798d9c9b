import { expect, test } from 'vitest';
import { ChildWorkflowFailed, Unsupported, WorkflowCancelled } from '../src/errors.js';
import { Duration } from '../src/duration.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { until, world } from './support/world.js';

const double = workflow({ name: 'double', run: async (_ctx, n: number) => n * 2 });
const broken = workflow({
  name: 'broken',
  run: () => {
    throw new RangeError('out of paper');
  },
});
const patient = workflow({
  name: 'patient',
  run: async (ctx) => {
    try {
      await ctx.sleep(Duration.days(30));
    } finally {
      ctx.set('tidied', true);
    }
  },
});

test('children: results, names, ids and what they know of their parent', async () => {
  const w = world();
  const nested = workflow({ name: 'nested', run: async (ctx) => ctx.info.parentExecutionId });
  const parent = workflow({
    name: 'parent',
    run: async (ctx) => {
      const first = ctx.scheduleWorkflow(double, 1);
      const second = ctx.scheduleWorkflow(double, 2, { name: 'second' });
      const third = ctx.scheduleWorkflowByName<number>('double', 3);
      const nested1 = await ctx.workflow(nested);
      return {
        results: await Promise.all([first, second.result(), third]),
        names: [first.name, second.name, third.name],
        ids: new Set([first.childExecutionId, second.workflowId, third.childExecutionId]).size,
        parent: nested1 === ctx.workflowExecutionId,
        own: ctx.info.parentExecutionId ?? null,
      };
    },
  });
  const client = await w.client([parent, double, nested]);
  expect(await client.executeWorkflow(parent)).toEqual({
    results: [2, 4, 6],
    names: ['double-1', 'second', 'double-2'],
    ids: 3,
    parent: true,
    own: null,
  });
});

test('a child that fails rejects its handle with the recorded text and its id', async () => {
  const w = world();
  const parent = workflow({
    name: 'parent',
    run: async (ctx) => {
      const child = ctx.scheduleWorkflow(broken);
      const error = await failureOf(child);
      return [
        error instanceof ChildWorkflowFailed && error.childExecutionId === child.workflowId,
        error.message,
      ];
    },
  });
  const client = await w.client([parent, broken]);
  const [isTyped, message] = (await client.executeWorkflow(parent)) as [boolean, string];
  expect(isTyped).toBe(true);
  expect(message).toContain('out of paper');
});

test.each(['handle', 'id'])('a child cancelled by its %s makes good, then its handle rejects', async (by) => {
  const w = world();
  const parent = workflow({
    name: 'parent',
    run: async (ctx) => {
      const child = ctx.scheduleWorkflow(patient);
      await ctx.waitForSignal('cancel');
      if (by === 'handle') child.cancel('too slow');
      else await ctx.requestCancellation(child.childExecutionId, 'too slow');
      const error = await failureOf(child);
      return [error.name, child.childExecutionId];
    },
  });
  const client = await w.client([parent, patient]);
  const { handle } = await client.startWorkflow(parent);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('CHILD_WORKFLOW_INITIATED'));
  await handle.signal('cancel');
  const [name, childId] = (await handle.result()) as [string, string];
  expect(name).toBe('ChildWorkflowFailed');
  expect(await w.eventTypes(handle.workflowId)).toContain('CHILD_WORKFLOW_CANCELLATION_REQUESTED');
  expect(await w.eventTypes(childId)).toContain('STATE_SET');
  const requested = (await w.history(childId)).find(({ type }) => type === 'CANCELLATION_REQUESTED');
  expect(requested?.data).toMatchObject({ reason: 'too slow' });
  expect(await failureOf(client.getWorkflowHandle(childId).result())).toBeInstanceOf(WorkflowCancelled);
});

test('executions of others cannot be cancelled from workflow code, and arguments are checked', async () => {
  const w = world();
  const parent = workflow({
    name: 'parent',
    run: async (ctx) => {
      const other = await failureOf(ctx.requestCancellation('01234567-89ab-4def-8123-456789abcdef'));
      const refused = [
        () => ctx.scheduleWorkflow('double' as never, 1),
        () => ctx.scheduleWorkflow(double, 1, { typo: 1 } as never),
        () => ctx.scheduleWorkflow(double, 1, { prioritySeconds: 0.5 }),
        () => ctx.scheduleWorkflow(double, 1, { name: 5 as never }),
        () => ctx.scheduleWorkflowByName(5 as never),
      ].map((call) => {
        try {
          void call();
          return 'taken';
        } catch (error) {
          return (error as Error).name;
        }
      });
      return [other instanceof Unsupported, other.message, new Set(refused)];
    },
  });
  const client = await w.client([parent]);
  const { handle } = await client.startWorkflow(parent);
  expect(await handle.result()).toEqual([
    true,
    expect.stringContaining('is no child of this execution') as string,
    new Set(['ConfigurationError']),
  ]);
  expect(await w.eventTypes(handle.workflowId)).toEqual(['WORKFLOW_STARTED', 'WORKFLOW_COMPLETED']);
});
