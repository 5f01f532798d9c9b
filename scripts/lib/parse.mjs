import { readFileSync } from 'node:fs';

/**
 * How the output of a suite becomes numbers. A parser answers with undefined when the output cannot be counted;
 * that is a failure of the suite, never a silent zero.
 *
 * @typedef {{ passed: number, failed: number, skipped: number }} Count
 * @typedef {{ code: number, output: string, stdout: string }} Finished
 * @type {Record<string, (finished: Finished, suite: { reportFile?: string }) => Count | undefined>}
 */
export const parsers = {
  /** A program that only says yes or no. */
  check: ({ code }) => (code === 0 ? count(1, 0, 0) : count(0, 1, 0)),

  /** `cargo test` and the wasm-bindgen test runner: one `test result:` line per test program. */
  cargo({ code, output }) {
    const results = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)];
    const total = results.map((found) => count(...found.slice(1, 4).map(Number))).reduce(add, count(0, 0, 0));
    if (code !== 0 && total.failed === 0) return add(total, count(0, 1, 0));
    return results.length > 0 ? total : undefined;
  },

  /** Vitest with its JSON reporter; a file that could not be loaded counts as one failure. */
  vitest({ code }, { reportFile }) {
    const report = readReport(reportFile);
    if (report === undefined) return undefined;
    const unloaded = report.testResults.filter(
      (file) => file.status === 'failed' && !hasFailedTest(file),
    ).length;
    const skipped = report.numPendingTests + report.numTodoTests;
    const total = count(report.numPassedTests, report.numFailedTests + unloaded, skipped);
    if (code !== 0 && total.failed === 0) return add(total, count(0, 1, 0));
    return total.passed + total.failed > 0 ? total : undefined;
  },

  /** `node --test --test-reporter=tap`. */
  tap({ code, stdout }) {
    const number = (name) => Number(stdout.match(new RegExp(`^# ${name} (\\d+)$`, 'm'))?.[1] ?? Number.NaN);
    const total = count(
      number('pass'),
      number('fail') + number('cancelled'),
      number('skipped') + number('todo'),
    );
    return settle(total, code);
  },

  /** Our own programs end with `N passed, N failed, N skipped`, alone on a line. */
  tally({ code, output }) {
    const lines = [...output.matchAll(/^(\d+) passed, (\d+) failed, (\d+) skipped$/gm)];
    const last = lines.at(-1);
    return last && settle(count(...last.slice(1, 4).map(Number)), code);
  },
};

/** The line on which our programs state their result. */
export const tallyLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

export const add = (left, right) =>
  count(left.passed + right.passed, left.failed + right.failed, left.skipped + right.skipped);

function count(passed, failed, skipped) {
  return { passed, failed, skipped };
}

/** An exit code that contradicts the numbers is a failure of its own, and no numbers at all cannot be counted. */
function settle(total, code) {
  if (Number.isNaN(total.passed + total.failed + total.skipped)) return undefined;
  if (code !== 0 && total.failed === 0) return add(total, count(0, 1, 0));
  return total.passed + total.failed + total.skipped > 0 ? total : undefined;
}

function hasFailedTest(file) {
  return file.assertionResults.some((result) => result.status === 'failed');
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
