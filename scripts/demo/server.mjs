import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { FlovynClient } from '@flovyn/sdk';

import { startServer } from '../../tests/support/server.mjs';
import { playOrders } from './orders.mjs';
import { story, tellEvent } from './story.mjs';

const LEASE_MS = 1_000;
const WORKER = fileURLToPath(new URL('./worker-process.mjs', import.meta.url));

/** The server is a process, the worker is another, and SIGKILL is how the worker ends, twice. */
export async function playOnServer() {
  story.title('The order example on flovyn-server');
  const data = mkdtempSync(join(tmpdir(), 'flovyn-demo-server-'));
  const server = await startServer({ data, leaseMs: LEASE_MS });
  story.aside(
    `flovyn-server dev, process ${server.pid}, on ${server.url}, SQLite, leases of ${LEASE_MS / 1000} s`,
  );
  const { url: serverUrl, orgId, apiKey, workerKey: workerToken } = server;
  const client = new FlovynClient({ serverUrl, orgId, apiKey });
  await client.start();
  try {
    return await playOrders({
      client,
      startWorker: (number, ledgerFile) =>
        startProcess({ serverUrl, orgId, workerToken }, number, ledgerFile),
      kills: [
        { step: 'charge', type: 'attempt' },
        { step: 'ship', type: 'effect' },
      ],
      howKilled: 'SIGKILL',
      recordedTasks: (executionId) => recordedTasks(server, executionId),
    });
  } finally {
    await client.stop();
    await server.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

async function startProcess(options, number, ledgerFile) {
  const child = spawn(process.execPath, [WORKER, JSON.stringify(options), ledgerFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const ready = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line);
      if (event.ready) resolve(true);
      else tellEvent(number, event);
    });
  });
  if (!(await Promise.race([ready, exited.then(() => false)])))
    throw new Error('The worker process ended before it was ready');
  const end = async (signal) => {
    child.kill(signal);
    await exited;
  };
  return { kill: () => end('SIGKILL'), stop: () => end('SIGTERM') };
}

/** Ids of the tasks whose result is in the history of an execution, as the server's REST interface shows it. */
async function recordedTasks({ url, orgSlug, apiKey }, executionId) {
  const path = `/api/orgs/${orgSlug}/workflow-executions/${executionId}/events`;
  const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${apiKey}` } });
  const { events } = await answer.json();
  return events
    .filter(({ eventType }) => eventType === 'TASK_COMPLETED')
    .map(({ data }) => data.taskExecutionId);
}
