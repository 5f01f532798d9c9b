import { expect, test } from 'vitest';
import { DeterminismViolation } from '../src/errors.js';
import { Duration } from '../src/duration.js';
import { task } from '../src/task/define.js';
import type { ViolationReport } from '../src/worker/events.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { workflow } from '../src/workflow/define.js';
import { until, world } from './support/world.js';

const charge = task({ name: 'charge', run: () => 'charged' });
const audit = task({ name: 'audit', run: () => 'audited' });

/** The line that this is called from, as stacks name it. */
function lineHere(): number {
  const [, , frame = ''] = (new Error().stack ?? '').split('\n');
  return Number(/:(\d+):\d+\)?$/.exec(frame)?.[1]);
}

interface Details {
  readonly hint: string;
  readonly source?: { file: string; line: number; column: number; verb: string };
  readonly pending?: { file: string; line: number; verb: string }[];
}

/** What is reported of code that was changed after its first activation. */
async function violationOf(
  original: (ctx: WorkflowContext) => Promise<unknown>,
  changed: (ctx: WorkflowContext) => unknown,
  resumes = 'approval',
): Promise<{ message: string; details: Details }> {
  const w = world();
  const first = await w.client([workflow({ name: 'order', run: original }), charge]);
  const { handle } = await first.startWorkflow('order');
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('PROMISE_CREATED'));
  await first.stop();
  const reports: ViolationReport[] = [];
  const onViolation = (report: ViolationReport) => void reports.push(report);
  const second = await w.client([workflow({ name: 'order', run: changed })], {
    workflowWorkerOptions: { onViolation },
  });
  await second.resolvePromise(`${handle.workflowId}:${resumes}`, null);
  await until(() => w.engine.count('ReleaseClaim') > 0);
  expect(reports).toHaveLength(1);
  const violation = reports[0]?.violation;
  expect(violation).toBeInstanceOf(DeterminismViolation);
  return { message: violation?.message ?? '', details: violation?.details as Details };
}

const original = async (ctx: WorkflowContext) => {
  await ctx.task(charge);
  return ctx.promise('approval');
};

test('a call that does not fit is named by its own line, also where the code catches the error', async () => {
  let line = 0;
  const { message, details } = await violationOf(original, async (ctx) => {
    try {
      line = lineHere() + 1;
      await ctx.task(audit);
    } catch {
      // The verbs after it are not the fault.
      await ctx.sleep(Duration.seconds(1));
    }
  });
  expect(details.source).toMatchObject({ line, verb: 'ctx.task' });
  expect(details.source?.file).toMatch(/^\/.*violation-lines\.test\.ts$/);
  const place = `ctx.task at ${details.source?.file}:${line}:${details.source?.column}`;
  expect(message).toMatch(/^Task type mismatch at event 2/);
  expect(message).toContain(`(${place})`);
  expect(details.hint).toContain(`The call is at ${place}`);
});

test('an event that nobody claims is named by where the code waits', async () => {
  let line = 0;
  const { message, details } = await violationOf(original, (ctx) => {
    line = lineHere() + 1;
    return ctx.promise('approval');
  });
  expect(details.source).toBeUndefined();
  expect(details.pending).toMatchObject([{ line, verb: 'ctx.promise' }]);
  expect(message).toContain(`(the code waits for ctx.promise at ${details.pending?.[0]?.file}:${line}:`);
  expect(details.hint).toContain(`ctx.promise at `);
});

test('calls with the context of a scope have lines too', async () => {
  let line = 0;
  const { details } = await violationOf(original, (ctx) =>
    ctx.scope(async (inner) => {
      line = lineHere() + 1;
      await inner.schedule(audit);
    }),
  );
  expect(details.source).toMatchObject({ line, verb: 'ctx.schedule' });
});

test('code that ends too early waits for nothing: the violation stays as it is', async () => {
  const { message, details } = await violationOf(original, async () => 'done');
  expect([details.source, details.pending]).toEqual([undefined, undefined]);
  expect(message).not.toContain(' at /');
});
