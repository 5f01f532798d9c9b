import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EMBEDDED_ORG_ID, EmbeddedTransport, GrpcWebTransport } from '@flovyn/sdk';
import { checkEveryPrefix } from '@flovyn/sdk/testing';

import { LEASE_MS, rows } from '../conformance/semantics.mjs';
import { Stage } from '../conformance/stage.mjs';
import { differenceFromPrefix, differenceFromReplay } from '../support/rerun.mjs';
import { startServer } from '../support/server.mjs';
import { Isolates } from './isolates.mjs';

/**
 * Plays every row of semantics.mjs in every mode, on the embedded engine and on the server, and prints which cell of
 * that table failed. An argument chooses the rows whose name contains it.
 *
 * live         each activation replays the history and goes on
 * cached       the execution stays in the worker's memory
 * killed       the worker is in an isolate of its own, which is ended after each submission; a fresh one goes on
 * full replay  the whole history, after each of the three: it ends alike and asks for nothing new
 * prefix       each submission of the three, made anew from the events that the worker held
 * every prefix the same by what the testing kit finds out from the history alone
 */
const MODES = { live: 'replaying', cached: 'cached', killed: 'killed' };
const CELLS = [...Object.keys(MODES), 'full replay', 'prefix', 'every prefix'];
/** Rows mostly wait for each other's timers and leases. */
const AT_ONCE = 6;
// Handles that nobody awaits may be rejected: the clients listen for that.
process.on('rejectionHandled', () => {});

const A_DAY_MS = 24 * 60 * 60 * 1000;

/** Gives the text of what is wrong with each cell of a row, for those where something is. */
async function playRow(row, { isolates, ...place }) {
  const faults = new Map();
  const trying = async (cell, work) => {
    try {
      return await work();
    } catch (error) {
      faults.set(cell, `${faults.has(cell) ? `${faults.get(cell)}; ` : ''}${error.message}`);
      return undefined;
    }
  };
  for (const [cell, mode] of Object.entries(MODES)) {
    const stage = new Stage(row, mode === 'killed' ? { ...place, isolates } : place, mode);
    await trying(cell, () => stage.play());
    if (stage.history === undefined) {
      for (const other of ['full replay', 'prefix', 'every prefix'])
        faults.set(other, `${cell} gave no history`);
      continue;
    }
    const { executionId, definition, history, submissions } = stage;
    const events = history.map(({ sequence, type, data }) => ({
      sequence,
      eventType: type,
      data: JSON.stringify(data),
    }));
    await trying('full replay', async () => {
      const taskTimeMs = Date.now() + A_DAY_MS;
      refuse(cell, await differenceFromReplay({ definition, executionId, events, taskTimeMs }));
    });
    await trying('every prefix', () =>
      checkEveryPrefix(definition, { workflowExecutionId: executionId, events }),
    );
    for (const submission of submissions) {
      const given = { definition: submission.definition, executionId, events, submission };
      await trying('prefix', async () => refuse(cell, await differenceFromPrefix(given)));
    }
  }
  return faults;
}

function refuse(mode, difference) {
  if (difference === undefined) return;
  const { expected, got } = difference;
  throw new Error(`after ${mode}: expected ${expected.join(', ')}; got ${got.join(', ')}`);
}

async function playAll(where, place) {
  const chosen = rows.filter(({ name }) => name.includes(process.argv[2] ?? ''));
  const queue = [...chosen];
  const count = { passed: 0, failed: 0 };
  const lane = async () => {
    for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
      const faults = await playRow(row, place);
      count.failed += faults.size;
      count.passed += CELLS.length - faults.size;
      for (const [cell, text] of faults) console.log(`failed ${where}, ${cell}: ${row.name}\n    ${text}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  console.log(`${where}: ${chosen.length} rows, ${count.passed} of ${count.passed + count.failed} cells`);
  return count;
}

async function embedded() {
  const transport = new EmbeddedTransport({ leaseMs: LEASE_MS });
  try {
    return await playAll('embedded', { transport, orgId: EMBEDDED_ORG_ID, isolates });
  } finally {
    await transport.close();
  }
}

async function onServer() {
  const data = await mkdtemp(join(tmpdir(), 'flovyn-semantics-'));
  const server = await startServer({ data, leaseMs: LEASE_MS });
  const transport = new GrpcWebTransport({ serverUrl: server.url, token: server.apiKey });
  try {
    return await playAll('server', { transport, orgId: server.orgId, isolates });
  } finally {
    await transport.close();
    await server.stop();
    await rm(data, { recursive: true, force: true });
  }
}

const isolates = new Isolates();
const [first, second] = [await embedded(), await onServer()];
await isolates.close();
const failed = first.failed + second.failed;
console.log(`${first.passed + second.passed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed > 0 ? 1 : 0;
