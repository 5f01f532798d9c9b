import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FlovynClient, workflow } from '@flovyn/sdk';
import { startServer } from '../support/server.mjs';
import { step } from './workload.mjs';

const WARM_UP = 100;
const RUNS = 500;

const oneTask = workflow({ name: 'one-task', run: (ctx, input) => ctx.task(step, input) });

/** Workflows of one task, one after the other: from the call that starts one until its result is there. */
async function measure(name, client) {
  client.registerWorkflow(oneTask);
  client.registerTask(step);
  await client.start();
  try {
    for (let run = 0; run < WARM_UP; run += 1) await client.executeWorkflow(oneTask, run);
    const cpu = process.cpuUsage();
    const times = [];
    for (let run = 0; run < RUNS; run += 1) {
      const started = performance.now();
      await client.executeWorkflow(oneTask, run);
      times.push(performance.now() - started);
    }
    const { user, system } = process.cpuUsage(cpu);
    times.sort((a, b) => a - b);
    const at = (part) => times[Math.floor(times.length * part)].toFixed(2);
    const cpuMs = ((user + system) / 1_000 / RUNS).toFixed(2);
    console.log(
      `one-task workflow, ${name}: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, ${cpuMs} ms of CPU of this process`,
    );
  } finally {
    await client.stop();
  }
}

await measure('embedded', new FlovynClient({ embedded: true }));
const data = await mkdtemp(path.join(tmpdir(), 'flovyn-bench-'));
const server = await startServer({ data });
try {
  const { url: serverUrl, orgId, apiKey, workerKey: workerToken } = server;
  await measure('server', new FlovynClient({ serverUrl, orgId, apiKey, workerToken }));
} finally {
  await server.stop();
  await rm(data, { recursive: true, force: true });
}
