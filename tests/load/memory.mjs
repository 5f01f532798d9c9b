import { Fleet, sample, Traffic } from './fleet.mjs';
import { short } from './workload.mjs';

const LANES = 50;
const SAMPLES = 20;
const LOOKS = 100;
const LOOK_MS = 50;
/** What the second half may have beyond the first, after each garbage collection. */
const GROWTH_MAX = 1.1;
/** Until then code is compiled and caches are filled. */
const WARM_UP = 1 / 4;

/** One worker that runs many executions: its memory stays what it was after the first quarter. */
export async function memory({ executions }) {
  const fleet = new Fleet({ concurrent: LANES });
  try {
    await fleet.start();
    const worker = await fleet.addWorker();
    const samples = [];
    const every = Math.floor(executions / SAMPLES);
    let sampling = Promise.resolve();
    const onEnd = (count) => {
      if (count % every !== 0) return;
      sampling = sampling.then(async () => samples.push({ count, ...(await sample(worker)).memory }));
    };
    const startedMs = performance.now();
    const traffic = new Traffic(fleet.client, short, LANES, { total: executions, onEnd });
    await traffic.done();
    const seconds = (performance.now() - startedMs) / 1_000;
    await sampling;
    const { metrics } = await settledSample(worker, executions);
    const settled = samples.filter(({ count }) => count > executions * WARM_UP);
    const half = Math.floor(settled.length / 2);
    const rss = (list) => list.reduce((sum, { rss: bytes }) => sum + bytes, 0) / list.length;
    const growth = rss(settled.slice(half)) / rss(settled.slice(0, half));
    const mb = (bytes) => `${Math.round(bytes / 1e6)}`;
    const faults = traffic.failed;
    if (!(growth <= GROWTH_MAX))
      faults.push(`RSS grew by ${Math.round((growth - 1) * 100)} % after the first quarter`);
    if (metrics.workflows.completed !== executions)
      faults.push(`the worker counted ${metrics.workflows.completed} of ${executions} executions`);
    const lines = [
      `${executions} executions in one worker, ${Math.round(executions / seconds)} per second`,
      `RSS in MB: ${samples.map(({ rss: bytes }) => mb(bytes)).join(' ')}; second half to first after the first quarter: ${growth.toFixed(3)}`,
      `heap in MB: ${samples.map(({ heapUsed }) => mb(heapUsed)).join(' ')}; external in MB: ${samples.map(({ external }) => mb(external)).join(' ')}`,
    ];
    return { lines, faults };
  } finally {
    await fleet.close();
  }
}

/** Clients may hear of an end before the worker that brought it about does. */
async function settledSample(worker, executions) {
  let told = await sample(worker);
  for (let looks = 0; told.metrics.workflows.completed < executions && looks < LOOKS; looks += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    told = await sample(worker);
  }
  return told;
}
