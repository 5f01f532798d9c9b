import { FlovynClient } from '@flovyn/sdk';

import './cases/work.mjs';
import './cases/code.mjs';
import './cases/ends.mjs';
import './cases/order.mjs';
import './cases/signals.mjs';
import './cases/children.mjs';
import './cases/cancellation.mjs';
import './cases/patches.mjs';
import './cases/streaming.mjs';
import './cases/borders.mjs';
import './cases/program.mjs';
import { ledger } from './order/ledger.js';
import { tasks as orderTasks } from './order/tasks.js';
import { processOrder } from './order/workflows.js';
import { programTasks } from './program/index.js';
import { playRows } from './semantics.mjs';
import { suite, tasks } from './tools.mjs';

/*
 * What every runtime must do alike, embedded and against a server. No import of any runtime: an adapter per runtime calls
 * `runConformance` and prints what it reports.
 */

/**
 * Runs the cases with one client.
 *
 * @param {object} options of FlovynClient: `{ embedded: true }`, or where the server is and its keys; and `extent` and
 *   `lacks`, which say which of the cases (see `Suite.run`)
 * @param {(outcome: object) => void} report is given `{ name, ok, ms, error? }` per case, and `{ done }` at the end
 */
export async function runConformance({ extent, lacks, ...options }, report) {
  ledger.latencyMs = 1;
  const client = new FlovynClient({ queue: `conformance-${globalThis.crypto.randomUUID()}`, ...options });
  for (const definition of [...suite.workflows, processOrder]) client.registerWorkflow(definition);
  for (const definition of [...tasks, ...orderTasks, ...programTasks]) client.registerTask(definition);
  await client.start();
  let done;
  try {
    const replays = options.workflowWorkerOptions?.alwaysReplay === true;
    done = await suite.run(client, report, { extent, replays, lacks });
  } finally {
    await client.stop();
  }
  // They are played with claims, leases and kept executions.
  if (extent !== 'one of each' && lacks === undefined) done += await playRows(options, report);
  report({ done });
}
