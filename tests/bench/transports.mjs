import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createTransport, FlovynClient } from '@flovyn/sdk';
import { startServer } from '../support/server.mjs';

/** One small unary call over each transport: calls per second, and what one costs this process in CPU. */
const KINDS = ['fetch', 'http', 'http2'];
const CONCURRENCIES = [1, 10, 50];
const METHOD = '/flovyn.v1.WorkflowDispatch/GetEvents';
const WARM_UP_MS = 500;
const MEASURE_MS = Number(process.argv[2] ?? 2_000);

await withLoopback(async ({ web, native }) => {
  const urlOf = (kind) => `http://127.0.0.1:${kind === 'http2' ? native : web}`;
  await table('a trivial loopback server', (kind) =>
    createTransport({ serverUrl: urlOf(kind), transport: kind }),
  );
});
await withFlovyn(async (options, request) => {
  await table('flovyn-server', (kind) => createTransport({ ...options, transport: kind }), request);
});

async function table(title, open, request = new Uint8Array()) {
  console.log(`GetEvents of ${title}: calls/s and CPU ms per call of the client`);
  console.log(`${'concurrency'.padEnd(14)}${KINDS.map((kind) => kind.padStart(20)).join('')}`);
  for (const concurrency of CONCURRENCIES) {
    const cells = [];
    for (const kind of KINDS) {
      const transport = open(kind);
      await measure(transport, request, concurrency, WARM_UP_MS);
      const { perSecond, cpuMs } = await measure(transport, request, concurrency, MEASURE_MS);
      await transport.close();
      cells.push(`${perSecond.toFixed(0)}/s ${cpuMs.toFixed(3)} ms`.padStart(20));
    }
    console.log(`${String(concurrency).padEnd(14)}${cells.join('')}`);
  }
}

async function measure(transport, request, concurrency, forMs) {
  const options = { deadlineMs: 30_000 };
  const started = performance.now();
  const cpuBefore = process.cpuUsage();
  let calls = 0;
  const lane = async () => {
    while (performance.now() - started < forMs) {
      await transport.unary(METHOD, request, options);
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  const { user, system } = process.cpuUsage(cpuBefore);
  const seconds = (performance.now() - started) / 1_000;
  return { perSecond: calls / seconds, cpuMs: (user + system) / 1_000 / calls };
}

async function withLoopback(use) {
  const program = fileURLToPath(new URL('./loopback.mjs', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  try {
    await use(JSON.parse(line));
  } finally {
    child.stdin.end();
    await once(child, 'exit');
  }
}

async function withFlovyn(use) {
  const data = await mkdtemp(path.join(tmpdir(), 'flovyn-bench-'));
  const server = await startServer({ data });
  try {
    const place = { serverUrl: server.url, orgId: server.orgId };
    const client = new FlovynClient({ ...place, apiKey: server.apiKey });
    await client.start();
    const { handle } = await client.startWorkflow('nothing-runs-it');
    await client.stop();
    const id = Buffer.from(handle.workflowId);
    const request = Buffer.concat([Buffer.from([0x0a, id.length]), id]);
    await use({ serverUrl: server.url, token: server.workerKey }, request);
  } finally {
    await server.stop();
    await rm(data, { recursive: true, force: true });
  }
}
