import { Duration, workflow } from '@flovyn/sdk';

import { type Approval, type Order, type OrderResult, totalCents } from './order.js';
import { askForApproval, charge, refund, releaseStock, reserveStock, ship } from './tasks.js';

/**
 * Takes an order from payment to parcel. When a step fails, or a person declines, the steps done so far are undone in
 * reverse order.
 *
 * This function may stop at any `await`, for months or by a crash, and goes on in another process as if nothing had
 * happened: results of finished steps come from the history instead of being worked out again.
 */
export const processOrder = workflow({
  name: 'process-order',
  run: async (ctx, order: Order): Promise<OrderResult> => {
    const { id: orderId, items, customer } = order;
    const compensations: (() => Promise<unknown>)[] = [];
    try {
      // An operation: a small side effect that is not worth a task. Its result is recorded.
      const amountCents = await ctx.run('price', () => totalCents(items));

      const payment = await ctx.task(charge, { orderId, amountCents });
      compensations.push(() => ctx.task(refund, payment));

      const reservation = await ctx.task(reserveStock, { orderId, items });
      compensations.push(() => ctx.task(releaseStock, reservation));

      // The promise exists before anyone is asked to resolve it.
      const answer = ctx.promise<Approval>('approval', { timeout: Duration.days(3) });
      const promiseId = `${ctx.workflowExecutionId}:approval`;
      await ctx.task(askForApproval, { orderId, amountCents, promiseId });
      ctx.log.info(`${orderId} waits for approval`);
      ctx.set('status', 'waiting for approval');

      const approval = await answer;
      if (!approval.approved)
        throw new Error(`declined by ${approval.by}: ${approval.note ?? 'no reason given'}`);

      ctx.set('status', 'shipping');
      const { trackingCode } = await ctx.task(ship, { orderId, customer });
      return { status: 'shipped', orderId, paymentId: payment.paymentId, trackingCode };
    } catch (error) {
      ctx.set('status', 'compensating');
      for (const compensate of compensations.reverse()) await compensate();
      const reason = error instanceof Error ? error.message : String(error);
      return { status: 'cancelled', orderId, reason };
    }
  },
});
