import { EMBEDDED_ORG_ID, EmbeddedTransport, GrpcWebTransport } from '@flovyn/sdk';

import { rows as changes } from './semantics/changes.mjs';
import { rows as flow } from './semantics/flow.mjs';
import { rows as verbs } from './semantics/verbs.mjs';
import { Stage } from './stage.mjs';

/**
 * What workflows may rely on, one row per promise that is easily broken: a workflow, a script of what happens to it, and
 * what must come of it. Each row is played in every mode of stage.mjs.
 *
 * @typedef {object} Row
 * @property {string} name
 * @property {(ctx: any, input: any, outside: { op: (name: string) => unknown }) => unknown} run the workflow function
 * @property {Record<string, Row['run']>} [children] other workflows, by name
 * @property {Record<string, Row['run']>} [codes] other codes of the same workflow, for `stage.deploy`
 * @property {string[]} [held] tasks and operations that wait until the script ends them; all others end at once
 * @property {string[]} [tasks] kinds of tasks beside those that every stage has
 * @property {(stage: import('./stage.mjs').Stage) => Promise<unknown>} [lands] what happens between the first claim and
 *   its submission
 * @property {(stage: import('./stage.mjs').Stage) => Promise<unknown>} [act] the script
 * @property {unknown} [gives] the result it must have
 * @property {RegExp} [fails] what its error must say
 * @property {true} [anyResult] it must complete, with whatever
 * @property {true} [cancelled] it must end as cancelled
 * @property {true} [neverEnds] it stays suspended
 * @property {string[]} [commands] what must be in its history in the end, and nothing more
 * @property {(stage: import('./stage.mjs').Stage) => void | Promise<void>} [then] what else must be true
 *
 * @type {Row[]}
 */
export const rows = [...flow, ...verbs, ...changes];

/** Rows mostly wait for timers and leases. A browser has connections for one: each has two clients that poll. */
const AT_ONCE = typeof document === 'object' ? 1 : 6;
/** What a worker had claimed when it was killed is offered again after this time. */
export const LEASE_MS = 3_000;

/**
 * Plays all rows in the mode that fits the options of a client, and gives each outcome to `report`. Gives how many there
 * were.
 *
 * @param {object} options `{ embedded: true }`, or where the server is and its keys
 * @param {(outcome: object) => void} report is given `{ name, ok, ms, error? }` per row
 */
export async function playRows(options, report) {
  const { embedded, serverUrl, apiKey, orgId = EMBEDDED_ORG_ID, workflowWorkerOptions } = options;
  const transport = embedded
    ? new EmbeddedTransport({ leaseMs: LEASE_MS })
    : new GrpcWebTransport({ serverUrl, token: apiKey });
  const mode = workflowWorkerOptions?.alwaysReplay === true ? 'replaying' : 'cached';
  const queue = [...rows];
  const lane = async () => {
    for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
      const started = Date.now();
      const play = new Stage(row, { transport, orgId }, mode).play();
      const error = await play.catch((thrown) => String(thrown?.stack ?? thrown));
      report({ name: row.name, ok: error === undefined, ms: Date.now() - started, ...(error && { error }) });
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  } finally {
    await transport.close();
  }
  return rows.length;
}
