import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FlovynClient } from '@flovyn/sdk';
import { startServer } from '../support/server.mjs';
import { STEPS, step, tenSteps } from './workload.mjs';

const WARM_UP = 20;
const MEASURE_MS = 5_000;

/**
 * Runs workflows for a fixed time with `concurrency` of them under way: how many ended per second, and the CPU time of
 * this process for each step, which says more than the rate on a machine that does other work too.
 */
async function measure(client, concurrency) {
  const end = performance.now() + MEASURE_MS;
  const started = performance.now();
  const startedCpu = process.cpuUsage();
  let done = 0;
  const lane = async () => {
    while (performance.now() < end) {
      await client.executeWorkflow(tenSteps, 0);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  const { user, system } = process.cpuUsage(startedCpu);
  return {
    perSecond: done / ((performance.now() - started) / 1_000),
    cpuUs: (user + system) / (done * STEPS),
  };
}

async function bench(name, client, concurrencies) {
  client.registerWorkflow(tenSteps);
  client.registerTask(step);
  await client.start();
  try {
    for (let index = 0; index < WARM_UP; index += 1) await client.executeWorkflow(tenSteps, 0);
    for (const concurrency of concurrencies) {
      const { perSecond, cpuUs } = await measure(client, concurrency);
      const rss = Math.round(process.memoryUsage().rss / 1e6);
      const steps = Math.round(perSecond * STEPS);
      console.log(
        `${name.padEnd(9)} concurrency ${String(concurrency).padStart(2)}: ${perSecond.toFixed(1)} workflows/s, ${steps} steps/s, ${Math.round(cpuUs)} us of CPU per step, RSS ${rss} MB`,
      );
    }
  } finally {
    await client.stop();
  }
}

const workers = {
  workflowWorkerOptions: { maxConcurrent: 50 },
  taskWorkerOptions: { maxConcurrent: 50 },
};

async function embedded(concurrencies) {
  await bench('embedded', new FlovynClient({ embedded: true, ...workers }), concurrencies);
}

async function server(concurrencies) {
  const data = await mkdtemp(path.join(tmpdir(), 'flovyn-bench-'));
  const running = await startServer({ data });
  try {
    const client = new FlovynClient({
      serverUrl: running.url,
      orgId: running.orgId,
      apiKey: running.apiKey,
      workerToken: running.workerKey,
      ...workers,
    });
    await bench('server', client, concurrencies);
  } finally {
    await running.stop();
    await rm(data, { recursive: true, force: true });
  }
}

const [only, ...chosen] = process.argv.slice(2);
const concurrencies = chosen.length > 0 ? chosen.map(Number) : [1, 10, 50];
if (only !== 'server') await embedded(concurrencies);
if (only !== 'embedded') await server(concurrencies);
