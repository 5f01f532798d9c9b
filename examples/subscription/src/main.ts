import { setTimeout as pause } from 'node:timers/promises';

import { FlovynClient, WorkflowCancelled } from '@flovyn/sdk';

import { basic, type Bill, pro } from './plans.js';
import { billPeriod, charge, sayGoodbye, subscription } from './workflows.js';

const client = new FlovynClient({ embedded: true });
client.registerWorkflow(subscription);
client.registerWorkflow(billPeriod);
client.registerTask(charge);
client.registerTask(sayGoodbye);

await client.start();
try {
  const { handle } = await client.startWorkflow(subscription, {
    customer: 'Ada',
    plan: basic,
    periodMs: 100,
  });
  console.log(`billed ${(await billOf('basic')).amountCents} for ${await handle.query<string>('plan')}`);

  await handle.signal('change-plan', pro);
  console.log(`billed ${(await billOf('pro')).amountCents} for ${await handle.query<string>('plan')}`);

  await handle.cancel('Ada moves away');
  const end = await handle.result().catch((error: unknown) => error);
  if (end instanceof WorkflowCancelled)
    console.log(`cancelled: ${end.reason}; ${await handle.query('farewell')}`);

  async function billOf(plan: string): Promise<Bill> {
    for (;;) {
      const bills = await handle.query<Bill[]>('bills');
      const bill = bills.find((bill) => bill.plan === plan);
      if (bill !== undefined) return bill;
      await pause(20);
    }
  }
} finally {
  await client.stop();
}
