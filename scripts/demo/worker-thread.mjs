import { parentPort, workerData } from 'node:worker_threads';

import { PortTransport } from './port-transport.mjs';
import { startOrderWorker } from './worker.mjs';

/** A worker in a thread of its own: it has a wasm instance and a heap that nobody else sees, and can be killed. */
const { port, ledgerFile } = workerData;
const client = await startOrderWorker({ transport: new PortTransport(port) }, ledgerFile, (event) =>
  parentPort.postMessage(event),
);
parentPort.postMessage({ ready: true });
parentPort.once('message', async () => {
  await client.stop();
  process.exit();
});
