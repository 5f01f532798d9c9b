import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { FlovynClient, silentLogger, task, Worker, workflow } from '@flovyn/sdk';

import { startServer } from '../support/server.mjs';

const EXECUTIONS = 5;
const STEPS = 3;
/** What each execution may cost in requests: an activation and an attempt per step, each with a poll of its own. */
const REQUESTS = EXECUTIONS * (STEPS + 1) * 4;
const LIMIT = { timeout: 60_000 };

const add = task({ name: 'add', run: async (_ctx, n) => n + 1 });
const count = workflow({
  name: 'count',
  run: async (ctx) => {
    let n = 0;
    for (let step = 0; step < STEPS; step += 1) n = await ctx.task(add, n);
    return n;
  },
});

for (const extensions of [true, false]) {
  test(`a worker that drains ends what is ready on a server, extensions: ${extensions}`, LIMIT, async () => {
    const data = mkdtempSync(join(tmpdir(), 'flovyn-drain-'));
    const server = await startServer({ data });
    const connection = { serverUrl: server.url, orgId: server.orgId, logger: silentLogger };
    const client = new FlovynClient({ ...connection, apiKey: server.apiKey });
    const definitions = { workflows: [count], tasks: [add] };
    const worker = new Worker({ ...connection, ...definitions, workerToken: server.workerKey, extensions });
    try {
      await client.start();
      const starts = Array.from({ length: EXECUTIONS }, () => client.startWorkflow(count));
      const started = await Promise.all(starts);
      const first = await worker.drain({ maxActivations: 4 });
      assert.deepEqual([first.end, first.activations + first.attempts], ['maxActivations', 4]);
      const second = await worker.drain({ maxMs: 30_000, maxRequests: 10 });
      assert.ok(second.requests <= 10, `${second.requests} requests`);
      assert.equal(second.end, 'maxRequests');
      const third = await worker.drain({ maxMs: 30_000, maxRequests: REQUESTS });
      assert.equal(third.end, 'idle');
      const results = await Promise.all(started.map(({ handle }) => handle.result()));
      assert.deepEqual(results, Array(EXECUTIONS).fill(STEPS));
      const attempts = first.attempts + second.attempts + third.attempts;
      assert.equal(attempts, EXECUTIONS * STEPS, 'nothing ran twice');
      assert.equal(await worker.runOnce(), false);
    } finally {
      await worker.shutdown();
      await client.stop();
      await server.stop();
      rmSync(data, { recursive: true, force: true });
    }
  });
}
