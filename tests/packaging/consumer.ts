import {
  Duration,
  FlovynClient,
  FlovynError,
  type TaskContext,
  type WorkflowContext,
  task,
  workflow,
} from '@flovyn/sdk';

/** Compiled, never run: what a strict project writes, with no declaration but the language's own. */
type Receipt = { readonly id: string; readonly note?: string };

const charge = task({
  name: 'charge',
  timeout: Duration.seconds(30),
  run: async (ctx: TaskContext, cents: number): Promise<Receipt> => ({
    id: `${ctx.taskExecutionId}-${cents}`,
  }),
});

const pay = workflow({
  name: 'pay',
  run: async (ctx: WorkflowContext, input: { readonly cents: number }) => {
    const receipt: Receipt = await ctx.schedule(charge, input.cents);
    const approved: boolean = await ctx.promise<boolean>('approved', { timeout: Duration.hours(1) });
    return { receipt, approved };
  },
});

export async function main(): Promise<string> {
  const client = new FlovynClient({ embedded: true });
  client.registerWorkflow(pay);
  client.registerTask(charge);
  await client.start();
  try {
    const { handle } = await client.startWorkflow(pay, { cents: 100 });
    const { receipt, approved } = await handle.result();
    return approved ? receipt.id : 'declined';
  } catch (error) {
    return error instanceof FlovynError ? error.code : 'unknown';
  } finally {
    await client.stop();
  }
}
