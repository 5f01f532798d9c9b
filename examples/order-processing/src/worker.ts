import { createOrderClient } from './client.js';
import { FileStore } from './file-store.js';
import { ledger } from './ledger.js';

/** A worker process for a Flovyn server. Run as many as you like; end one with SIGTERM, or pull its plug. */
const { FLOVYN_URL, FLOVYN_ORG, FLOVYN_WORKER_TOKEN, ORDER_LEDGER, ORDER_LATENCY_MS } = process.env;
if (!FLOVYN_ORG) throw new Error('Set FLOVYN_ORG to the organisation that `flovyn-server dev` printed');

ledger.store = new FileStore(ORDER_LEDGER ?? 'ledger.jsonl');
ledger.latencyMs = Number(ORDER_LATENCY_MS ?? 20);

const client = createOrderClient({
  serverUrl: FLOVYN_URL ?? 'http://127.0.0.1:9090',
  orgId: FLOVYN_ORG,
  workerToken: FLOVYN_WORKER_TOKEN,
});
await client.start();
console.log('worker started');

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void client.stop());
}
