import { expect, test } from 'vitest';
import { silentLogger } from '../src/logger.js';
import { Reporter } from '../src/worker/reporter.js';
import { ManualClock } from './support/manual-clock.js';

/** So many are remembered, see `REMEMBERED`. */
const REMEMBERED = 10_000;

test('a start that is repeated is told of once, as long as it is one of the last ten thousand', () => {
  const reporter = new Reporter({ hooks: [], clock: new ManualClock(), logger: silentLogger });
  const begin = (n: number): number => {
    reporter.workflowStarted({ workflowExecutionId: `e${n}`, workflowKind: 'k' }, () => null);
    return reporter.counts.workflows.started;
  };
  for (let n = 1; n <= REMEMBERED; n += 1) begin(n);
  expect(begin(1)).toBe(REMEMBERED);
  expect(begin(REMEMBERED + 1)).toBe(REMEMBERED + 1);
  expect(begin(2)).toBe(REMEMBERED + 1);
  expect(begin(1)).toBe(REMEMBERED + 2);
});
