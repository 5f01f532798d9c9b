import { expect, test } from 'vitest';
import { FlovynClient } from '../src/client/client.js';
import { encodeReleaseClaim } from '../src/core.js';
import { Duration } from '../src/duration.js';
import { DeterminismViolation } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import { task } from '../src/task/define.js';
import type { ViolationReport } from '../src/worker/events.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { hastyClock, hidden, until, type World, world } from './support/world.js';

const charge = task({ name: 'charge', run: () => 'charged' });
const audit = task({ name: 'audit', run: () => 'audited' });

const deploy = (run: (ctx: WorkflowContext) => Promise<unknown>) => workflow({ name: 'order', run });
const original = deploy(async (ctx) => {
  const charged = await ctx.task(charge);
  await ctx.promise('approval');
  return charged;
});

/** An execution that the original code has brought as far as its promise. */
async function suspended(w: World): Promise<string> {
  const client = await w.client([original, charge]);
  const { handle } = await client.startWorkflow(original);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('PROMISE_CREATED'));
  await client.stop();
  return handle.workflowId;
}

test('an execution whose code has changed is parked, reported, and continued by a fixed deployment', async () => {
  const w = world();
  const id = await suspended(w);
  const reports: ViolationReport[] = [];
  let audits = 0;
  const changed = deploy(async (ctx) => {
    await ctx.run('audit', () => (audits += 1));
    await ctx.task(audit);
    return ctx.promise('approval');
  });
  const options = {
    workflowWorkerOptions: { onViolation: (report: ViolationReport) => reports.push(report) },
  };
  const second = await w.client([changed], options);
  await second.resolvePromise(`${id}:approval`, null);
  await until(() => w.engine.count('ReleaseClaim') > 0);
  await second.stop();

  expect(audits).toBe(0);
  expect(reports).toHaveLength(1);
  expect(reports[0]).toMatchObject({ workflowExecutionId: id, workflowKind: 'order' });
  expect(reports[0]?.violation).toBeInstanceOf(DeterminismViolation);
  expect(reports[0]?.violation.details).toMatchObject({ event: 'TASK_SCHEDULED', eventSequence: 2 });
  const [line] = w.logger.at('error');
  expect(line).toMatch(/^workflow order [-0-9a-f]+: parked for \d+ s: Task type mismatch at event 2/);
  expect(await w.eventTypes(id)).not.toContain('WORKFLOW_EXECUTION_FAILED');

  const third = await w.client([original, charge]);
  expect(await third.getWorkflowHandle(id).result()).toBe('charged');
});

test('a violation that the code catches counts all the same', async () => {
  const w = world();
  const id = await suspended(w);
  const sly = deploy(async (ctx) => {
    try {
      await ctx.task(audit);
    } catch {
      // The code goes on as if nothing had happened.
    }
    return 'done';
  });
  const client = await w.client([sly]);
  await client.resolvePromise(`${id}:approval`, null);
  await until(() => w.engine.count('ReleaseClaim') > 0);
  expect(w.logger.at('error')[0]).toContain('Task type mismatch');
  expect(await w.eventTypes(id)).not.toContain('WORKFLOW_COMPLETED');
});

test('by option a violation fails the execution', async () => {
  const w = world();
  const id = await suspended(w);
  const changed = deploy(async (ctx) => {
    await ctx.sleep(Duration.seconds(1));
  });
  const client = await w.client([changed], { workflowWorkerOptions: { violations: 'fail' } });
  await client.resolvePromise(`${id}:approval`, null);
  const error = await failureOf(client.getWorkflowHandle(id).result());
  expect(error.message).toContain('Task type mismatch');
  expect((await w.history(id)).at(-1)).toMatchObject({
    type: 'WORKFLOW_EXECUTION_FAILED',
    data: { failureType: 'DETERMINISM_VIOLATION' },
  });
});

test('by option it is parked a few times first', async () => {
  const w = world();
  const id = await suspended(w);
  const changed = deploy(async (ctx) => ctx.task(audit));
  const options = {
    workflowWorkerOptions: { violations: { failAfterParks: 2 } },
    ...hidden({ clock: hastyClock }),
  };
  w.engine.intercept = (method, next) => {
    if (method !== Method.ReleaseClaim) return next();
    return next(encodeReleaseClaim({ workflowExecutionId: id, reason: 'parked', retryAfterMs: 1 }));
  };
  const client = await w.client([changed], options);
  await client.resolvePromise(`${id}:approval`, null);
  const error = await failureOf(client.getWorkflowHandle(id).result());
  expect(error.message).toContain('Task type mismatch');
  expect(w.engine.count('ReleaseClaim')).toBe(2);
  const parked = w.logger.at('error').filter((line) => /parked for \d+ s/.test(line));
  expect(parked).toHaveLength(2);
});

test.each([0, 1.5, undefined, '2'])('failAfterParks of %s is refused', (failAfterParks) => {
  const options = { embedded: true, workflowWorkerOptions: { violations: { failAfterParks } } };
  expect(() => new FlovynClient(options as never)).toThrow(/violations must be .* from 1 up/);
});

test.each([
  [
    'thrown',
    () => {
      throw new Error('oops');
    },
  ],
  ['of an async one', () => Promise.reject(new Error('oops')) as unknown as undefined],
])('an error in the hook does no harm: %s', async (_, onViolation) => {
  const w = world();
  const id = await suspended(w);
  const changed = deploy(async (ctx) => ctx.task(audit));
  const client = await w.client([changed], { workflowWorkerOptions: { onViolation } });
  await client.resolvePromise(`${id}:approval`, null);
  await until(() => w.engine.count('ReleaseClaim') > 0);
  expect(w.logger.at('error')).toContain('onViolation threw an error');
});
