import { expect, test } from 'vitest';
import { task } from '../src/task/define.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { workflow } from '../src/workflow/define.js';
import { until, type World, world } from './support/world.js';

const noop = task({ name: 'noop', run: () => null });

const deploy = (run: (ctx: WorkflowContext) => Promise<unknown>) => workflow({ name: 'order', run });
const before = deploy(async (ctx) => {
  await ctx.task(noop);
  await ctx.promise('go');
  return 'old';
});
const after = deploy(async (ctx) => {
  const seen = [ctx.patched('audit')];
  if (ctx.patched('audit')) await ctx.run('audit', () => null);
  await ctx.task(noop);
  await ctx.promise('go');
  for (let n = 0; n < 2; n += 1) seen.push(ctx.patched('audit'));
  return seen;
});

/** Starts an execution with one version of the code and ends it with another. */
async function across(w: World, first: ReturnType<typeof deploy>, second: ReturnType<typeof deploy>) {
  const old = await w.client([first, noop]);
  const { handle } = await old.startWorkflow(first);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('PROMISE_CREATED'));
  await old.stop();
  const client = await w.client([second, noop]);
  await client.resolvePromise(`${handle.workflowId}:go`, null);
  const result = await client.getWorkflowHandle(handle.workflowId).result();
  const patches = (await w.history(handle.workflowId)).filter(({ data }) =>
    String(data['operationName']).startsWith('$patch:'),
  );
  return [result, patches.length];
}

test('an execution from before the change goes the old way throughout', async () => {
  expect(await across(world(), before, after)).toEqual([[false, false, false], 0]);
});

test('one that began after it goes the new way, which is recorded once', async () => {
  expect(await across(world(), after, after)).toEqual([[true, true, true], 1]);
});

test('once the old way is gone, the record is still expected, and then may be forgotten', async () => {
  const deprecated = deploy(async (ctx) => {
    ctx.deprecatePatch('audit');
    await ctx.run('audit', () => null);
    await ctx.task(noop);
    await ctx.promise('go');
    return 'new';
  });
  const forgotten = deploy(async (ctx) => {
    await ctx.run('audit', () => null);
    await ctx.task(noop);
    await ctx.promise('go');
    return 'new';
  });
  expect(await across(world(), after, deprecated)).toEqual(['new', 1]);
  expect(await across(world(), deprecated, forgotten)).toEqual(['new', 1]);
  // A rollback finds the new way taken.
  expect(await across(world(), deprecated, after)).toEqual([[true, true, true], 1]);
});
