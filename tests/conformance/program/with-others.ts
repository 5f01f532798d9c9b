import { ChildWorkflowFailed, Duration, PromiseRejected, PromiseTimeout, workflow } from '@flovyn/sdk';

import { doublerWorkflow, echoWorkflow, failingWorkflow } from './basic.js';
import { addTask, echoTask } from './tasks.js';

// Workflows that wait for others: for promises, signals and children.

export const promiseWorkflow = workflow<{ name: string }, { outcome: string; value: unknown }>({
  name: 'program-promise-workflow',
  async run(ctx, { name }) {
    try {
      return { outcome: 'resolved', value: await ctx.promise<{ approved: boolean }>(name) };
    } catch (error) {
      if (!(error instanceof PromiseRejected)) throw error;
      return { outcome: 'rejected', value: error.message };
    }
  },
});

export const promiseTimeoutWorkflow = workflow<{ timeoutMs: number }, { timedOut: boolean; message: string }>(
  {
    name: 'program-promise-timeout-workflow',
    async run(ctx, { timeoutMs }) {
      try {
        await ctx.promise('never', { timeout: Duration.milliseconds(timeoutMs) });
        return { timedOut: false, message: '' };
      } catch (error) {
        return { timedOut: error instanceof PromiseTimeout, message: (error as Error).message };
      }
    },
  },
);

export const childWorkflow = workflow<{ message: string }, { message: string; childSaid: string }>({
  name: 'program-child-workflow',
  async run(ctx, { message }) {
    const handle = ctx.scheduleWorkflow(echoWorkflow, { message }, { queue: 'default' });
    const child = await handle.result();
    return { message, childSaid: child.message };
  },
});

export const childFailureWorkflow = workflow<{ message: string }, { caught: boolean; message: string }>({
  name: 'program-child-failure-workflow',
  async run(ctx, input) {
    try {
      await ctx.workflow(failingWorkflow, input);
      return { caught: false, message: '' };
    } catch (error) {
      return { caught: error instanceof ChildWorkflowFailed, message: (error as Error).message };
    }
  },
});

export const grandchildWorkflow = workflow<{ depth: number }, { depth: number }>({
  name: 'program-grandchild-workflow',
  async run(ctx, { depth }) {
    const { sum } = await ctx.task(addTask, { a: depth, b: 1 });
    return { depth: sum };
  },
});

export const middleWorkflow = workflow<{ depth: number }, { depth: number }>({
  name: 'program-middle-workflow',
  async run(ctx, { depth }) {
    return ctx.scheduleWorkflow(grandchildWorkflow, { depth: depth + 1 }).result();
  },
});

export const nestedChildrenWorkflow = workflow<void, { depth: number }>({
  name: 'program-nested-children-workflow',
  async run(ctx) {
    return ctx.scheduleWorkflow(middleWorkflow, { depth: 1 }).result();
  },
});

export const childLoopWorkflow = workflow<{ count: number }, number[]>({
  name: 'program-child-loop-workflow',
  async run(ctx, { count }) {
    const results: number[] = [];
    for (let value = 1; value <= count; value += 1) {
      const { result } = await ctx.scheduleWorkflow(doublerWorkflow, { value }).result();
      results.push(result);
    }
    return results;
  },
});

export const signalWorkflow = workflow<void, { name: string; value: unknown }>({
  name: 'program-signal-workflow',
  async run(ctx) {
    const value = await ctx.waitForSignal<{ approved: boolean }>('decision');
    return { name: 'decision', value };
  },
});

export const signalsWorkflow = workflow<{ count: number }, { received: unknown[]; pending: number }>({
  name: 'program-signals-workflow',
  async run(ctx, { count }) {
    const received: unknown[] = [];
    while (received.length < count) received.push(await ctx.waitForSignal('item'));
    return { received, pending: ctx.pendingSignalCount('item') };
  },
});

export const drainWorkflow = workflow<void, { had: boolean; drained: unknown[]; left: boolean }>({
  name: 'program-drain-workflow',
  async run(ctx) {
    await ctx.waitForSignal('go');
    const had = ctx.hasSignal('item');
    return { had, drained: ctx.drainSignals('item'), left: ctx.hasSignal('item') };
  },
});

export const handledSignalsWorkflow = workflow<void, string[]>({
  name: 'program-handled-signals-workflow',
  handlers: {
    signals: {
      note: (ctx, payload) => ctx.set('notes', [...(ctx.get<string[]>('notes') ?? []), payload]),
    },
    queries: { notes: (ctx) => ctx.get('notes') ?? [] },
  },
  async run(ctx) {
    await ctx.waitForSignal('finish');
    return ctx.get<string[]>('notes') ?? [];
  },
});

export interface ComprehensiveOutput {
  operation: string;
  task: string;
  child: number;
  slept: boolean;
  approval: boolean;
  signal: string;
  state: string[];
}

export const comprehensiveWorkflow = workflow<{ name: string }, ComprehensiveOutput>({
  name: 'program-comprehensive-workflow',
  version: '2.0.0',
  timeout: Duration.minutes(10),
  async run(ctx, { name }) {
    ctx.set('stage', 'started');
    const operation = await ctx.run('prepare', () => `prepared ${name}`);
    const [task, child] = await Promise.all([
      ctx.schedule(echoTask, { message: name }).result(),
      ctx.scheduleWorkflow(doublerWorkflow, { value: 21 }).result(),
    ]);
    await ctx.sleep(Duration.milliseconds(2));
    ctx.set('stage', 'waiting');
    const { approved } = await ctx.promise<{ approved: boolean }>('approval', {
      timeout: Duration.minutes(5),
    });
    const signal = await ctx.waitForSignal<string>('note');
    ctx.set('stage', 'done');
    return {
      operation,
      task: task.message,
      child: child.result,
      slept: true,
      approval: approved,
      signal,
      state: ctx.stateKeys(),
    };
  },
});

export const workflowsWithOthers = [
  promiseWorkflow,
  promiseTimeoutWorkflow,
  childWorkflow,
  childFailureWorkflow,
  grandchildWorkflow,
  middleWorkflow,
  nestedChildrenWorkflow,
  childLoopWorkflow,
  signalWorkflow,
  signalsWorkflow,
  drainWorkflow,
  handledSignalsWorkflow,
  comprehensiveWorkflow,
];
