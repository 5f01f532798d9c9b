import { task, workflow } from '@flovyn/sdk';

export const STEPS = 10;

export const step = task({ name: 'step', run: async (_ctx, input) => input });

/** Ten tasks, one after the other. */
export const tenSteps = workflow({
  name: 'ten-steps',
  run: async (ctx, input) => {
    let last = input;
    for (let index = 0; index < STEPS; index += 1) last = await ctx.schedule(step, index);
    return last;
  },
});
