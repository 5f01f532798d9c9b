import { MessageChannel, Worker } from 'node:worker_threads';

import { EmbeddedTransport, FlovynClient } from '@flovyn/sdk';

import { playOrders } from './orders.mjs';
import { servePort } from './port-transport.mjs';
import { story, tellEvent } from './story.mjs';

const LEASE_MS = 1_000;

/**
 * The engine runs in this thread, in memory; the worker runs in a thread of its own. To kill it, the thread is
 * terminated: no code of it runs any more, and all it knew is gone.
 */
export async function playEmbedded() {
  story.title('The order example on the embedded engine');
  story.aside(
    'the engine lives in the main thread of this process, the worker in a thread that we terminate',
  );
  const engine = new EmbeddedTransport({ leaseMs: LEASE_MS });
  const client = new FlovynClient({ transport: engine });
  await client.start();
  try {
    return await playOrders({
      client,
      startWorker: (number, ledgerFile) => startThread(engine, number, ledgerFile),
      kills: [{ step: 'reserve-stock', type: 'effect' }],
      howKilled: 'its thread is terminated, its memory gone',
      recordedTasks: async () => undefined,
    });
  } finally {
    await client.stop();
    await engine.close();
  }
}

async function startThread(engine, number, ledgerFile) {
  const { port1, port2 } = new MessageChannel();
  const line = servePort(port1, engine);
  const workerData = { port: port2, ledgerFile };
  const thread = new Worker(new URL('./worker-thread.mjs', import.meta.url), {
    workerData,
    transferList: [port2],
  });
  const exited = new Promise((resolve) => thread.once('exit', resolve));
  await new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.on('message', (event) => (event.ready ? resolve() : tellEvent(number, event)));
  });
  return {
    async kill() {
      await thread.terminate();
      line.close();
    },
    async stop() {
      thread.postMessage('stop');
      await exited;
      line.close();
    },
  };
}
