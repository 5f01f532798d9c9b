import { FlovynClient, workflow } from '@flovyn/sdk';

// performance.now() counts from the start of the process.
const first = workflow({ name: 'first', run: async () => performance.now() });
const client = new FlovynClient({ embedded: true });
client.registerWorkflow(first);
await client.start();
await client.executeWorkflow(first, null);
console.log(performance.now());
await client.stop();
