import { FlovynClient } from '@flovyn/sdk';
import { killable, tasks } from './workflow.mjs';

const client = new FlovynClient({
  serverUrl: process.env.SERVER_URL,
  orgId: process.env.ORG_ID,
  workerToken: process.env.WORKER_TOKEN,
  queue: 'kills',
});
client.registerWorkflow(killable);
for (const definition of tasks) client.registerTask(definition);
await client.start();
