import { type TaskContext, task } from '@flovyn/sdk';

import { ledger } from './ledger.js';
import type { ApprovalRequest, OrderItem, Payment, Reservation, Shipment } from './order.js';

/*
 * Tasks are where a workflow touches the world. A task may run more than once (its worker can die after the effect and
 * before the answer), so each effect goes out with an idempotency key: the id of the task, the same for all attempts.
 */

export const charge = task({
  name: 'charge',
  run: (ctx, input: { orderId: string; amountCents: number }): Promise<Payment> =>
    once(ctx, input.orderId, () => ({ ...input, paymentId: `payment-${input.orderId}` })),
});

export const refund = task({
  name: 'refund',
  run: (ctx, payment: Payment): Promise<{ refundedCents: number }> =>
    once(ctx, payment.orderId, () => ({ refundedCents: payment.amountCents })),
});

export const reserveStock = task({
  name: 'reserve-stock',
  run: (ctx, input: { orderId: string; items: readonly OrderItem[] }): Promise<Reservation> =>
    once(ctx, input.orderId, () => ({ ...input, reservationId: `reservation-${input.orderId}` })),
});

export const releaseStock = task({
  name: 'release-stock',
  run: (ctx, reservation: Reservation): Promise<{ releasedItems: number }> =>
    once(ctx, reservation.orderId, () => ({ releasedItems: reservation.items.length })),
});

export const askForApproval = task({
  name: 'ask-for-approval',
  run: (ctx, request: ApprovalRequest): Promise<ApprovalRequest> => once(ctx, request.orderId, () => request),
});

export const ship = task({
  name: 'ship',
  run: (ctx, input: { orderId: string; customer: string }): Promise<Shipment> =>
    once(ctx, input.orderId, () => ({ trackingCode: `tracking-${input.orderId}` })),
});

export const tasks = [charge, refund, reserveStock, releaseStock, askForApproval, ship];

function once<T>(ctx: TaskContext, orderId: string, effect: () => T): Promise<T> {
  return ledger.once({ step: ctx.taskKind, orderId, key: ctx.taskExecutionId, attempt: ctx.attempt }, effect);
}
