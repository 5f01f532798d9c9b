import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const RUNS = 15;
const program = fileURLToPath(new URL('./cold-start-once.mjs', import.meta.url));

const times = [];
for (let run = 0; run < RUNS; run += 1) {
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  times.push(Number(stdout));
}
times.sort((a, b) => a - b);
const at = (share) => times[Math.floor(share * (times.length - 1))].toFixed(0);
console.log(
  `cold start, process start to first activation done: median ${at(0.5)} ms, min ${at(0)}, max ${at(1)} (${RUNS} runs)`,
);
