import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { FlovynClient } from '@flovyn/sdk';

import { inRoot } from '../../scripts/lib/paths.mjs';
import { mustRun } from '../../scripts/lib/run.mjs';
import { startServer } from '../support/server.mjs';

const order = { id: 'order-9', customer: 'Ada', items: [{ sku: 'lamp', quantity: 1, priceCents: 100 }] };

test('order-processing: its worker process serves a server and ends with SIGTERM', async () => {
  await mustRun(inRoot('node_modules/.bin/tsc'), ['-p', inRoot('examples/order-processing')]);
  const data = mkdtempSync(join(tmpdir(), 'flovyn-worker-'));
  const ledgerFile = join(data, 'ledger.jsonl');
  const server = await startServer({ data });
  const env = {
    FLOVYN_URL: server.url,
    FLOVYN_ORG: server.orgId,
    FLOVYN_WORKER_TOKEN: server.workerKey,
    ORDER_LEDGER: ledgerFile,
  };
  const worker = spawn(process.execPath, [inRoot('examples/order-processing/dist/worker.js')], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(worker, 'exit');
  const client = new FlovynClient({ serverUrl: server.url, orgId: server.orgId, apiKey: server.apiKey });
  try {
    assert.match(String((await once(worker.stdout, 'data'))[0]), /worker started/);
    await client.start();
    const { handle } = await client.startWorkflow('process-order', order);
    const request = await approvalRequest(ledgerFile);
    await client.resolvePromise(request.promiseId, { approved: true, by: 'Grace' });
    assert.equal((await handle.result()).status, 'shipped');
    worker.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
  } finally {
    worker.kill('SIGKILL');
    await client.stop();
    await server.stop();
    rmSync(data, { recursive: true, force: true });
  }
});

async function approvalRequest(ledgerFile) {
  for (;;) {
    const lines = tryRead(ledgerFile)
      .split('\n')
      .slice(0, -1)
      .map((text) => JSON.parse(text));
    const asked = lines.find((line) => line.type === 'effect' && line.step === 'ask-for-approval');
    if (asked) return asked.result;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function tryRead(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
