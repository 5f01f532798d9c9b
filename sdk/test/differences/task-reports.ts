import type { StreamOptions, WorkflowStreamEvent } from '../../src/client/stream-types.js';
import type { FlovynClientOptions } from '../../src/client/options.js';
import { Method } from '../../src/rpc/methods.js';
import type { TaskContext } from '../../src/task/context-types.js';
import { task, type TaskConfig } from '../../src/task/define.js';
import { workflow } from '../../src/workflow/define.js';
import { loggedLines } from '../support/protobuf.js';
import { type World, world } from '../support/world.js';
import { gives, type Observation, type Observations, only } from './difference.js';
import { outcomeOf, retryAtOnce } from './play.js';

const caller = workflow({
  name: 'caller',
  run: (ctx) => outcomeOf(ctx.scheduleByName('told', 1, { retry: retryAtOnce })),
});

interface Told {
  readonly config?: Partial<TaskConfig<unknown, unknown>>;
  readonly client?: Partial<FlovynClientOptions>;
  readonly world?: World;
}

/** Runs a task that tells something; the client, and the ids of the execution and of the task. */
async function told(tell: (ctx: TaskContext) => unknown, options: Told = {}) {
  const w = options.world ?? world();
  let taskId = '';
  const telling = task<unknown, unknown>({
    name: 'told',
    ...options.config,
    run: (ctx) => {
      taskId = ctx.taskExecutionId;
      return tell(ctx);
    },
  });
  const client = await w.client([caller, telling], options.client);
  const { handle } = await client.startWorkflow(caller);
  const result = await handle;
  return { client, handle, taskId, result };
}

async function read(stream: AsyncIterable<WorkflowStreamEvent>): Promise<unknown[]> {
  const events: unknown[] = [];
  for await (const { sequence: _, taskExecutionId: __, timestamp: ___, ...event } of stream)
    events.push(event);
  return events;
}

/** What those hear who read the stream. */
const heard =
  (tell: (ctx: TaskContext) => Promise<void>): Observation =>
  async (given) => {
    const { handle } = await told((ctx) => (given ? tell(ctx) : undefined));
    return read(handle.stream());
  };

/** What is in the state of a task in the end, after something was done to it that holds two values. */
const kept =
  (change: (ctx: TaskContext) => Promise<void>): Observation =>
  async (given) => {
    const { result } = await told(async (ctx) => {
      for (const key of ['a', 'b']) await ctx.state.set(key, key);
      if (given) await change(ctx);
      return [await ctx.state.get('a'), await ctx.state.get('b'), await ctx.state.get('c')];
    });
    return result;
  };

/** What a hook was told, of a task that fails once. */
const hooked =
  (name: 'onStart' | 'onSuccess' | 'onFailure'): Observation =>
  async (given) => {
    const calls: unknown[] = [];
    const hook = (_ctx: TaskContext, ...rest: unknown[]): void => void calls.push(rest.map(String));
    const fail = ({ attempt }: TaskContext): string => {
      if (attempt === 1) throw new Error('no luck');
      return 'luck';
    };
    await told(fail, { config: { hooks: only(given, name, hook) } });
    return calls;
  };

/** What is read of a stream of two events. */
const readWith =
  (options: (second: number) => StreamOptions): Observation =>
  async (given) => {
    const { handle } = await told(async (ctx) => {
      for (const text of ['a', 'b']) await ctx.streamToken(text);
    });
    const sequences: number[] = [];
    for await (const { sequence } of handle.stream()) sequences.push(sequence);
    return outcomeOf(read(handle.stream(given ? options(sequences[0] ?? 0) : {})));
  };

/** What tasks tell while they run, what they keep, and who hears of it. */
export const taskReports: Observations = {
  'TaskContext.reportProgress': heard((ctx) => ctx.reportProgress(0.5, 'half')),
  'TaskContext.stream': heard((ctx) => ctx.stream({ type: 'token', text: 'a' })),
  'TaskContext.streamToken': heard((ctx) => ctx.streamToken('a')),
  'TaskContext.streamProgress': heard((ctx) => ctx.streamProgress(0.5, 'half')),
  'TaskContext.streamData': heard((ctx) => ctx.streamData({ a: [1] })),
  'TaskContext.streamError': heard((ctx) => ctx.streamError('odd', 'E1')),
  'TaskState.get': gives({ gave: 1 }, async () => {
    const { result } = await told(async ({ state }) => {
      await state.set('a', 1);
      return state.get('a');
    });
    return result;
  }),
  'TaskState.set': kept(({ state }) => state.set('c', 'c')),
  'TaskState.clear': kept(({ state }) => state.clear('a')),
  'TaskState.clearAll': kept(({ state }) => state.clearAll()),
  'TaskState.keys': gives({ gave: ['a'] }, async () => {
    const { result } = await told(async ({ state }) => {
      await state.set('a', 1);
      return state.keys();
    });
    return result;
  }),
  'TaskHooks.onStart': hooked('onStart'),
  'TaskHooks.onSuccess': hooked('onSuccess'),
  'TaskHooks.onFailure': hooked('onFailure'),
  'TaskConfig.hooks': async (given) => {
    const calls: string[] = [];
    await told(() => {}, { config: only(given, 'hooks', { onStart: () => void calls.push('start') }) });
    return calls;
  },
  'RetryPolicy.nonRetryableErrors': async (given) => {
    let attempts = 0;
    const failing = task({
      name: 'failing',
      retry: { ...retryAtOnce, ...only(given, 'nonRetryableErrors', ['RangeError']) },
      run: () => {
        attempts += 1;
        throw new RangeError('no luck');
      },
    });
    const flow = workflow({ name: 'flow', run: (ctx) => outcomeOf(ctx.task(failing)) });
    const client = await world().client([flow, failing]);
    await client.executeWorkflow(flow);
    return attempts;
  },
  'TaskWorkerOptions.serverLogLevel': async (given) => {
    const w = world();
    const lines: string[] = [];
    w.engine.intercept = (method, next, request) => {
      if (method === Method.LogMessage) lines.push(...loggedLines(request));
      return next();
    };
    const log = (ctx: TaskContext): void => ctx.log.debug('here');
    const client = { taskWorkerOptions: only(given, 'serverLogLevel', 'debug' as const) };
    await told(log, { world: w, client });
    return lines;
  },
  'StreamOptions.afterSequence': readWith((afterSequence) => ({ afterSequence })),
  'StreamOptions.signal': readWith(() => ({ signal: AbortSignal.abort(new Error('enough')) })),
  'WorkflowHandle.stream': gives([{ type: 'token', text: 'a' }], async () => {
    const { handle } = await told((ctx) => ctx.streamToken('a'));
    return read(handle.stream());
  }),
  'FlovynClient.streamTask': gives([{ type: 'token', text: 'a' }], async () => {
    const { client, taskId } = await told((ctx) => ctx.streamToken('a'));
    return read(client.streamTask(taskId));
  }),
};
