import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { dim, green, red, yellow } from './paint.mjs';
import { add, parsers, tallyLine } from './parse.mjs';
import { cacheDir } from './paths.mjs';
import { run } from './run.mjs';

const SHOWN_LINES = 120;

/**
 * Runs one suite, keeps its whole output in `.cache/logs`, and shows the end of it when it failed.
 *
 * @param {import('./suites.mjs').Suite} suite
 * @returns {Promise<{ name: string, passed: number, failed: number, skipped: number, seconds: number, note: string }>}
 */
export async function runSuite(suite) {
  console.log(dim(`  ${suite.name} ...`));
  if (suite.reportFile) rmSync(suite.reportFile, { force: true });
  const { command, args, env, limitMs, name } = suite;
  const finished = await run(command, args, { label: name, limitMs, env });
  const logFile = keepLog(name, finished.output);

  const counted = parsers[suite.parse](finished, suite);
  const total = counted ?? { passed: 0, failed: 1, skipped: 0 };
  const note = finished.timedOut ? 'ran out of time' : counted ? '' : 'its output could not be counted';
  const row = { name, ...total, seconds: finished.ms / 1000, note };
  if (finished.timedOut && row.failed === 0) row.failed = 1;
  if (row.failed > 0) showEnd(finished.output, logFile);
  console.log(
    `  ${row.failed > 0 ? red(name) : green(name)}: ${tallyLine(row)} (${row.seconds.toFixed(1)} s) ${note}`,
  );
  return row;
}

/** A suite that this machine cannot run: skipped with the reason, which is a failure where CI runs it. */
export function skipSuite(suite, reason) {
  const isFailure = process.env.CI === 'true';
  console.log(`  ${yellow(suite.name)}: skipped, ${reason}`);
  return {
    name: suite.name,
    passed: 0,
    failed: isFailure ? 1 : 0,
    skipped: isFailure ? 0 : 1,
    seconds: 0,
    note: reason,
  };
}

/** The row of a step outside the suites that failed, with its output shown. */
export function failedRow(name, output) {
  showEnd(output, keepLog(name, output));
  return { name, passed: 0, failed: 1, skipped: 0, seconds: 0, note: 'could not be run' };
}

/** Prints the table of suites and, alone on the last line, the sum of them. */
export function printSummary(rows) {
  const width = Math.max(...rows.map((row) => row.name.length));
  const cells = (name, ...rest) =>
    `${name.padEnd(width)}  ${rest.map((cell) => String(cell).padStart(8)).join('')}`;
  console.log(`\n${cells('suite', 'passed', 'failed', 'skipped', 'seconds')}`);
  for (const row of rows) {
    const line = cells(row.name, row.passed, row.failed, row.skipped, row.seconds.toFixed(1));
    console.log(`${row.failed > 0 ? red(line) : line}${row.note ? `  ${row.note}` : ''}`);
  }
  const total = rows.reduce(add, { passed: 0, failed: 0, skipped: 0 });
  console.log(`\n${tallyLine(total)}`);
  return total;
}

function keepLog(name, output) {
  const folder = join(cacheDir, 'logs');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name.replaceAll(' ', '-')}.log`);
  writeFileSync(file, output);
  return file;
}

/** Lines are set off by a bar, so that a result line within them is not taken for the result of the whole. */
function showEnd(output, logFile) {
  const lines = output.trimEnd().split('\n');
  for (const line of lines.slice(-SHOWN_LINES)) console.log(`    | ${line}`);
  if (lines.length > SHOWN_LINES) console.log(dim(`    the ${lines.length} lines are in ${logFile}`));
}
