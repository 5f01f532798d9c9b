import { bold } from './lib/paint.mjs';
import { ensureBrowser, ensureBuilt, ensurePackages, ensureWasmTarget } from './lib/prepare.mjs';
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
const chosen = suites.filter((suite) => (names.length > 0 ? names.includes(suite.name) : !quick || suite.quick));
if (chosen.length === 0) {
  console.error(`No suite is called ${names.join(' ')}. There are: ${suites.map((suite) => suite.name).join(', ')}`);
  process.exit(2);
}

const rows = [];
try {
  console.log(bold('Preparing'));
  await ensureWasmTarget();
  await ensurePackages('all');
  const noBrowser = chosen.some((suite) => suite.needs === 'browser') ? await ensureBrowser() : undefined;
  await ensureBuilt();

  console.log(bold('\nTesting'));
  for (const suite of chosen) {
    const isOut = suite.needs === 'browser' && noBrowser;
    rows.push(isOut ? skipSuite(suite, noBrowser) : await runSuite(suite));
  }
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  rows.push(failedRow('preparation', error.message));
}
const total = printSummary(rows);
process.exitCode = total.failed > 0 ? 1 : 0;
