import { Worker } from '@flovyn/sdk';

import { load, nothing, short, step } from './workload.mjs';

/** A worker process of the load tests. It tells its parent when it works, how it stopped, and what it is asked for. */
const { SERVER_URL, ORG_ID, WORKER_TOKEN, CONCURRENT, GRACE_MS } = process.env;
const maxConcurrent = Number(CONCURRENT);
const worker = new Worker({
  serverUrl: SERVER_URL,
  orgId: ORG_ID,
  workerToken: WORKER_TOKEN,
  queue: 'load',
  workflows: [load, short],
  tasks: [step, nothing],
  shutdownGraceMs: Number(GRACE_MS),
  workflowWorkerOptions: { maxConcurrent },
  taskWorkerOptions: { maxConcurrent },
  handleSignals: true,
});
worker.on('start', () => process.send({ type: 'ready' }));
process.on('message', () => {
  globalThis.gc?.();
  process.send({ type: 'sample', memory: process.memoryUsage(), metrics: worker.metrics() });
});
// Nobody is left who would end it.
process.on('disconnect', () => process.exit());
let report;
worker.on('stop', (told) => {
  report = told;
});
await worker.run();
process.send({ type: 'stopped', report, metrics: worker.metrics() }, () => process.disconnect());
