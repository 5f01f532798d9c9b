import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { Duration, FlovynClient, task, workflow } from '@flovyn/sdk';
import { freePort, startServer } from '../support/server.mjs';
import { readServerSentEvents } from './server-sent-events.mjs';

/** What tasks tell reaches those who watch, over every way there is, through a real server. */
let [data, port, server, client, gates, warnings] = [];

const TOKENS = Array.from({ length: 200 }, (_, index) => `${index} `);

/** Streams half of its tokens, waits until it is let on, and streams the other half. */
const narrator = task({
  name: 'narrator',
  run: async (ctx, name) => {
    for (const token of TOKENS.slice(0, 100)) await ctx.streamToken(token);
    await gates.get(name)?.promise;
    for (const token of TOKENS.slice(100)) await ctx.streamToken(token);
    await ctx.streamData({ name });
    return name;
  },
});
const telling = workflow({ name: 'telling', run: (ctx, name) => ctx.task(narrator, name) });

const keeper = task({
  name: 'keeper',
  retry: { maxRetries: 2, initialDelay: Duration.milliseconds(1) },
  run: async (ctx) => {
    const seen = (await ctx.state.get('seen')) ?? 0;
    await ctx.state.set('seen', seen + 1);
    gates.get('set').open();
    await gates.get('keeper')?.promise;
    if (ctx.attempt === 1) throw new Error('again');
    return seen;
  },
});
const keeping = workflow({ name: 'keeping', run: (ctx) => ctx.task(keeper) });

before(async () => {
  data = await mkdtemp(path.join(tmpdir(), 'flovyn-streams-'));
  port = await freePort();
  server = await startServer({ port, data });
});

after(async () => {
  await server.stop();
  await rm(data, { recursive: true, force: true });
});

beforeEach(async () => {
  gates = new Map();
  warnings = [];
  const warn = (message) => warnings.push(message);
  client = new FlovynClient({
    serverUrl: server.url,
    orgId: server.orgId,
    apiKey: server.apiKey,
    workerToken: server.workerKey,
    logger: { debug() {}, info() {}, warn, error: warn },
  });
  for (const definition of [telling, keeping]) client.registerWorkflow(definition);
  for (const definition of [narrator, keeper]) client.registerTask(definition);
  await client.start();
});

afterEach(() => client.stop());

function gate(name) {
  let open;
  const promise = new Promise((resolve) => {
    open = resolve;
  });
  gates.set(name, { promise, open });
  return open;
}

test('a reader hears a task while it runs, and what it missed', async () => {
  const open = gate('live');
  const { handle } = await client.startWorkflow(telling, 'live');
  const heard = [];
  for await (const event of handle.stream()) {
    heard.push(event);
    if (heard.length === 100) open();
  }
  assert.deepEqual(
    heard.map((event) => event.text ?? event.data),
    [...TOKENS, { name: 'live' }],
  );
  assert.equal(await handle, 'live');
  const missed = [];
  for await (const event of handle.stream({ afterSequence: heard[150].sequence })) missed.push(event);
  assert.deepEqual(missed, heard.slice(151));
  const ofTask = [];
  for await (const event of client.streamTask(heard[0].taskExecutionId))
    ofTask.push(event.text ?? event.data);
  assert.deepEqual(
    ofTask,
    heard.map((event) => event.text ?? event.data),
  );
  assert.deepEqual(warnings, []);
});

test('the same is read as server-sent events', async () => {
  const { handle } = await client.startWorkflow(telling, 'sse');
  await handle;
  const url = `${server.url}/api/orgs/${server.orgSlug}/workflow-executions/${handle.workflowId}/stream`;
  const headers = { authorization: `Bearer ${server.apiKey}` };
  const events = await readServerSentEvents(url, { headers }, (all) => all.some(isLast));
  const tokens = events.filter(({ event }) => event === 'token').map(({ data }) => JSON.parse(data).text);
  assert.deepEqual(tokens, TOKENS);
  assert.deepEqual(JSON.parse(events.find(isLast).data).data, { name: 'sse' });
  const ids = events.map(({ id }) => Number(id));
  assert.deepEqual(
    ids,
    [...ids].sort((a, b) => a - b),
  );
  const from = events.filter(({ event }) => event === 'token')[150];
  const resumed = { ...headers, 'last-event-id': from.id };
  const rest = await readServerSentEvents(url, { headers: resumed }, (all) => all.some(isLast));
  assert.deepEqual(rest, events.slice(events.indexOf(from) + 1, events.indexOf(from) + 1 + rest.length));
});

const isLast = ({ event, data }) => event === 'data' && JSON.parse(data).data?.name !== undefined;

test('a reader outlives a restart of the server, and so does the task', async () => {
  const open = gate('restart');
  const { handle } = await client.startWorkflow(telling, 'restart');
  const heard = [];
  for await (const event of handle.stream()) {
    heard.push(event.text ?? event.data);
    if (heard.length === 100) {
      await server.kill();
      server = await startServer({ port, data });
      open();
    }
  }
  assert.equal(await handle, 'restart');
  // What the server had only in memory is lost with it; what came after it is there.
  assert.deepEqual(heard.slice(0, 100), TOKENS.slice(0, 100));
  assert.deepEqual(heard.at(-1), { name: 'restart' });
});

test('the state of a task survives the server', async () => {
  const open = gate('keeper');
  gate('set');
  const { handle } = await client.startWorkflow(keeping);
  await gates.get('set').promise;
  await server.kill();
  server = await startServer({ port, data });
  open();
  assert.equal(await handle, 1);
});
