import { Duration, workflow, type WorkflowContext } from '@flovyn/sdk';

import type { EchoInput, EchoOutput } from './tasks.js';

// Workflows without tasks: input and output, state, operations, time.

export const echoWorkflow = workflow<EchoInput, EchoOutput>({
  name: 'program-echo-workflow',
  description: 'Gives back what it was given',
  version: '1.0.0',
  async run(ctx, input) {
    ctx.log.info('echo');
    return { message: input.message, timestamp: ctx.currentTimeMillis() };
  },
});

export const doublerWorkflow = workflow<{ value: number }, { result: number }>({
  name: 'program-doubler-workflow',
  async run(_ctx, input) {
    return { result: input.value * 2 };
  },
});

export const failingWorkflow = workflow<{ message: string }, never>({
  name: 'program-failing-workflow',
  async run(_ctx, input) {
    throw new Error(input.message);
  },
});

export interface StatefulOutput {
  count: number;
  keys: string[];
  missing: unknown;
  cleared: string[];
}

export const statefulWorkflow = workflow<{ increments: number }, StatefulOutput>({
  name: 'program-stateful-workflow',
  async run(ctx, { increments }) {
    for (let n = 0; n < increments; n += 1) ctx.set('count', (ctx.get<number>('count') ?? 0) + 1);
    ctx.set('last', new Date(0));
    ctx.setState('temporary', true);
    ctx.clearState('temporary');
    const count = ctx.getState<number>('count') ?? -1;
    const keys = ctx.stateKeys();
    ctx.clear('last');
    await ctx.sleep(Duration.milliseconds(1));
    const missing = ctx.get('last');
    ctx.clearAll();
    return { count, keys, missing, cleared: ctx.stateKeys() };
  },
  handlers: { queries: { progress: (ctx) => ctx.get('count') } },
});

export const operationWorkflow = workflow<{ n: number }, { values: number[]; caught: string }>({
  name: 'program-operation-workflow',
  async run(ctx, { n }) {
    const values: number[] = [];
    for (let index = 0; index < n; index += 1)
      values.push(await ctx.run(`operation-${index}`, () => index * 10));
    const caught = await ctx
      .run('fails', async () => {
        throw new TypeError('operation failed');
      })
      .catch((error: unknown) => (error as Error).message);
    return { values, caught };
  },
});

export const randomWorkflow = workflow<void, { same: boolean; uuid: string; number: number }>({
  name: 'program-random-workflow',
  async run(ctx) {
    const [uuid, number, other] = [ctx.randomUUID(), ctx.random(), ctx.randomUUID()];
    await ctx.sleep(Duration.milliseconds(1));
    return { same: uuid === other, uuid, number };
  },
});

export const sleepWorkflow = workflow<{ durationMs: number }, { sleptMs: number; rested: boolean }>({
  name: 'program-sleep-workflow',
  timeout: Duration.minutes(5),
  async run(ctx, { durationMs }) {
    const before = ctx.currentTime();
    await ctx.sleep(Duration.milliseconds(durationMs));
    const sleptMs = ctx.currentTime().getTime() - before.getTime();
    await ctx.sleepUntil(new Date(ctx.currentTimeMillis() + 1));
    return { sleptMs, rested: true };
  },
});

export const identityWorkflow = workflow<void, { id: string; cancelled: boolean }>({
  name: 'program-identity-workflow',
  async run(ctx: WorkflowContext) {
    ctx.checkCancellation();
    return { id: ctx.workflowExecutionId, cancelled: ctx.isCancellationRequested };
  },
});

export const basicWorkflows = [
  echoWorkflow,
  doublerWorkflow,
  failingWorkflow,
  statefulWorkflow,
  operationWorkflow,
  randomWorkflow,
  sleepWorkflow,
  identityWorkflow,
];
