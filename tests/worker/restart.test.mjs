import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { FlovynClient, silentLogger } from '@flovyn/sdk';

import { freePort, startServer } from '../support/server.mjs';
import { startWorker } from './worker-process.mjs';

const EXECUTIONS = 20;
const STEPS = 12;
const LIMIT = { timeout: 120_000 };
/** An answer that is lost with the server keeps its work claimed for so long. */
const LEASE_MS = 10_000;

for (const kind of ['kill', 'stop']) {
  test(
    `a server that is restarted under a running worker (${kind}): nothing is lost, one line`,
    LIMIT,
    async () => {
      const data = mkdtempSync(join(tmpdir(), 'flovyn-restart-'));
      const port = await freePort();
      const start = () => startServer({ port, data, leaseMs: LEASE_MS });
      let server = await start();
      const connection = { serverUrl: server.url, orgId: server.orgId };
      const client = new FlovynClient({ ...connection, apiKey: server.apiKey, logger: silentLogger });
      const options = { ...connection, workerToken: server.workerKey, handleSignals: true };
      const worker = startWorker('node', { by: 'worker', ...options });
      const logged = () => worker.lines.filter((line) => line.startsWith('log'));
      const count = (line) => worker.lines.filter((other) => other === line).length;
      try {
        await client.start();
        await worker.says('event start');
        const started = Array.from({ length: EXECUTIONS }, () => client.startWorkflow('steps', STEPS));
        const handles = (await Promise.all(started)).map(({ handle }) => handle);
        await until(() => count('done') > (EXECUTIONS * STEPS) / 4);
        await server[kind]();
        await worker.says('event disconnected');
        server = await start();
        const results = await Promise.all(handles.map((handle) => handle.result()));
        assert.deepEqual(results, Array(EXECUTIONS).fill(STEPS));
        await worker.says('event reconnected');
        assert.equal(await client.executeWorkflow('steps', 1), 1);
        assert.deepEqual(
          [count('event disconnected'), count('event reconnected'), count('event start')],
          [1, 1, 1],
        );
        assert.equal(logged().filter((line) => !line.startsWith('log info')).length, 1, logged().join('\n'));
        assert.match(
          logged()[0],
          /^log warn the server cannot be polled for \w+, trying again until it can: /,
        );
        assert.match(logged()[1], /^log info the server can be polled again, after \d+ s$/);
        worker.signal('SIGTERM');
        assert.equal(await worker.exit, 0);
        assert.ok(worker.lines.includes('event stop 0 0'));
      } finally {
        worker.kill();
        await client.stop();
        await server.kill();
        rmSync(data, { recursive: true, force: true });
      }
    },
  );
}

async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
