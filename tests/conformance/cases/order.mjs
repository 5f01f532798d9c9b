import { same } from '../harness.mjs';
import { ledger } from '../order/ledger.js';
import { processOrder } from '../order/workflows.js';
import { pause, promiseOf, suite } from '../tools.mjs';

// The example, in every runtime.

// --- the order example, as people copy it ---

const order = (id, priceCents) => ({
  id,
  customer: 'Ada',
  items: [{ sku: 'lamp', quantity: 2, priceCents }],
});
const effectsOf = async (orderId) =>
  (await ledger.store.lines())
    .filter((line) => line.type === 'effect' && line.orderId === orderId)
    .map((line) => line.step);

async function processAndAnswer(client, placed, answer) {
  const { handle } = await client.startWorkflow(processOrder, placed);
  while (!(await effectsOf(placed.id)).includes('ask-for-approval')) await pause(5);
  await client.resolvePromise(promiseOf(handle, 'approval'), answer);
  return await handle.result();
}

suite.checkOutside('order: approved and shipped', async ({ client }) => {
  const result = await processAndAnswer(client, order('order-1', 4_950), { approved: true, by: 'Grace' });
  same(result, {
    status: 'shipped',
    orderId: 'order-1',
    paymentId: 'payment-order-1',
    trackingCode: 'tracking-order-1',
  });
  same(await effectsOf('order-1'), ['charge', 'reserve-stock', 'ask-for-approval', 'ship']);
});

suite.checkOutside('order: declined, and all that was done undone in reverse order', async ({ client }) => {
  const answer = { approved: false, by: 'Grace', note: 'too dear' };
  const result = await processAndAnswer(client, order('order-2', 9_900), answer);
  same(result, { status: 'cancelled', orderId: 'order-2', reason: 'declined by Grace: too dear' });
  const undone = ['release-stock', 'refund'];
  same(await effectsOf('order-2'), ['charge', 'reserve-stock', 'ask-for-approval', ...undone]);
});
