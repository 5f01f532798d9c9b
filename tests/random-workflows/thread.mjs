import { parentPort, workerData } from 'node:worker_threads';

import { addCounts } from './report.mjs';
import { runOnce, sourceOf } from './seed.mjs';

/** Runs every `step`-th seed from `first` on, until it is told to stop, and tells of each that failed. */
const { first, step, end, untilMs } = workerData;
const REPORT_EVERY = 100;

// Programs leave promises alone that are rejected: a worker of a client listens for that, and so does this.
for (const event of ['unhandledRejection', 'rejectionHandled']) process.on(event, () => {});

const counts = {};
let runs = 0;
for (let seed = first; seed < end && Date.now() < untilMs; seed += step) {
  const run = await runOnce(sourceOf(seed));
  addCounts(counts, run.counts);
  runs += 1;
  if (run.failure !== undefined) parentPort.postMessage({ failed: seed });
  if (runs % REPORT_EVERY === 0) parentPort.postMessage({ runs: REPORT_EVERY });
}
parentPort.postMessage({ runs: runs % REPORT_EVERY, counts });
