import { Duration, TaskFailed, workflow } from '@flovyn/sdk';

import {
  addTask,
  type BatchItem,
  dataTask,
  echoTask,
  errorTask,
  everyStreamTask,
  failingTask,
  flakyTask,
  noInputTask,
  processItemTask,
  progressTask,
  slowTask,
  sumTask,
  tokenTask,
} from './tasks.js';

// Workflows that schedule tasks, one after the other, together and in batches, and tasks that stream.

export const taskSchedulingWorkflow = workflow<{ a: number; b: number }, { sum: number; id: string }>({
  name: 'program-task-scheduling-workflow',
  async run(ctx, input) {
    const handle = ctx.schedule(addTask, input);
    const { sum } = await handle.result();
    return { sum, id: handle.taskExecutionId };
  },
});

export const sequentialTasksWorkflow = workflow<{ start: number; steps: number }, number>({
  name: 'program-sequential-tasks-workflow',
  async run(ctx, { start, steps }) {
    let total = start;
    for (let step = 1; step <= steps; step += 1) total = (await ctx.task(addTask, { a: total, b: step })).sum;
    return total;
  },
});

export const parallelTasksWorkflow = workflow<{ labels: string[] }, string[]>({
  name: 'program-parallel-tasks-workflow',
  async run(ctx, { labels }) {
    const handles = labels.map((label, index) =>
      ctx.schedule(slowTask, { label, sleepMs: (labels.length - index) * 3 }, { queue: 'default' }),
    );
    return Promise.all(handles.map((handle) => handle.result()));
  },
});

export const fanOutFanInWorkflow = workflow<{ items: BatchItem[] }, { total: number; count: number }>({
  name: 'program-fan-out-fan-in-workflow',
  async run(ctx, { items }) {
    const results = await Promise.all(items.map((item) => ctx.schedule(processItemTask, item).result()));
    const total = await ctx.schedule(
      sumTask,
      results.map(({ squared }) => squared),
    );
    return { total, count: results.length };
  },
});

export const batchWorkflow = workflow<
  { total: number; batchSize: number },
  { batches: number; processed: number }
>({
  name: 'program-batch-workflow',
  async run(ctx, { total, batchSize }) {
    let [batches, processed] = [0, 0];
    for (let from = 0; from < total; from += batchSize) {
      const ids = Array.from({ length: Math.min(batchSize, total - from) }, (_, index) => from + index);
      const done = await Promise.all(ids.map((id) => ctx.task(processItemTask, { id })));
      batches += 1;
      processed += done.length;
      ctx.set('processed', processed);
    }
    return { batches, processed };
  },
});

export const mixedParallelWorkflow = workflow<void, { results: unknown[]; settled: string[] }>({
  name: 'program-mixed-parallel-workflow',
  async run(ctx) {
    const results = await Promise.all([
      ctx.task(addTask, { a: 1, b: 2 }),
      ctx.sleep(Duration.milliseconds(5)),
      ctx.run('operation', () => 'operation'),
      ctx.scheduleByName<string>('program-no-input-task', undefined),
    ]);
    const settled = await Promise.allSettled([
      ctx.task(failingTask, { reason: 'on purpose' }),
      ctx.task(noInputTask, undefined),
    ]);
    return { results, settled: settled.map(({ status }) => status) };
  },
});

export const raceWorkflow = workflow<void, { winner: string }>({
  name: 'program-race-workflow',
  async run(ctx) {
    const slow = ctx.schedule(slowTask, { label: 'slow', sleepMs: 30_000 });
    const timer = ctx.sleep(Duration.milliseconds(5)).then(() => 'timer');
    const winner = await Promise.race([slow.result(), timer]);
    return { winner };
  },
});

export const retryWorkflow = workflow<{ failUntilAttempt: number }, { attempt: number }>({
  name: 'program-retry-workflow',
  async run(ctx, input) {
    const retry = {
      maxRetries: 5,
      initialDelay: Duration.milliseconds(1),
      maxDelay: Duration.milliseconds(8),
      backoffMultiplier: 2,
    };
    return ctx.schedule(flakyTask, input, { retry }).result();
  },
});

export const taskFailureWorkflow = workflow<
  { reason: string },
  { name: string; message: string; isTaskFailed: boolean }
>({
  name: 'program-task-failure-workflow',
  async run(ctx, input) {
    try {
      await ctx.schedule(failingTask, input).result();
      throw new Error('the task must fail');
    } catch (error) {
      const { name, message } = error as Error;
      return { name, message, isTaskFailed: error instanceof TaskFailed };
    }
  },
});

export const dynamicTaskWorkflow = workflow<{ name: string; input: unknown }, unknown>({
  name: 'program-dynamic-task-workflow',
  async run(ctx, { name, input }) {
    return ctx.scheduleByName(name, input, { timeout: Duration.seconds(30) }).result();
  },
});

export const tokenStreamWorkflow = workflow<{ text: string }, { count: number }>({
  name: 'program-token-stream-workflow',
  // The handle itself.
  async run(ctx, input) {
    return ctx.schedule(tokenTask, input);
  },
});

export const progressStreamWorkflow = workflow<{ steps: number }, { steps: number }>({
  name: 'program-progress-stream-workflow',
  async run(ctx, input) {
    return ctx.schedule(progressTask, input).result();
  },
});

export const dataStreamWorkflow = workflow<{ records: number }, { records: number }>({
  name: 'program-data-stream-workflow',
  async run(ctx, input) {
    return ctx.schedule(dataTask, input).result();
  },
});

export const errorStreamWorkflow = workflow<void, { recovered: boolean }>({
  name: 'program-error-stream-workflow',
  async run(ctx) {
    return ctx.schedule(errorTask, undefined).result();
  },
});

export const everyStreamWorkflow = workflow<void, { events: number }>({
  name: 'program-every-stream-workflow',
  async run(ctx) {
    return ctx.schedule(everyStreamTask, undefined).result();
  },
});

export const echoTaskWorkflow = workflow<{ message: string }, string>({
  name: 'program-echo-task-workflow',
  async run(ctx, { message }) {
    const once = await ctx.scheduleTask(echoTask, { message });
    const twice = await ctx.schedule(echoTask, { message: once.message, repeat: 2 }).result();
    return twice.message;
  },
});

export const workflowsWithTasks = [
  taskSchedulingWorkflow,
  sequentialTasksWorkflow,
  parallelTasksWorkflow,
  fanOutFanInWorkflow,
  batchWorkflow,
  mixedParallelWorkflow,
  raceWorkflow,
  retryWorkflow,
  taskFailureWorkflow,
  dynamicTaskWorkflow,
  tokenStreamWorkflow,
  progressStreamWorkflow,
  dataStreamWorkflow,
  errorStreamWorkflow,
  everyStreamWorkflow,
  echoTaskWorkflow,
];
