import { appendFileSync } from 'node:fs';
import { Duration, task, workflow } from '@flovyn/sdk';

/** One line per run of a step, written before anything else: the ground truth of how often each ran. */
const ran = (step) => appendFileSync(process.env.LEDGER, `${step}\n`);

const charge = task({
  name: 'charge',
  run: async (ctx, { amount }) => {
    ran('charge');
    await ctx.heartbeat();
    return { chargeId: `charge-${amount}` };
  },
});

/** Fails once in every process, so that FailTask is among the calls; the ledger tells which runs were failures. */
const flaky = task({
  name: 'flaky',
  retry: {
    maxRetries: 10,
    initialDelay: Duration.milliseconds(10),
    maxDelay: Duration.milliseconds(20),
    backoffMultiplier: 1,
  },
  run: async (ctx) => {
    if (ctx.attempt === 1) throw new Error('the first attempt always fails');
    ran('flaky');
    return 'steady';
  },
});

const ship = task({
  name: 'ship',
  run: async () => {
    ran('ship');
    return null;
  },
});

/**
 * Every verb in sequence, so that the order of events does not depend on timing. The bulk of the state makes the history
 * longer than what a poll carries, so that GetEvents is among the calls; the slow operation makes the worker renew its claim.
 */
export const killable = workflow({
  name: 'killable',
  run: async (ctx, { bulk }) => {
    ctx.set('bulk', bulk);
    const startedAt = ctx.currentTimeMillis();
    const quote = await ctx.run('quote', () => {
      ran('quote');
      return { amount: 42 };
    });
    const { chargeId } = await ctx.schedule(charge, quote);
    const slow = await ctx.run('slow', async () => {
      ran('slow');
      await new Promise((resolve) => setTimeout(resolve, 600));
      return 'done';
    });
    await ctx.sleep(Duration.milliseconds(20));
    const flakyResult = await ctx.schedule(flaky, null);
    const approval = await ctx.promise('approval');
    ctx.set('approved', approval);
    await ctx.schedule(ship, null);
    return { chargeId, slow, flakyResult, approval, inOrder: ctx.currentTimeMillis() >= startedAt };
  },
});

export const tasks = [charge, flaky, ship];
