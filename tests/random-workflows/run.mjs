import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import '@flovyn/sdk';

import { COMBINATORS, FAULTS, VERBS } from './names.mjs';
import { addCounts, histogram, transcript } from './report.mjs';
import { runOnce, sourceOf } from './seed.mjs';
import { shrink } from './shrink.mjs';

/**
 * Random workflows on the SDK and the embedded engine, see the README beside this file.
 *
 * --seed N     this seed only, with a transcript of what happened
 * --seeds N    so many seeds (default 20,000), from --from (default 0)
 * --minutes N  as many seeds as there are minutes for, from one that nobody has tried
 * --stop       ends at the first failure and prints its seed only
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '20000' },
    from: { type: 'string' },
    minutes: { type: 'string' },
    stop: { type: 'boolean', default: false },
  },
});
const THREADS = Math.min(availableParallelism(), 8);
const SHOWN_MAX = 3;
const COUNTED_MIN = 5_000;

// Programs leave promises alone that are rejected: a worker of a client listens for that, and so does this.
for (const event of ['unhandledRejection', 'rejectionHandled']) process.on(event, () => {});

process.exitCode = (await (values.seed === undefined ? many() : one(Number(values.seed)))) ? 0 : 1;

async function one(seed) {
  const run = await runOnce(sourceOf(seed));
  if (run.failure !== undefined) {
    console.log(transcript(seed, await shrink(run)));
    return false;
  }
  const calm = { ...run, failure: Object.assign(new Error('passed'), { expected: [], got: [] }) };
  console.log(transcript(seed, calm));
  return true;
}

async function many() {
  const first = Number(values.from ?? (values.minutes === undefined ? 0 : Date.now() % 2 ** 30));
  const untilMs = values.minutes === undefined ? Infinity : Date.now() + Number(values.minutes) * 60_000;
  const end = values.minutes === undefined ? first + Number(values.seeds) : Infinity;
  const started = performance.now();
  const { runs, failed, counts } = await onThreads({ first, end, untilMs });
  const seconds = (performance.now() - started) / 1000;
  const { lines, rare } = histogram(counts, { verbs: VERBS, combinators: COMBINATORS, faults: FAULTS });
  console.log(lines.join('\n'));
  for (const seed of failed.slice(0, values.stop ? 0 : SHOWN_MAX)) await one(seed);
  // Few seeds show nothing of how often things happen.
  if (runs < COUNTED_MIN) rare.length = 0;
  if (rare.length > 0) console.log(`Hardly ever happened: ${rare.join(', ')}`);
  if (failed.length > 0) console.log(`Seeds that failed: ${failed.slice(0, 20).join(', ')}`);
  console.log(`${runs} seeds from ${first} in ${seconds.toFixed(1)} s on ${THREADS} threads`);
  console.log(`${runs - failed.length} passed, ${failed.length + rare.length} failed, 0 skipped`);
  return failed.length === 0 && rare.length === 0;
}

async function onThreads({ first, end, untilMs }) {
  const total = { runs: 0, failed: [], counts: {} };
  const threads = Array.from({ length: THREADS }, (_, index) => {
    const workerData = { first: first + index, step: THREADS, end, untilMs };
    return new Worker(new URL('./thread.mjs', import.meta.url), { workerData });
  });
  const ends = threads.map(
    (thread) =>
      new Promise((resolve, reject) => {
        thread.on('message', ({ runs = 0, failed, counts = {} }) => {
          total.runs += runs;
          addCounts(total.counts, counts);
          if (failed === undefined) return;
          total.failed.push(failed);
          if (values.stop) for (const each of threads) void each.terminate();
        });
        thread.once('error', reject);
        thread.once('exit', resolve);
      }),
  );
  await Promise.all(ends);
  total.failed.sort((left, right) => left - right);
  return total;
}
