import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { buildTrapping } from '../../scripts/lib/wasm.mjs';
import { startServer } from '../support/server.mjs';

/** A real panic in a real wasm: the SDK on a core in which this name traps. */
const TRAP = 'trap-test';
let sdk;

before(async () => {
  const folder = await buildTrapping();
  sdk = await import(pathToFileURL(path.join(folder, 'entry/node.js')).href);
});

function recorder() {
  const lines = [];
  const note = (...args) => lines.push(args.map(String).join(' '));
  return { lines, logger: { debug() {}, info() {}, warn: note, error: note } };
}

test('a trap in an activation parks that execution, and all others go on in a new instance', async () => {
  const data = await mkdtemp(path.join(tmpdir(), 'flovyn-traps-'));
  const server = await startServer({ data });
  const { lines, logger } = recorder();
  let traps = 0;
  const work = sdk.task({ name: 'work', run: async (_ctx, input) => input + 1 });
  const trapping = sdk.workflow({
    name: 'trapping',
    // The bug is gone the second time, as after a new deployment.
    run: async (ctx, input) => {
      traps += 1;
      return traps === 1 ? ctx.scheduleByName(TRAP, input) : ctx.schedule(work, input);
    },
  });
  let runsOfKept = 0;
  const kept = sdk.workflow({
    name: 'kept',
    run: (ctx) => {
      runsOfKept += 1;
      return ctx.promise('answer');
    },
  });
  const bystander = sdk.workflow({
    name: 'bystander',
    run: async (ctx, input) => {
      const first = await ctx.run('slow', () => gate.then(() => input));
      return ctx.schedule(work, first);
    },
  });
  let openGate;
  const gate = new Promise((resolve) => {
    openGate = resolve;
  });
  const client = new sdk.FlovynClient({
    serverUrl: server.url,
    orgId: server.orgId,
    apiKey: server.apiKey,
    workerToken: server.workerKey,
    logger,
  });
  client.registerWorkflow(trapping);
  client.registerWorkflow(bystander);
  client.registerWorkflow(kept);
  client.registerTask(work);
  await client.start();
  try {
    // Kept in memory between two activations when another one traps, and replayed then.
    const { handle: suspended } = await client.startWorkflow(kept, null);
    await until(() => client.getExecutionCacheMetrics().executions === 1);
    // In the middle of an activation when the other one traps.
    const { handle: open } = await client.startWorkflow(bystander, 1);
    const { handle } = await client.startWorkflow(trapping, 41);
    await until(() => lines.some((line) => line.includes(handle.workflowId)));
    assert.equal(client.getExecutionCacheMetrics().executions, 0);
    await client.resolvePromise(`${suspended.workflowId}:answer`, 'late');
    assert.equal(await suspended.result(), 'late');
    assert.equal(runsOfKept, 2);
    openGate();
    assert.equal(await open.result(), 2);
    assert.equal(await handle.result(), 42);
    const parked = lines.filter((line) => line.includes('parked'));
    assert.equal(parked.length, 1);
    assert.match(parked[0], new RegExp(`${handle.workflowId}.*trap`));
  } finally {
    await client.stop();
    await server.stop();
    await rm(data, { recursive: true, force: true });
  }
});

test('a trap in the embedded engine fails everybody who waits, and a new engine works', async () => {
  const { logger } = recorder();
  const waiting = sdk.workflow({ name: 'waiting', run: (ctx) => ctx.promise('never') });
  const hello = sdk.workflow({ name: 'hello', run: async () => 'hello' });
  const transport = new sdk.EmbeddedTransport({ logger });
  const client = new sdk.FlovynClient({ transport, logger });
  client.registerWorkflow(waiting);
  await client.start();
  const { handle } = await client.startWorkflow(waiting, null);
  const result = assert.rejects(handle.result(), { name: 'EngineFailed', code: 'ENGINE_FAILED' });
  await assert.rejects(transport.unary(TRAP, new Uint8Array()), { name: 'EngineFailed' });
  await result;
  await assert.rejects(client.startWorkflow(waiting, null), { name: 'EngineFailed' });
  await client.stop();

  const next = new sdk.FlovynClient({ embedded: true, logger });
  next.registerWorkflow(hello);
  await next.start();
  assert.equal(await next.executeWorkflow(hello, null), 'hello');
  await next.stop();
});

/** Waits for something that another part of this process brings about. */
async function until(condition) {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
