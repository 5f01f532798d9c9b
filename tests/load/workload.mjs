import { randomUUID } from 'node:crypto';

import { Duration, task, workflow } from '@flovyn/sdk';

import { write } from './ledger.mjs';

/** How many tasks an execution has, one after the other, before its operation and its timer. */
export const TASKS = 3;
const EFFECT_MS = 3;

/** Does something that is seen from outside, and must count once: gives the id of this run of it. */
async function effect(execution, step, key) {
  const run = randomUUID();
  write('begun', execution, step, run, key);
  await new Promise((resolve) => setTimeout(resolve, EFFECT_MS));
  write('done', execution, step, run, key);
  return run;
}

export const step = task({
  name: 'step',
  retry: { maxRetries: 100, initialDelay: Duration.milliseconds(10), maxDelay: Duration.milliseconds(100) },
  run: (ctx, { execution, index }) => effect(execution, `task ${index}`, ctx.idempotencyKey),
});

/** Gives the runs of its effects that counted. */
export const load = workflow({
  name: 'load',
  run: async (ctx) => {
    const runs = [];
    for (let index = 0; index < TASKS; index += 1)
      runs.push(await ctx.task(step, { execution: ctx.workflowExecutionId, index }));
    runs.push(await ctx.run('operation', () => effect(ctx.workflowExecutionId, 'operation', 'none')));
    await ctx.sleep(Duration.milliseconds(10));
    return runs;
  },
});

/** As little as there can be with a task: for many executions. */
export const nothing = task({ name: 'nothing', run: async (_ctx, input) => input });
export const short = workflow({ name: 'short', run: (ctx, input) => ctx.task(nothing, input) });
