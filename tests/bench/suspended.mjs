import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FlovynClient, workflow } from '@flovyn/sdk';
import { startServer } from '../support/server.mjs';
import { step } from './workload.mjs';

const EXECUTIONS = 10_000;
const AT_ONCE = 50;

/** Waits for a promise that nobody settles, after a task. */
const waiting = workflow({
  name: 'waiting',
  run: async (ctx, order) => {
    const charged = await ctx.task(step, order.total);
    await ctx.promise('approval');
    return charged;
  },
});

const megabytes = (bytes) => Math.round(bytes / 1e6);

/** Starts as many executions as there may be, and gives the memory of this process once all of them wait. */
async function measure(client, executions) {
  client.registerWorkflow(waiting);
  client.registerTask(step);
  await client.start();
  try {
    let started = 0;
    const lane = async () => {
      for (; started < executions; ) {
        started += 1;
        await client.startWorkflow(waiting, { id: `order-${started}`, total: started });
      }
    };
    const before = process.memoryUsage();
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    while (!allWait(client, executions)) await new Promise((resolve) => setTimeout(resolve, 50));
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    const { bytes, hits, evictions } = client.getExecutionCacheMetrics();
    const each = (amount) => (amount / executions / 1024).toFixed(1);
    console.log(
      `${executions} suspended executions in one Node worker: RSS ${megabytes(rss)} MB (${megabytes(before.rss)} MB before), ` +
        `heap ${megabytes(heapUsed)} MB (${each(heapUsed - before.heapUsed)} KB each), ` +
        `outside of it ${megabytes(external)} MB; the cache counts ${each(bytes)} KB each, ${hits} hits, ${evictions} evictions`,
    );
  } finally {
    await client.stop();
  }
}

function allWait(client, executions) {
  const isBusy = client.getActiveWorkflowExecutions().length + client.getActiveTaskExecutions().length > 0;
  const { hits, executions: kept } = client.getExecutionCacheMetrics();
  return !isBusy && kept === executions && hits >= executions;
}

const executions = Number(process.argv[2] ?? EXECUTIONS);
const data = await mkdtemp(path.join(tmpdir(), 'flovyn-bench-'));
const server = await startServer({ data });
try {
  const client = new FlovynClient({
    serverUrl: server.url,
    orgId: server.orgId,
    apiKey: server.apiKey,
    workerToken: server.workerKey,
    workflowWorkerOptions: { maxCachedExecutions: executions, maxCachedBytes: 2 ** 30 },
  });
  await measure(client, executions);
} finally {
  await server.stop();
  await rm(data, { recursive: true, force: true });
}
