import { bold, cyan, dim, green, magenta, red, yellow } from '../lib/paint.mjs';

const started = performance.now();

/** What the audience reads: one line per thing that happens, with the time and who did it. */
export const story = {
  title: (text) => console.log(`\n${bold(text)}`),
  person: (text) => line(magenta, 'person', text),
  client: (text) => line(cyan, 'client', text),
  worker: (number, text) => line(cyan, `worker ${number}`, text),
  world: (text) => line(green, 'world', text),
  killed: (number, text) => line(red, `worker ${number}`, bold(red(text))),
  replay: (number, text) => line(yellow, `worker ${number}`, yellow(text)),
  aside: (text) => console.log(dim(`           ${text}`)),
  result: (value) => line(green, 'result', bold(JSON.stringify(value))),
};

const begun = new Set();

/** Tells what a worker said of itself: its workflow function ran from the first line, or wrote to the log. */
export function tellEvent(number, { orderId, count, log }) {
  if (log !== undefined) {
    story.worker(number, log);
  } else if (!begun.has(orderId)) {
    begun.add(orderId);
    story.worker(number, `${orderId}: begins the workflow`);
  } else if (count === 1) {
    story.replay(
      number,
      `${orderId}: TAKES OVER the workflow; it runs again, the finished steps come from the history`,
    );
  } else {
    story.replay(number, `${orderId}: replays the workflow and goes on`);
  }
}

function line(paint, who, text) {
  const seconds = ((performance.now() - started) / 1000).toFixed(2).padStart(6);
  console.log(`${dim(`${seconds} s`)}  ${paint(who.padEnd(9))} ${text}`);
}

/** A table of plain cells; the first row is the heading. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  const [heading, ...body] = rows.map((row) =>
    row.map((cell, column) => String(cell).padEnd(widths[column])).join('  '),
  );
  console.log(`  ${bold(heading)}`);
  for (const text of body) console.log(`  ${text}`);
}
