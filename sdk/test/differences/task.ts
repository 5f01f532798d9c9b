import type { TaskContext } from '../../src/task/context-types.js';
import { task, type TaskConfig } from '../../src/task/define.js';
import { Method } from '../../src/rpc/methods.js';
import { workflow } from '../../src/workflow/define.js';
import { gate, until, world } from '../support/world.js';
import { type Observation, type Observations, only } from './difference.js';
import { aborted, ms, outcomeOf, play, registrationOf, retryAtOnce, submittedBy } from './play.js';

/** What a task does once it knows that its workflow has cancelled it. */
const cancelled =
  (act: (ctx: TaskContext, given: boolean) => unknown): Observation =>
  async (given) => {
    const seen = gate<unknown>();
    const stopped = task({
      name: 'stopped',
      run: async (ctx) => {
        await until(async () => {
          await ctx.heartbeat();
          return ctx.isCancelled;
        });
        seen.open(await outcomeOf(Promise.resolve().then(() => act(ctx, given))));
      },
    });
    await play({
      run: async (ctx) => {
        const handle = ctx.schedule(stopped);
        await ctx.sleep(ms(5));
        handle.cancel('enough');
        await outcomeOf(handle);
      },
      definitions: [stopped],
      act: ({ world: w }) => w.passing(seen.promise),
    });
    return seen.promise;
  };

/** What the context of a task does. */
export const taskContext: Observations = {
  'TaskContext.heartbeat': async (given) => {
    const w = world();
    const beating = task({ name: 'beating', run: (ctx) => (given ? ctx.heartbeat() : undefined) });
    const caller = workflow({ name: 'caller', run: (ctx) => ctx.task(beating) });
    const client = await w.client([beating, caller]);
    await client.executeWorkflow(caller);
    return w.engine.count(Method.Heartbeat.slice(Method.Heartbeat.lastIndexOf('/') + 1));
  },
  'TaskContext.checkCancellation': cancelled((ctx, given) => {
    if (given) ctx.checkCancellation();
  }),
  'TaskContext.cancellationError': cancelled((ctx, given) => {
    if (given) throw ctx.cancellationError();
  }),
};

/** What options of definitions of tasks change. */
export const taskConfig: Observations = {
  'TaskFunctions.hooks': hooked,
  'TaskSettings.description': (given) => registered(only(given, 'description', 'For people')),
  'TaskSettings.timeout': (given) => waited(only(given, 'timeout', ms(10))),
  'TaskSettings.totalTimeout': (given) => waited(only(given, 'totalTimeout', ms(10))),
  'TaskSettings.heartbeatTimeout': (given) => waited(only(given, 'heartbeatTimeout', ms(10))),
  'TaskSettings.retry': (given) => attempts(only(given, 'retry', retryAtOnce)),
  'RetryPolicy.maxRetries': (given) => scheduledRetry(only(given, 'maxRetries', 7)),
  'RetryPolicy.initialDelay': (given) => scheduledRetry(only(given, 'initialDelay', ms(7))),
  'RetryPolicy.maxDelay': (given) => scheduledRetry(only(given, 'maxDelay', ms(90_000))),
  'RetryPolicy.backoffMultiplier': (given) => scheduledRetry(only(given, 'backoffMultiplier', 7)),
};

/** Whether the hooks of a task are called. */
async function hooked(given: boolean): Promise<boolean> {
  let isCalled = false;
  const onStart = (): void => {
    isCalled = true;
  };
  const withHooks = task({ name: 'with-hooks', ...only(given, 'hooks', { onStart }), run: () => null });
  await play({ run: (ctx) => ctx.task(withHooks), definitions: [withHooks] });
  return isCalled;
}

/** What a task that ends only when it must comes to. */
async function waited(config: Partial<TaskConfig<unknown, unknown>>): Promise<unknown> {
  const waits = task<unknown, unknown>({
    name: 'waits',
    retry: { ...retryAtOnce, maxRetries: 0 },
    ...config,
    run: (ctx) => aborted(ctx),
  });
  const played = await play({
    run: (ctx) => Promise.race([outcomeOf(ctx.schedule(waits)), ctx.sleep(ms(150))]),
    definitions: [waits],
  });
  return played.outcome;
}

async function attempts(config: Partial<TaskConfig<unknown, unknown>>): Promise<number> {
  let count = 0;
  const failing = task<unknown, unknown>({
    name: 'failing',
    ...config,
    run: () => {
      count += 1;
      throw new Error('no luck');
    },
  });
  await play({ run: (ctx) => outcomeOf(ctx.schedule(failing)), definitions: [failing] });
  return count;
}

/** The command that schedules a task with a policy. */
async function scheduledRetry(retry: TaskConfig<unknown, unknown>['retry']): Promise<unknown> {
  return submittedBy((ctx) => void ctx.scheduleByName('nowhere', 1, { retry: { ...retry } }));
}

/** How a definition is registered. */
async function registered(config: Partial<TaskConfig<unknown, unknown>>): Promise<unknown> {
  return registrationOf(task<unknown, unknown>({ name: 'registered', ...config, run: () => null }));
}
