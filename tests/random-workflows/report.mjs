import { printProgram } from './print.mjs';

/** What everything that is counted is measured against: it must be this part of its group at least. */
const SHARE_MIN = 0.01;

/** A failed run for people: the workflow, what happened to it, and what differs. */
export function transcript(seed, { failure, program, steps }) {
  const { expected, got } = failure;
  const details = expected === undefined ? indent(failure.stack ?? '') : compare(expected, got);
  return [
    `seed ${seed}: ${failure.message}`,
    '',
    indent(printProgram(program)),
    '',
    ...steps.map((step, index) => `  ${String(index + 1).padStart(3)}. ${step}`),
    '',
    details,
    '',
    `Run it again: node tests/random-workflows/run.mjs --seed ${seed}`,
  ].join('\n');
}

/** Both lists side by side, the lines that differ marked. */
function compare(expected, got) {
  const width = Math.max(...['expected', ...expected].map((line) => line.length));
  const rows = Array.from({ length: Math.max(expected.length, got.length) }, (_, at) => {
    const [left, right] = [expected[at] ?? '', got[at] ?? ''];
    return `  ${left === right ? ' ' : '>'} ${left.padEnd(width)}  ${right}`;
  });
  return [`    ${'expected'.padEnd(width)}  got`, ...rows].join('\n');
}

/** Adds the counts of one run, or of many, to a sum. */
export function addCounts(sum, counts) {
  for (const [group, items] of Object.entries(counts)) {
    sum[group] ??= {};
    for (const [item, count] of Object.entries(items)) sum[group][item] = (sum[group][item] ?? 0) + count;
  }
}

/** How often everything happened, and what of it, by the names that must be there, hardly ever did. */
export function histogram(counts, wanted) {
  const rare = [];
  const lines = Object.entries(wanted).flatMap(([group, names]) => {
    const items = counts[group] ?? {};
    const total = names.reduce((sum, name) => sum + (items[name] ?? 0), 0);
    const rows = names.map((name) => {
      const count = items[name] ?? 0;
      const share = total === 0 ? 0 : count / total;
      if (share < SHARE_MIN) rare.push(`${group}: ${name}`);
      return `  ${name.padEnd(26)}${String(count).padStart(10)}${(share * 100).toFixed(1).padStart(7)} %`;
    });
    return [group, ...rows];
  });
  return { lines, rare };
}

function indent(text) {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
