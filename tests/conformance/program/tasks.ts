import { Duration, task, type StreamEvent, type TaskContext } from '@flovyn/sdk';

/*
 * A program in the style that the SDK's users have always written: both type arguments given, `run` as a method, `schedule`
 * and `result()`. It knows nothing of the suite that runs it; all of it must compile and run unchanged.
 */

export interface EchoInput {
  message: string;
  repeat?: number;
}

export interface EchoOutput {
  message: string;
  timestamp: number;
}

export const echoTask = task<EchoInput, EchoOutput>({
  name: 'program-echo-task',
  description: 'Gives back what it was given',
  async run(ctx, input) {
    ctx.log.debug('echo');
    return { message: input.message.repeat(input.repeat ?? 1), timestamp: Date.now() };
  },
});

export const addTask = task<{ a: number; b: number }, { sum: number }>({
  name: 'program-add-task',
  async run(_ctx, { a, b }) {
    return { sum: a + b };
  },
});

export const slowTask = task<{ sleepMs: number; label: string }, string>({
  name: 'program-slow-task',
  timeout: Duration.minutes(1),
  async run(ctx, { sleepMs, label }) {
    await ctx.reportProgress(0.5);
    await new Promise((resolve) => setTimeout(resolve, sleepMs));
    ctx.checkCancellation();
    return label;
  },
});

export const flakyTask = task<{ failUntilAttempt: number }, { attempt: number }>({
  name: 'program-flaky-task',
  retry: {
    maxRetries: 4,
    initialDelay: Duration.milliseconds(1),
    maxDelay: Duration.milliseconds(4),
    backoffMultiplier: 2,
  },
  async run(ctx, { failUntilAttempt }) {
    if (ctx.attempt < failUntilAttempt) throw new Error(`not yet: attempt ${ctx.attempt}`);
    return { attempt: ctx.attempt };
  },
});

export const failingTask = task<{ reason: string }, never>({
  name: 'program-failing-task',
  retry: {
    maxRetries: 0,
    initialDelay: Duration.milliseconds(1),
    maxDelay: Duration.milliseconds(1),
    backoffMultiplier: 1,
  },
  async run(_ctx, { reason }) {
    throw new Error(reason);
  },
});

export interface BatchItem {
  id: number;
  tags?: string[] | undefined;
}

export const processItemTask = task<BatchItem, { id: number; squared: number }>({
  name: 'program-process-item-task',
  async run(_ctx, item) {
    return { id: item.id, squared: item.id * item.id };
  },
});

export const sumTask = task<number[], number>({
  name: 'program-sum-task',
  async run(_ctx, numbers) {
    return numbers.reduce((sum, n) => sum + n, 0);
  },
});

export const noInputTask = task<void, string>({
  name: 'program-no-input-task',
  async run() {
    return 'no input';
  },
});

export const tokenTask = task<{ text: string }, { count: number }>({
  name: 'program-token-task',
  async run(ctx, { text }) {
    const tokens = text.split(' ');
    for (const token of tokens) await ctx.streamToken(token);
    return { count: tokens.length };
  },
});

export const progressTask = task<{ steps: number }, { steps: number }>({
  name: 'program-progress-task',
  async run(ctx, { steps }) {
    for (let step = 1; step <= steps; step += 1) {
      await ctx.streamProgress(step / steps, `step ${step} of ${steps}`);
      await ctx.heartbeat();
    }
    return { steps };
  },
});

export const dataTask = task<{ records: number }, { records: number }>({
  name: 'program-data-task',
  async run(ctx, { records }) {
    for (let index = 0; index < records; index += 1)
      await ctx.streamData({ index, label: `record ${index}` });
    return { records };
  },
});

export const errorTask = task<void, { recovered: boolean }>({
  name: 'program-error-task',
  async run(ctx) {
    await ctx.streamError('lost the connection', 'CONNECTION_LOST');
    return { recovered: true };
  },
});

export const everyStreamTask = task<void, { events: number }>({
  name: 'program-every-stream-task',
  hooks: {
    onStart: () => {
      hookCalls.push('start');
    },
    onSuccess: () => {
      hookCalls.push('success');
    },
    onFailure: () => {
      hookCalls.push('failure');
    },
  },
  async run(ctx: TaskContext) {
    const events: StreamEvent[] = [
      { type: 'token', text: 'once' },
      { type: 'progress', progress: 0.5, details: 'half' },
      { type: 'data', data: { n: 1 } },
      { type: 'error', message: 'only a test', code: 'TEST' },
    ];
    for (const event of events) await ctx.stream(event);
    return { events: events.length };
  },
});

/** What the hooks of `everyStreamTask` saw. */
export const hookCalls: string[] = [];

export const taskDefinitions = [
  echoTask,
  addTask,
  slowTask,
  flakyTask,
  failingTask,
  processItemTask,
  sumTask,
  noInputTask,
  tokenTask,
  progressTask,
  dataTask,
  errorTask,
  everyStreamTask,
];
