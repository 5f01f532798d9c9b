import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { FlovynClient } from '@flovyn/sdk';

import { startServer } from '../support/server.mjs';
import { prepare, RUNTIMES, startWorker } from './worker-process.mjs';

const LIMIT = { timeout: 60_000 };
let data;
let server;
let client;

before(async () => {
  prepare();
  data = mkdtempSync(join(tmpdir(), 'flovyn-signals-'));
  server = await startServer({ data });
  client = new FlovynClient({ serverUrl: server.url, orgId: server.orgId, apiKey: server.apiKey });
  await client.start();
});

after(async () => {
  await client?.stop();
  await server?.stop();
  rmSync(data, { recursive: true, force: true });
});

const workers = [];
afterEach(() => {
  for (const worker of workers.splice(0)) worker.kill();
});

/** A worker process with an attempt of so many milliseconds under way, and the handle of its execution. */
async function busyWorker(runtime, options, ms) {
  const queue = `${runtime}-${Math.random()}`;
  const worker = startWorker(runtime, {
    serverUrl: server.url,
    orgId: server.orgId,
    workerToken: server.workerKey,
    queue,
    ...options,
  });
  workers.push(worker);
  await worker.says('event start');
  const { handle } = await client.startWorkflow('one', ms, { queue });
  await worker.says('begun');
  return { worker, handle, queue };
}

for (const runtime of Object.keys(RUNTIMES)) {
  for (const by of ['worker', 'client']) {
    test(`${runtime}: at SIGTERM a ${by} ends its work and itself`, LIMIT, async () => {
      const { worker } = await busyWorker(runtime, { by, handleSignals: true }, 700);
      worker.signal('SIGTERM');
      assert.equal(await worker.exit, 0);
      const told = worker.lines.filter((line) => !line.startsWith('log'));
      const expected = ['event start', 'begun', 'done', 'event stop 0 0'];
      assert.deepEqual(told, by === 'worker' ? [...expected, 'run is over'] : expected);
      const logged = worker.lines.filter((line) => line.startsWith('log'));
      assert.match(
        logged[0],
        /^log info SIGTERM: the \w+ (shuts down|stops); another one ends the process at once$/,
      );
      assert.match(logged[1], /^log info the worker stopped after \d+ ms$/);
      assert.equal(logged.length, 2);
    });
  }

  test(
    `${runtime}: a second signal ends the process at once, and its work goes to others`,
    LIMIT,
    async () => {
      const { worker } = await busyWorker(runtime, { by: 'worker', handleSignals: true }, 30_000);
      worker.signal('SIGINT');
      await worker.says('log info SIGINT');
      worker.signal('SIGTERM');
      assert.equal(await worker.exit, 'SIGTERM');
      assert.ok(!worker.lines.includes('run is over'));
    },
  );

  test(`${runtime}: without the option the first signal ends the process`, LIMIT, async () => {
    const { worker } = await busyWorker(runtime, { by: 'worker' }, 30_000);
    worker.signal('SIGTERM');
    assert.equal(await worker.exit, 'SIGTERM');
    assert.deepEqual(worker.lines, ['event start', 'begun']);
  });
}

test(
  'work that is not done when the grace period is over goes to another worker at once',
  LIMIT,
  async () => {
    const options = { by: 'worker', handleSignals: true, shutdownGraceMs: 200 };
    const { worker, handle, queue } = await busyWorker('node', options, 5_000);
    worker.signal('SIGTERM');
    assert.equal(await worker.exit, 0);
    assert.ok(worker.lines.includes('event stop 1 0'));
    // The lease is a minute: only because the claim was given back does the second one get it now.
    const second = startWorker('node', {
      by: 'worker',
      serverUrl: server.url,
      orgId: server.orgId,
      workerToken: server.workerKey,
      queue,
      handleSignals: true,
    });
    workers.push(second);
    await second.says('begun');
    assert.equal(await handle.result(), 5_000);
    second.signal('SIGTERM');
    assert.equal(await second.exit, 0);
  },
);
