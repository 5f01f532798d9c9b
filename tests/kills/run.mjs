import { fork } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { FlovynClient } from '@flovyn/sdk';
import { freePort, startServer } from '../support/server.mjs';
import { normalise, recordedSteps } from './history.mjs';
import { serverPoints, workerPoints } from './points.mjs';
import { startProxy } from './proxy.mjs';
import { killable } from './workflow.mjs';

const LEASE_MS = 1_000;
const RUN_LIMIT_MS = 60_000;
/** More than a poll answer carries, so that the rest of the history comes by GetEvents. */
const BULK = 'x'.repeat(1_500_000);

/** One run of the workflow in its own folder, with at most one kill. */
class Run {
  constructor(victim, point) {
    this.victim = victim;
    this.point = point;
    /** The events read so far. */
    this.history = [];
    this.recorded = [];
    this.runsAtKill = [];
    this.workers = new Set();
  }

  async execute() {
    this.folder = await mkdtemp(path.join(tmpdir(), 'flovyn-kills-'));
    this.ledger = path.join(this.folder, 'ledger');
    this.port = await freePort();
    try {
      this.server = await this.startServer();
      this.proxy = await startProxy({
        upstreamPort: this.port,
        point: this.point,
        onHit: (call) => this.kill(call),
      });
      this.startWorker();
      const events = await this.drive();
      this.runs = await this.readLedger();
      return events;
    } finally {
      for (const worker of this.workers) worker.kill('SIGKILL');
      await this.proxy?.close();
      await this.server?.kill();
      await rm(this.folder, { recursive: true, force: true });
    }
  }

  startServer() {
    return startServer({ port: this.port, data: path.join(this.folder, 'data'), leaseMs: LEASE_MS });
  }

  startWorker() {
    const worker = fork(new URL('./worker.mjs', import.meta.url), {
      env: {
        ...process.env,
        LEDGER: this.ledger,
        SERVER_URL: this.proxy.url,
        ORG_ID: this.server.orgId,
        WORKER_TOKEN: this.server.workerKey,
      },
      stdio: process.env.VERBOSE ? 'inherit' : 'ignore',
    });
    this.workers.add(worker);
    this.worker = worker;
  }

  async kill(call) {
    this.hit = call;
    // The worker stands still first, so that the ledger and the history show one moment.
    this.worker.kill('SIGSTOP');
    this.recorded = recordedSteps(await this.events());
    this.runsAtKill = await this.readLedger();
    if (this.victim === 'worker') {
      this.worker.kill('SIGKILL');
      this.startWorker();
    } else {
      await this.server.kill();
      this.server = await this.startServer();
      this.worker.kill('SIGCONT');
    }
  }

  /** Starts the workflow, approves when it asks, and gives its history when it has ended. */
  async drive() {
    const client = new FlovynClient({
      serverUrl: this.proxy.url,
      orgId: this.server.orgId,
      apiKey: this.server.apiKey,
      queue: 'kills',
    });
    await client.start();
    try {
      return await this.#follow(client);
    } finally {
      await client.stop();
    }
  }

  async #follow(client) {
    const { handle } = await client.startWorkflow(killable, { bulk: BULK });
    this.executionId = handle.workflowId;
    // Waits beside everything else, so that AwaitResult is among the calls.
    const result = handle.result();
    result.catch(() => {});
    const deadline = Date.now() + RUN_LIMIT_MS;
    let approved = false;
    for (;;) {
      const events = await this.events().catch(() => []);
      if (events.some(({ eventType }) => eventType === 'WORKFLOW_COMPLETED')) {
        await result;
        return events;
      }
      const failed = events.find(({ eventType }) => eventType === 'WORKFLOW_EXECUTION_FAILED');
      if (failed) throw new Error(`the execution failed: ${JSON.stringify(failed.data)}`);
      const promise = events.find(({ eventType }) => eventType === 'PROMISE_CREATED');
      if (promise && !approved) {
        approved = await client.resolvePromise(promise.data.promiseId, { by: 'alice' }).then(
          () => true,
          () => false,
        );
      }
      if (Date.now() > deadline) {
        throw new Error(
          `not ended after ${RUN_LIMIT_MS} ms; last events: ${JSON.stringify(events.slice(-3)).slice(0, 600)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async events() {
    if (this.executionId === undefined) return [];
    const execution = `http://127.0.0.1:${this.port}/api/orgs/${this.server.orgSlug}/workflow-executions/${this.executionId}`;
    // Only what is new: the bulk is read again and again otherwise, and the proxies in this process stand still meanwhile.
    const url = `${execution}/events?sinceSequence=${this.history.length}`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${this.server.apiKey}` } });
    if (!answer.ok) throw new Error(`GET events: ${answer.status}`);
    for (const event of (await answer.json()).events) this.history[event.sequence - 1] = event;
    return [...this.history];
  }

  async readLedger() {
    const text = await readFile(this.ledger, 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean);
  }
}

function count(list) {
  const counts = {};
  for (const item of list) counts[item] = (counts[item] ?? 0) + 1;
  return counts;
}

/** What is wrong with a disturbed run, or undefined. */
async function findFault(run, expected) {
  const events = await run.execute();
  if (!run.proxy.wasHit()) return 'the call never came';
  const history = normalise(events);
  const at = history.findIndex((event, index) => !isDeepStrictEqual(event, expected[index]));
  if (at >= 0 || history.length !== expected.length) {
    const index = at < 0 ? expected.length : at;
    return `the history differs at event ${index + 1}: expected ${brief(expected[index])}, got ${brief(history[index])}`;
  }
  const [before, after] = [count(run.runsAtKill), count(run.runs)];
  const again = run.recorded.filter((step) => after[step] !== before[step]);
  return again.length > 0 ? `ran again although recorded: ${again.join(', ')}` : undefined;
}

function brief(event) {
  return (JSON.stringify(event) ?? 'nothing').slice(0, 300);
}

async function main() {
  const undisturbed = new Run('nobody');
  const expected = normalise(await undisturbed.execute());
  console.log(`undisturbed: ${expected.length} events, ${undisturbed.proxy.calls.length} calls`);
  const queue = [
    ...workerPoints.map((point) => ({ victim: 'worker', point })),
    ...serverPoints.map((point) => ({ victim: 'server', point })),
  ];
  const total = queue.length;
  let failed = 0;
  // Two at a time: each run mostly waits for leases and restarts.
  await Promise.all(
    [1, 2].map(async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        if (!(await report(next, expected))) failed += 1;
      }
    }),
  );
  console.log(`${total - failed} passed, ${failed} failed, 0 skipped`);
  process.exitCode = failed === 0 ? 0 : 1;
}

async function report({ victim, point }, expected) {
  const run = new Run(victim, point);
  const started = Date.now();
  const fault = await findFault(run, expected).catch((error) => error.message);
  const call = `${point.method} #${point.occurrence}`;
  const where = run.hit ? ` (call ${run.hit.number})` : '';
  const verdict = fault ? `FAILED: ${fault}` : 'ok';
  console.log(
    `kill -9 ${victim}  ${point.moment.padEnd(12)} ${call}${where}  ${Date.now() - started} ms  ${verdict}`,
  );
  return fault === undefined;
}

await main();
