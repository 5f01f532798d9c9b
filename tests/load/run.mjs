import { kills } from './kills.mjs';
import { memory } from './memory.mjs';
import { shutdown } from './shutdown.mjs';

/**
 * Puts workers under load and looks whether anything is lost or doubled.
 *
 * `node tests/load/run.mjs [kills] [memory] [shutdown] [--smoke]`: all three unless some are named; `--smoke` is a few
 * seconds of each. Set FLOVYN_SERVER_BIN to a release build of the server.
 */
const PROGRAMS = {
  kills: {
    run: kills,
    full: { workers: 50, concurrent: 20, seconds: 120, killEveryMs: 1_500, leaseMs: 20_000 },
    smoke: { workers: 3, concurrent: 5, seconds: 4, killEveryMs: 1_000, leaseMs: 3_000 },
  },
  memory: { run: memory, full: { executions: 100_000 }, smoke: { executions: 400 } },
  shutdown: {
    run: shutdown,
    full: { shutdowns: 40, concurrent: 20, graceMs: 10_000 },
    smoke: { shutdowns: 4, concurrent: 5, graceMs: 10_000 },
  },
};
const SHOWN = 20;

const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const extent = process.argv.includes('--smoke') ? 'smoke' : 'full';
const names = named.length > 0 ? named : Object.keys(PROGRAMS);
const unknown = names.find((name) => !(name in PROGRAMS));
if (unknown !== undefined)
  throw new Error(`There is no ${unknown}; there are ${Object.keys(PROGRAMS).join(', ')}`);
let failed = 0;
for (const name of names) {
  const { run, ...options } = PROGRAMS[name];
  const { lines, faults } = await run(options[extent]);
  for (const line of lines) console.log(`${name}: ${line}`);
  for (const fault of faults.slice(0, SHOWN)) console.log(`${name} FAILED: ${fault}`);
  if (faults.length > 0) failed += 1;
}
console.log(`${names.length - failed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed === 0 ? 0 : 1;
