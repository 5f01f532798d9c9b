import { FlovynClient } from '@flovyn/sdk';

import { FileStore } from '../../examples/order-processing/dist/file-store.js';
import { ledger } from '../../examples/order-processing/dist/ledger.js';
import { tasks } from '../../examples/order-processing/dist/tasks.js';
import { processOrder } from '../../examples/order-processing/dist/workflows.js';

const NETWORK_LATENCY_MS = 60;

/**
 * Starts a worker for the order example.
 *
 * @param {object} options of FlovynClient
 * @param {string} ledgerFile
 * @param {(event: { orderId: string, count: number } | { log: string }) => void} tell told whenever the workflow
 *   function runs from its first line, and of all that is logged
 */
export async function startOrderWorker(options, ledgerFile, tell) {
  ledger.store = new FileStore(ledgerFile);
  ledger.latencyMs = NETWORK_LATENCY_MS;

  const counts = new Map();
  const run = (ctx, order) => {
    const count = (counts.get(order.id) ?? 0) + 1;
    counts.set(order.id, count);
    tell({ orderId: order.id, count });
    return processOrder.run(ctx, order);
  };
  const log = (text) => tell({ log: text });
  const logger = { debug: () => {}, info: log, warn: log, error: log };
  const client = new FlovynClient({ ...options, logger });
  client.registerWorkflow({ ...processOrder, run });
  for (const definition of tasks) client.registerTask(definition);
  await client.start();
  return client;
}
