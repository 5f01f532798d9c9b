import { bold } from './lib/paint.mjs';
import {
  ensureBrowser,
  ensureBuilt,
  ensurePackages,
  ensureServer,
  ensureWasmTarget,
} from './lib/prepare.mjs';
import { StepFailed } from './lib/run.mjs';
import { failedRow, printSummary, runSuite, skipSuite } from './lib/suite-run.mjs';
import { suites } from './lib/suites.mjs';

/**
 * Runs the test suites and prints a table and the total. Needs nothing but rustup and Node: it prepares the machine
 * first.
 *
 * `--quick` runs the suites of `npm run verify`; any other arguments are names of the suites to run.
 */
const quick = process.argv.includes('--quick');
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = names.filter((name) => !suites.some((suite) => suite.name === name));
if (unknown.length > 0) {
  const known = suites.map((suite) => suite.name).join(', ');
  console.error(`There is no suite ${unknown.join(', ')}; there are ${known}`);
  process.exit(2);
}
const isChosen = (suite) => (names.length > 0 ? names.includes(suite.name) : !quick || suite.quick);
const chosen = suites.filter(isChosen);

const rows = [];
try {
  console.log(bold('Preparing'));
  await ensureWasmTarget();
  await ensurePackages('all');
  await ensureBuilt();
  const needs = { browser: browser(), server: server() };
  console.log(bold('\nTesting'));
  for (const suite of chosen) rows.push((await unmet(suite, needs)) ?? (await runSuite(suite)));
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  rows.push(failedRow('preparation', error.message));
}
const total = printSummary(rows);
process.exitCode = total.failed > 0 ? 1 : 0;

/** Provides what a suite needs beside the build, once for all suites. Gives the row of a suite that cannot be run. */
async function unmet(suite, needs) {
  for (const need of suite.needs) {
    const row = await needs[need](suite);
    if (row) return row;
  }
  return undefined;
}

function browser() {
  const reason = once(ensureBrowser);
  return async (suite) => ((await reason()) ? skipSuite(suite, await reason()) : undefined);
}

function server() {
  const failure = once(async () => {
    try {
      process.env.FLOVYN_SERVER_BIN = await ensureServer();
      return undefined;
    } catch (error) {
      return error;
    }
  });
  return async (suite) => ((await failure()) ? failedRow(suite.name, (await failure()).message) : undefined);
}

function once(provide) {
  let provided;
  return () => {
    provided ??= provide();
    return provided;
  };
}
