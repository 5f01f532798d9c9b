import { Duration, FlovynClient, task, workflow } from '@flovyn/sdk';

/** A task does the real work: it may call anything, and it is retried when it throws. */
const greet = task({
  name: 'greet',
  run: async (_ctx, name: string) => `Hello, ${name}!`,
});

/** A workflow decides what happens next. It survives crashes: each of its steps runs once and is remembered. */
const hello = workflow({
  name: 'hello',
  run: async (ctx, names: readonly string[]) => {
    const greetings = await Promise.all(names.map((name) => ctx.task(greet, name)));
    await ctx.sleep(Duration.milliseconds(200));
    return greetings.join(' ');
  },
});

const client = new FlovynClient({ embedded: true });
client.registerWorkflow(hello);
client.registerTask(greet);

await client.start();
try {
  console.log(await client.executeWorkflow(hello, ['Ada', 'Grace']));
} finally {
  await client.stop();
}
