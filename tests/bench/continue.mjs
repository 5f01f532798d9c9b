import { EmbeddedTransport, FlovynClient, workflow } from '@flovyn/sdk';

const EVENTS = 10_000;

/** Takes signals one after the other, for ever. */
const taking = workflow({
  name: 'taking',
  run: async (ctx) => {
    for (;;) await ctx.waitForSignal('more');
  },
});

/** Resolves when the activation that the signal led to is over. */
async function idle(client) {
  do await new Promise((resolve) => setImmediate(resolve));
  while (client.getActiveWorkflowExecutions().length > 0);
}

async function withClient(transport, workflowWorkerOptions, use) {
  const client = new FlovynClient({ transport, workflowWorkerOptions });
  client.registerWorkflow(taking);
  await client.start();
  try {
    await use(client);
  } finally {
    await client.stop();
  }
}

async function send(client, id) {
  const sequence = await client.signalWorkflow(id, 'more', null);
  await idle(client);
  return sequence;
}

/**
 * What one more signal costs: CPU of this process, which is worker, engine and the client that sends the signal, and the
 * time from the signal to the suspension after it.
 */
async function measure(name, client, id, signals) {
  const [cpu, started] = [process.cpuUsage(), performance.now()];
  for (let count = 0; count < signals; count += 1) await send(client, id);
  const { user, system } = process.cpuUsage(cpu);
  const cpuMs = ((user + system) / 1_000 / signals).toFixed(2);
  const ms = ((performance.now() - started) / signals).toFixed(2);
  console.log(`one more signal after ${EVENTS} events, ${name}: ${cpuMs} ms of CPU, ${ms} ms in all`);
}

const transport = new EmbeddedTransport();
let id;
await withClient(transport, {}, async (client) => {
  id = (await client.startWorkflow(taking)).handle.workflowId;
  // Each signal leaves two events, its own and the suspension after it.
  while ((await send(client, id)) < EVENTS);
  await measure('kept in memory', client, id, 500);
});
await withClient(transport, { alwaysReplay: true }, (client) => measure('replayed', client, id, 10));
await transport.close();
