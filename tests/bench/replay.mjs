import '@flovyn/sdk';
import { activationOpenHistory, describeSubmission } from '../../sdk/dist/core.js';
import { silentLogger } from '../../sdk/dist/logger.js';
import { systemClock } from '../../sdk/dist/runtime/clock.js';
import { Stop } from '../../sdk/dist/runtime/stop.js';
import { JsonSerializer } from '../../sdk/dist/serde.js';
import { Activation } from '../../sdk/dist/workflow/activation.js';
import { Driver } from '../../sdk/dist/workflow/driver.js';
import { workflow } from '../../sdk/dist/workflow/define.js';
import { sequentialTasks } from './histories.mjs';

const SIZES = [100, 1_000, 10_000];
const RUNS = 15;

const replayed = workflow({
  name: 'replayed',
  run: async (ctx, count) => {
    let sum = 0;
    for (let index = 0; index < count; index += 1) sum += await ctx.scheduleByName('step', index);
    return sum;
  },
});

/** Full replay of one history: from its text to the final submission. Gives milliseconds, of time and of CPU. */
async function replay(history) {
  const [started, startedCpu] = [performance.now(), process.cpuUsage()];
  const activation = Activation.of(activationOpenHistory(history), undefined);
  const host = {
    stop: new Stop(),
    getEvents: () => Promise.reject(new Error('the history is complete')),
    submit: async (submission) => {
      const { status } = JSON.parse(describeSubmission(submission));
      if (status !== 'COMPLETED') throw new Error(`expected the replay to complete, got ${status}`);
      return new Uint8Array();
    },
  };
  const parts = {
    definition: replayed,
    serializer: new JsonSerializer(),
    logger: silentLogger,
    clock: systemClock,
  };
  await new Driver(activation, parts).run(host);
  const { user, system } = process.cpuUsage(startedCpu);
  const elapsed = { ms: performance.now() - started, cpuMs: (user + system) / 1_000 };
  activation.close();
  return elapsed;
}

function median(times) {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
}

let previous;
for (const size of SIZES) {
  const history = sequentialTasks(size);
  const times = [];
  for (let run = 0; run < RUNS; run += 1) times.push(await replay(history));
  const ms = median(times.map((time) => time.ms));
  const cpuMs = median(times.map((time) => time.cpuMs));
  const events = 2 * size + 1;
  const growth = previous ? `, ${(ms / previous).toFixed(1)}x` : '';
  const all = times.map((time) => time.ms);
  const spread = `${Math.min(...all).toFixed(1)} to ${Math.max(...all).toFixed(1)}`;
  console.log(
    `replay of ${size} tasks: median ${ms.toFixed(1)} ms (${spread}), ${cpuMs.toFixed(1)} ms of CPU, ${Math.round((events / ms) * 1000)} events/s${growth}`,
  );
  previous = ms;
}
