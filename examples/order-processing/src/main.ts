import { approvalRequest } from './approvals.js';
import { createOrderClient } from './client.js';
import type { Approval, Order } from './order.js';
import { processOrder } from './workflows.js';

const lamp: Order = {
  id: 'order-1',
  customer: 'Ada',
  items: [{ sku: 'lamp', quantity: 2, priceCents: 4_950 }],
};
const piano: Order = {
  id: 'order-2',
  customer: 'Bob',
  items: [{ sku: 'piano', quantity: 1, priceCents: 799_900 }],
};

const client = createOrderClient({ embedded: true });
await client.start();
try {
  await handle(lamp, { approved: true, by: 'Grace' });
  await handle(piano, { approved: false, by: 'Grace', note: 'too expensive' });
} finally {
  await client.stop();
}

async function handle(order: Order, answer: Approval): Promise<void> {
  const { handle } = await client.startWorkflow(processOrder, order);
  const { promiseId, amountCents } = await approvalRequest(order.id);
  console.log(`${order.id}: ${(amountCents / 100).toFixed(2)} to approve`);
  await client.resolvePromise(promiseId, answer);
  console.log(`${order.id}:`, await handle.result());
}
