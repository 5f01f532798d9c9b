import { FlovynClient, type FlovynClientOptions } from '@flovyn/sdk';

import { tasks } from './tasks.js';
import { processOrder } from './workflows.js';

/** A client that also works: once started, it runs the workflow and the tasks of this package. */
export function createOrderClient(options: FlovynClientOptions): FlovynClient {
  const client = new FlovynClient(options);
  client.registerWorkflow(processOrder);
  for (const definition of tasks) client.registerTask(definition);
  return client;
}
