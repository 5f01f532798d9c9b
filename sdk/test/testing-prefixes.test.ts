import { afterEach, expect, test } from 'vitest';
import './support/core.js';
import { Duration } from '../src/duration.js';
import { DeterminismViolation } from '../src/errors.js';
import { silentLogger } from '../src/logger.js';
import { task } from '../src/task/define.js';
import { checkEveryPrefix, FlovynTestEnvironment, type WorkflowHistory } from '../src/testing/index.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { type AnyWorkflow, workflow } from '../src/workflow/define.js';

const environments: FlovynTestEnvironment[] = [];

afterEach(async () => {
  await Promise.all(environments.splice(0).map((env) => env.stop()));
});

let charges = 0;
const charge = task({ name: 'charge', run: (_ctx, cents: number) => cents + 1 });
const order = workflow({
  name: 'order',
  run: async (ctx, cents: number) => {
    const note = await ctx.run('note', () => {
      charges += 1;
      return 'noted';
    });
    const charged = await ctx.task(charge, cents);
    await ctx.sleep(Duration.days(30));
    ctx.set('charged', charged);
    return { note, charged, at: ctx.currentTimeMillis() > 0, id: ctx.randomUUID().length };
  },
});

/** Runs a workflow to its end without any check, and gives its history. */
async function historyOf(
  definition: AnyWorkflow,
  input?: unknown,
  options: { checkEveryPrefix?: boolean } = { checkEveryPrefix: false },
): Promise<WorkflowHistory> {
  const env = new FlovynTestEnvironment({ time: 'virtual', logger: silentLogger, ...options });
  environments.push(env);
  await env.registerWorkflow(definition).registerTask(charge).start();
  const { handle } = await env.startWorkflow(definition.name, input);
  await env.awaitCompletion(handle).catch((error: unknown) => {
    if (error instanceof DeterminismViolation) throw error;
  });
  return env.history(handle);
}

const named = (name: string, run: (ctx: WorkflowContext, input: number) => unknown): AnyWorkflow =>
  workflow({ name, run });

test('every prefix of what a deterministic workflow did does the same', async () => {
  const history = await historyOf(order, 7, {});
  expect(await checkEveryPrefix(order, history)).toBeGreaterThanOrEqual(3);
});

/** Each is found from prefixes only: a run in one go, and its replay, agree with the history. */
const faults: [string, (ctx: WorkflowContext) => unknown, RegExp][] = [
  [
    'an input made of chance',
    async (ctx) => {
      await ctx.sleep(Duration.seconds(1));
      await ctx.scheduleByName('charge', Math.random());
    },
    /up to \d+ TIMER_FIRED\), does not do the same: expected SCHEDULE_TASK .*got SCHEDULE_TASK .*ctx\.scheduleByName at .*testing-prefixes\.test\.ts/,
  ],
  [
    'a value of the time of the machine',
    async (ctx) => {
      ctx.set('at', performance.now());
      await ctx.sleep(Duration.seconds(1));
    },
    /up to 1 WORKFLOW_STARTED\), does not do the same: expected SET_STATE .*ctx\.set at .*testing-prefixes/,
  ],
  [
    'a duration of what was kept outside',
    async (ctx) => {
      await ctx.run('a', () => 1);
      outside += 1;
      await ctx.sleep(Duration.milliseconds(outside));
    },
    /up to \d+ OPERATION_COMPLETED\), does not do the same: expected START_TIMER .*ctx\.sleep at/,
  ],
  [
    'an error that is never the same',
    async (ctx) => {
      await ctx.sleep(Duration.seconds(1));
      // A replay is told the same as long as nobody looks.
      throw new Error(`failed ${ctx.info.historyLength < 5 ? 'early' : 'late'}`);
    },
    /expected failed with failed|mismatch|outcome/i,
  ],
];
let outside = 0;

test.each(faults)('%s is found', async (_name, run, message) => {
  const faulty = named('faulty', run);
  const history = await historyOf(faulty);
  const checked = checkEveryPrefix(faulty, history);
  await expect(checked).rejects.toThrow(DeterminismViolation);
  await expect(checked).rejects.toThrow(message);
});

test('an environment checks by default, and does not where that is switched off', async () => {
  const faulty = named('faulty', faults[0]?.[1] ?? (() => {}));
  await expect(historyOf(faulty, undefined, {})).rejects.toThrow(/does not do the same/);
  await expect(historyOf(faulty, undefined, { checkEveryPrefix: true })).rejects.toThrow(
    DeterminismViolation,
  );
  await historyOf(faulty, undefined, { checkEveryPrefix: false });
});

test('an environment leaves long histories alone', async () => {
  const long = named('long', async (ctx) => {
    for (let n = 0; n < 500; n += 1) ctx.set(`k${n}`, Math.random());
    await ctx.sleep(Duration.seconds(1));
  });
  const history = await historyOf(long, undefined, {});
  await expect(checkEveryPrefix(long, history)).rejects.toThrow(DeterminismViolation);
});

test('patches answer for a prefix as for the whole history', async () => {
  const patched = named('patched', async (ctx) => {
    await ctx.sleep(Duration.seconds(1));
    await ctx.scheduleByName('charge', ctx.patched('new') ? 1 : 2);
  });
  const before = named('patched', async (ctx) => {
    await ctx.sleep(Duration.seconds(1));
    await ctx.scheduleByName('charge', 2);
  });
  expect(await checkEveryPrefix(patched, await historyOf(patched))).toBeGreaterThan(1);
  expect(await checkEveryPrefix(patched, await historyOf(before))).toBeGreaterThan(1);
});
