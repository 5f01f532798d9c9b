import { atLevel, consoleLogger } from '../../src/logger.js';
import type { StreamOptions } from '../../src/client/stream-types.js';
import { task } from '../../src/task/define.js';
import type { TaskContext } from '../../src/task/context-types.js';
import { workflow } from '../../src/workflow/define.js';
import { until, world } from '../support/world.js';
import { type Observation, type Observations, only } from './difference.js';
import { outcomeOf, play, retryAtOnce, withoutIds } from './play.js';

/** What a task does that says something while it runs, and what readers of its stream get. */
const streaming =
  (act: (ctx: TaskContext) => unknown): Observation =>
  (given) =>
    streamedBy((ctx) => (given ? act(ctx) : undefined), {});

async function streamedBy(act: (ctx: TaskContext) => unknown, options: StreamOptions): Promise<unknown> {
  const w = world();
  const telling = task({ name: 'telling', run: async (ctx) => void (await act(ctx)) });
  const caller = workflow({ name: 'caller', run: (ctx) => ctx.task(telling) });
  const client = await w.client([telling, caller]);
  const { handle } = await client.startWorkflow(caller);
  await handle.result();
  const seen: unknown[] = [];
  for await (const { sequence: _, timestamp: _at, ...event } of handle.stream(options))
    seen.push(withoutIds(event));
  return seen;
}

/** What one attempt of a task leaves for the next one, and what that finds. */
const keeping =
  (
    leave: (ctx: TaskContext) => unknown,
    find: (ctx: TaskContext) => unknown = (ctx) => ctx.state.keys(),
    given: Observation = (isGiven) => isGiven,
  ): Observation =>
  async (isGiven) => {
    const keeper = task({
      name: 'keeper',
      retry: retryAtOnce,
      run: async (ctx) => {
        if (ctx.attempt > 1) return find(ctx);
        if (given(isGiven)) await leave(ctx);
        throw new Error('again');
      },
    });
    const { outcome } = await play({ run: (ctx) => ctx.task(keeper), definitions: [keeper] });
    return outcome;
  };

const leaveTwo = async (ctx: TaskContext): Promise<void> => {
  await ctx.state.set('a', 1);
  await ctx.state.set('b', 2);
};

/** What a task can say and keep while it runs. */
export const reports: Observations = {
  'TaskContext.reportProgress': streaming((ctx) => ctx.reportProgress(0.5, 'half')),
  'TaskContext.stream': streaming((ctx) => ctx.stream({ type: 'token', text: 'x' })),
  'TaskContext.streamToken': streaming((ctx) => ctx.streamToken('x')),
  'TaskContext.streamProgress': streaming((ctx) => ctx.streamProgress(0.5)),
  'TaskContext.streamData': streaming((ctx) => ctx.streamData({ n: 1 })),
  'TaskContext.streamError': streaming((ctx) => ctx.streamError('no', 'NO')),
  'TaskState.set': keeping((ctx) => ctx.state.set('k', 1)),
  'TaskState.get': (given) =>
    keeping(
      (ctx) => ctx.state.set('k', 1),
      (ctx) => (given ? ctx.state.get('k') : null),
    )(true),
  'TaskState.keys': (given) =>
    keeping(
      (ctx) => ctx.state.set('k', 1),
      (ctx) => (given ? ctx.state.keys() : null),
    )(true),
  'TaskState.clear': (given) =>
    keeping(async (ctx) => {
      await leaveTwo(ctx);
      if (given) await ctx.state.clear('a');
    })(true),
  'TaskState.clearAll': (given) =>
    keeping(async (ctx) => {
      await leaveTwo(ctx);
      if (given) await ctx.state.clearAll();
    })(true),
  'WorkflowHandle.stream': (given) => (given ? streamedBy((ctx) => ctx.streamToken('x'), {}) : []),
  'FlovynClient.streamTask': async (given) => {
    const w = world();
    let id = '';
    const telling = task({
      name: 'telling',
      run: async (ctx) => {
        id = ctx.taskExecutionId;
        await ctx.streamToken('x');
      },
    });
    const caller = workflow({ name: 'caller', run: (ctx) => ctx.task(telling) });
    const client = await w.client([telling, caller]);
    await client.executeWorkflow(caller);
    let count = 0;
    if (given) for await (const _ of client.streamTask(id)) count += 1;
    return count;
  },
  'StreamOptions.afterSequence': (given) =>
    streamedBy((ctx) => ctx.streamToken('x'), only(given, 'afterSequence', Number.MAX_SAFE_INTEGER)),
  'StreamOptions.signal': (given) =>
    outcomeOf(
      streamedBy((ctx) => ctx.streamToken('x'), only(given, 'signal', AbortSignal.abort('enough'))).then(
        () => 'read',
        (reason: unknown) => reason,
      ),
    ),
  'TaskWorkerOptions.serverLogLevel': async (given) => {
    const w = world();
    const talking = task({ name: 'talking', run: (ctx) => ctx.log.info('hello') });
    const caller = workflow({ name: 'caller', run: (ctx) => ctx.task(talking) });
    const client = await w.client([talking, caller], {
      taskWorkerOptions: only(given, 'serverLogLevel', 'silent' as const),
      logger: atLevel('silent', consoleLogger()),
    });
    await client.executeWorkflow(caller);
    await client.stop();
    return w.engine.count('LogMessage');
  },
  'RetryPolicy.nonRetryableErrors': async (given) => {
    let attempts = 0;
    const failing = task({
      name: 'failing',
      retry: { ...retryAtOnce, ...only(given, 'nonRetryableErrors', ['RangeError']) },
      run: () => {
        attempts += 1;
        throw new RangeError('no');
      },
    });
    await play({ run: (ctx) => outcomeOf(ctx.task(failing)), definitions: [failing] });
    return attempts;
  },
  'TaskFunctions.hooks': async (given) => {
    const seen: string[] = [];
    const hooks = { onStart: () => void seen.push('start'), onSuccess: () => void seen.push('success') };
    const hooked = task({ name: 'hooked', ...only(given, 'hooks', hooks), run: () => 1 });
    await play({ run: (ctx) => ctx.task(hooked), definitions: [hooked] });
    await until(() => !given || seen.length === 2);
    return seen;
  },
};
