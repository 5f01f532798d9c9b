import { Duration, FlovynClient, task, Worker, workflow } from '@flovyn/sdk';

/**
 * A worker process of the tests, for Node, Deno and Bun. Its argument says what it is to be: `by` is `worker` or
 * `client`, the rest are options of that. It prints a line for what happens.
 */
const { by, ...options } = JSON.parse((globalThis.Deno?.args ?? process.argv.slice(2))[0]);
const say = (...words) => console.log(words.join(' '));

const slow = task({
  name: 'slow',
  retry: { maxRetries: 0 },
  run: async (ctx, ms) => {
    say('begun');
    await new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      ctx.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(ctx.signal.reason);
      });
    });
    say('done');
    return ms;
  },
});
const one = workflow({ name: 'one', run: (ctx, ms) => ctx.task(slow, ms) });
const steps = workflow({
  name: 'steps',
  run: async (ctx, count) => {
    let sum = 0;
    for (let index = 1; index <= count; index += 1) {
      sum += await ctx.task(slow, 1);
      await ctx.sleep(Duration.milliseconds(1));
    }
    return sum;
  },
});

// Levels and texts, so that a test can count the lines.
const log = (level) => (message) => say('log', level, message);
const logger = { debug: () => {}, info: log('info'), warn: log('warn'), error: log('error') };

if (by === 'client') {
  const client = new FlovynClient({ ...options, logger });
  for (const definition of [one, steps]) client.registerWorkflow(definition);
  client.registerTask(slow);
  watch(client.worker);
  await client.start();
} else {
  const worker = new Worker({ ...options, logger, workflows: [one, steps], tasks: [slow] });
  watch(worker);
  await worker.run();
  say('run is over');
}

function watch(worker) {
  for (const name of ['start', 'disconnected', 'reconnected']) worker.on(name, () => say('event', name));
  worker.on('stop', ({ aborted, left }) =>
    say('event stop', aborted.taskExecutions.length, left.taskExecutions.length),
  );
}
