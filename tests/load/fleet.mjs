import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FlovynClient } from '@flovyn/sdk';

import { startServer } from '../support/server.mjs';

const program = new URL('./worker.mjs', import.meta.url);

/** A server, a client, and worker processes, in a folder that is removed at the end. */
export class Fleet {
  #folder = mkdtempSync(join(tmpdir(), 'flovyn-load-'));
  #workers = new Set();
  #started = 0;

  /** @param {{ leaseMs?: number, concurrent: number, graceMs?: number }} options */
  constructor(options) {
    this.options = options;
    this.ledger = join(this.#folder, 'ledger');
    mkdirSync(this.ledger);
  }

  async start() {
    this.server = await startServer({ data: join(this.#folder, 'data'), leaseMs: this.options.leaseMs });
    const { url: serverUrl, orgId, apiKey } = this.server;
    this.client = new FlovynClient({ serverUrl, orgId, apiKey, queue: 'load' });
    await this.client.start();
  }

  /** All of them, also those that do not work yet. */
  get workers() {
    return [...this.#workers];
  }

  /** Starts a worker and waits until it claims work. */
  async addWorker() {
    this.#started += 1;
    const child = fork(program, {
      env: {
        ...process.env,
        LEDGER: join(this.ledger, String(this.#started)),
        SERVER_URL: this.server.url,
        ORG_ID: this.server.orgId,
        WORKER_TOKEN: this.server.workerKey,
        CONCURRENT: String(this.options.concurrent),
        GRACE_MS: String(this.options.graceMs ?? 10_000),
      },
      execArgv: ['--expose-gc'],
    });
    // What it has sent has come when it is disconnected, which may be after its exit.
    const exited = Promise.all([once(child, 'exit'), once(child, 'disconnect')]).then(([exit]) => exit);
    const worker = { pid: child.pid, child, exited };
    child.on('message', (message) => {
      if (message.type === 'stopped') worker.stopped = message;
    });
    this.#workers.add(worker);
    void worker.exited.then(() => this.#workers.delete(worker));
    const ended = worker.exited.then(() => Promise.reject(new Error('a worker ended before it was ready')));
    ended.catch(() => {});
    await Promise.race([once(child, 'message'), ended]);
    worker.isReady = true;
    return worker;
  }

  /** Ends everything. */
  async close() {
    for (const { child } of this.#workers) child.kill('SIGKILL');
    await this.client?.stop();
    await this.server?.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The events of an execution, as the server has them. */
  async events(executionId) {
    const { url, orgSlug, apiKey } = this.server;
    const path = `${url}/api/orgs/${orgSlug}/workflow-executions/${executionId}/events`;
    const answer = await fetch(path, { headers: { authorization: `Bearer ${apiKey}` } });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
    return (await answer.json()).events;
  }
}

/** Memory and metrics of a worker, after a collection of its garbage. */
export async function sample({ child }) {
  child.send('sample');
  const [message] = await once(child, 'message');
  return message;
}

/**
 * Keeps executions under way until `stop`: as soon as one has ended the next is started. `ended` are the ids and results
 * of those that have, `failed` those that ended otherwise.
 */
export class Traffic {
  ended = new Map();
  failed = [];
  longestMs = 0;
  #stopped = false;
  #lanes;

  constructor(client, definition, lanes, { total = Number.POSITIVE_INFINITY, onEnd = () => {} } = {}) {
    let left = total;
    const lane = async () => {
      while (!this.#stopped && left > 0) {
        left -= 1;
        const startedMs = performance.now();
        const { handle } = await client.startWorkflow(definition, left);
        const { workflowId } = handle;
        await handle.result().then(
          (result) => this.ended.set(workflowId, result),
          (error) => this.failed.push(`${workflowId}: ${error.message}`),
        );
        this.longestMs = Math.max(this.longestMs, performance.now() - startedMs);
        onEnd(this.ended.size);
      }
    };
    this.#lanes = Promise.all(Array.from({ length: lanes }, lane));
  }

  /** Starts nothing more, and waits for what is under way. */
  async stop() {
    this.#stopped = true;
    await this.#lanes;
  }

  /** Resolves when all are done. */
  async done() {
    await this.#lanes;
  }
}
