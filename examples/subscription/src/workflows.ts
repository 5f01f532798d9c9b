import { Duration, task, workflow, WorkflowCancelled } from '@flovyn/sdk';

import type { Bill, Plan, Subscription } from './plans.js';

/** Takes the money. A real one would pass `ctx.taskExecutionId` to its payment provider as the idempotency key. */
export const charge = task({
  name: 'charge',
  run: async (_ctx, { plan }: { customer: string; plan: Plan }): Promise<Bill> => ({
    plan: plan.name,
    amountCents: plan.priceCents,
  }),
});

/** Says goodbye. */
export const sayGoodbye = task({
  name: 'say-goodbye',
  run: async (_ctx, customer: string) => `goodbye, ${customer}`,
});

/** One period of a subscription: a workflow of its own, so that each has a short history that can be looked at. */
export const billPeriod = workflow({
  name: 'bill-period',
  run: async (ctx, period: { customer: string; plan: Plan }) => ctx.task(charge, period),
});

/**
 * A subscription lives until somebody cancels it. Nothing of it is in memory while it sleeps.
 *
 * It listens to the signal `change-plan` and answers the queries `plan` and `bills`.
 */
export const subscription = workflow({
  name: 'subscription',
  run: async (ctx, { customer, plan: first, periodMs }: Subscription): Promise<never> => {
    const bills: Bill[] = [];
    let plan = first;
    ctx.set('plan', plan);
    try {
      for (;;) {
        const periodEnds = ctx.sleep(Duration.milliseconds(periodMs));
        let isOver = false;
        while (!isOver) {
          const change = ctx.waitForSignal<Plan>('change-plan');
          const changed = await Promise.race([periodEnds.then(() => undefined), change]);
          // Of the two that raced the loser waits on: the sleep is still wanted, the waiter is not.
          if (changed === undefined) change.cancel();
          else plan = changed;
          ctx.set('plan', plan);
          isOver = changed === undefined;
        }
        bills.push(await ctx.workflow(billPeriod, { customer, plan }));
        ctx.set('bills', bills);
      }
    } catch (error) {
      // Whatever was awaited was rejected with this. What is asked for from here on runs as ever.
      if (error instanceof WorkflowCancelled) ctx.set('farewell', await ctx.task(sayGoodbye, customer));
      throw error;
    }
  },
  handlers: {
    queries: {
      plan: (ctx) => ctx.get<Plan>('plan')?.name,
      bills: (ctx) => ctx.get<Bill[]>('bills') ?? [],
    },
  },
});
