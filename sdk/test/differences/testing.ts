import type { Duration } from '../../src/duration.js';
import { silentLogger } from '../../src/logger.js';
import { task } from '../../src/task/define.js';
import {
  checkEveryPrefix,
  type FetchedHistory,
  FlovynTestEnvironment,
  MockTaskContext,
  replayHistory,
  type TestEnvironmentOptions,
} from '../../src/testing/index.js';
import { EmbeddedTransport } from '../../src/transport/embedded.js';
import { type AnyWorkflow, workflow } from '../../src/workflow/define.js';
import { until } from '../support/world.js';
import { serve } from '../support/wire.js';
import { shouting } from './borders.js';
import { gives, type Observation, type Observations, only } from './difference.js';
import { child, echo, ms, outcomeOf, waiting } from './play.js';

const asking = workflow({
  name: 'asking',
  run: (ctx) =>
    Promise.race([
      ctx.promise('p').then(
        (value) => ['resolved', value],
        (error: unknown) => ['rejected', (error as Error).name],
      ),
      ctx.waitForSignal('s'),
      ctx.sleep(ms(1_000)),
    ]),
});
const sleeping = workflow({ name: 'sleeping', run: (ctx) => ctx.sleep(ms(60_000)) });

/** An environment with some workflows, and what comes of what is done with it. */
const inEnvironment =
  (
    use: (env: FlovynTestEnvironment, given: boolean) => unknown,
    options: (given: boolean) => TestEnvironmentOptions = () => ({}),
  ): Observation =>
  async (given) => {
    const env = new FlovynTestEnvironment({ server: false, logger: silentLogger, ...options(given) });
    for (const definition of [child, waiting, asking, sleeping]) env.registerWorkflow(definition);
    env.registerTask(echo);
    await env.start();
    try {
      return await use(env, given);
    } finally {
      await env.stop();
    }
  };

/** What an environment gives: exactly this. */
const givesIn = (
  expected: unknown,
  use: (env: FlovynTestEnvironment) => unknown,
  options: TestEnvironmentOptions = {},
): Observation =>
  gives(expected, () =>
    inEnvironment(
      (env) => use(env),
      () => options,
    )(true),
  );

/** What becomes of a workflow that waits for a promise, a signal and a timer. */
const told = (
  tell: (env: FlovynTestEnvironment, handle: Parameters<FlovynTestEnvironment['history']>[0]) => unknown,
): Observation =>
  inEnvironment(
    async (env, given) => {
      const { handle } = await env.startWorkflow(asking);
      if (given) await tell(env, handle);
      return env.awaitCompletion(handle);
    },
    () => ({ time: 'virtual' }),
  );

/** What the environment of the testing kit does. */
export const testing: Observations = {
  'MockTaskContext.markCancelled': (given) => {
    const ctx = new MockTaskContext();
    if (given) ctx.markCancelled();
    return [ctx.isCancelled, ctx.signal.aborted];
  },
  'TrackedStreamEvent.details': async (given) => {
    const ctx = new MockTaskContext();
    await ctx.streamProgress(0.5, given ? 'half' : undefined);
    return ctx.streamEvents.map(({ details }) => details);
  },
  'TrackedStreamEvent.code': async (given) => {
    const ctx = new MockTaskContext();
    await ctx.streamError('odd', given ? 'E1' : undefined);
    return ctx.streamEvents.map(({ code }) => code);
  },
  'FlovynTestEnvironment.registerWorkflow': unstarted(
    (env) => env.registerWorkflow(child),
    (env, timeout) => env.startAndAwait(child, 'x', { timeout }),
  ),
  'FlovynTestEnvironment.registerTask': unstarted(
    (env) => env.registerTask(echo),
    (env, timeout) => env.startAndAwait('calling', null, { timeout }),
  ),
  'FlovynTestEnvironment.start': async (given) => {
    const env = new FlovynTestEnvironment({ server: false });
    if (given) await env.start();
    const { isStarted } = env;
    await env.stop();
    return isStarted;
  },
  'FlovynTestEnvironment.stop': async (given) => {
    const env = new FlovynTestEnvironment({ server: false });
    await env.start();
    if (given) await env.stop();
    const { isStarted } = env;
    await env.stop();
    return isStarted;
  },
  'FlovynTestEnvironment.startWorkflow': inEnvironment(async (env, given) => {
    if (given) await env.startWorkflow(waiting);
    return (await env.client?.listWorkflows())?.total;
  }),
  'FlovynTestEnvironment.startAndAwait': givesIn('x', (env) => env.startAndAwait(child, 'x')),
  'FlovynTestEnvironment.awaitCompletion': givesIn('x', async (env) => {
    const { handle } = await env.startWorkflow(child, 'x');
    return env.awaitCompletion(handle);
  }),
  'FlovynTestEnvironment.resolvePromise': told((env, handle) => env.resolvePromise(handle, 'p', 'yes')),
  'FlovynTestEnvironment.rejectPromise': told((env, handle) => env.rejectPromise(handle, 'p', 'no')),
  'FlovynTestEnvironment.signalWorkflow': told((env, handle) => env.signalWorkflow(handle, 's', 'come')),
  'FlovynTestEnvironment.signalWithStartWorkflow': inEnvironment(async (env, given) => {
    if (given) await env.signalWithStartWorkflow(waiting, 'key', undefined, 's');
    return (await env.client?.listWorkflows())?.total;
  }),
  'FlovynTestEnvironment.history': givesIn(['WORKFLOW_STARTED', 'WORKFLOW_COMPLETED'], async (env) => {
    const { handle } = await env.startWorkflow(child, 'x');
    await handle.result();
    return (await env.history(handle)).events.map(({ eventType }) => eventType);
  }),
  'FlovynTestEnvironment.now': givesIn(new Date(1_000), (env) => env.now(), {
    time: 'virtual',
    startTime: new Date(1_000),
  }),
  'FlovynTestEnvironment.advance': inEnvironment(
    async (env, given) => {
      if (given) await env.advance(ms(5_000));
      return env.now();
    },
    () => ({ time: 'virtual', startTime: new Date(1_000) }),
  ),
  'TestEnvironmentOptions.time': inEnvironment(
    // Real time is not waited for, virtual time is as long as it takes.
    (env, given) => {
      const timeout = given ? undefined : ms(1);
      return outcomeOf(env.startAndAwait(sleeping, undefined, { timeout })).then(withoutHistory);
    },
    (given) => only(given, 'time', 'virtual' as const),
  ),
  'TestEnvironmentOptions.startTime': inEnvironment(
    (env) => env.now().getTime() < 2_000,
    (given) => ({ time: 'virtual', ...only(given, 'startTime', new Date(1_000)) }),
  ),
  'TestEnvironmentOptions.queue': inEnvironment(
    (env) => env.queue === 'mine',
    (given) => only(given, 'queue', 'mine'),
  ),
  'TestEnvironmentOptions.logger': async (given) => {
    const lines: string[] = [];
    const talking = workflow({ name: 'talking', run: (ctx) => ctx.log.error('hello') });
    const logger = { ...silentLogger, error: (line: string) => void lines.push(line) };
    const { error } = console;
    console.error = () => {};
    const env = new FlovynTestEnvironment({ server: false, ...only(given, 'logger', logger) });
    await env.registerWorkflow(talking).start();
    await env.startAndAwait(talking);
    await env.stop();
    console.error = error;
    return lines.length;
  },
  'TestEnvironmentOptions.workflowWorkerOptions': inEnvironment(
    async (env) => {
      await env.startAndAwait(asking);
      return env.client?.getExecutionCacheMetrics()?.hits;
    },
    (given) => ({ time: 'virtual', ...only(given, 'workflowWorkerOptions', { alwaysReplay: true }) }),
  ),
  'TestEnvironmentOptions.taskWorkerOptions': inEnvironment(
    (env) =>
      until(() => env.client?.worker?.metrics().tasks.polls.waiting !== 0).then(
        () => env.client?.worker?.metrics().tasks.polls.waiting,
      ),
    (given) => only(given, 'taskWorkerOptions', { maxConcurrent: 1 }),
  ),
  'TestEnvironmentOptions.checkEveryPrefix': inEnvironment(
    (env) => {
      let calls = 0;
      const leaky = workflow({
        name: 'leaky',
        run: async (ctx) => {
          calls += 1;
          await ctx.sleep(ms(1));
          await ctx.scheduleByName('echo', calls);
        },
      });
      return leakyIn(env, leaky);
    },
    (given) => ({ time: 'virtual', ...only(given, 'checkEveryPrefix', false) }),
  ),
  replayHistory: gives(['completed', ['SET_STATE', 'START_TIMER']], async () => {
    const { status, commands } = await replayHistory(drawing, await drawn());
    return [status, commands.map(({ type }) => type)];
  }),
  'ReplayHistoryOptions.workflowExecutionId': async (given) => {
    const { events, workflowExecutionId } = await drawn();
    const options = only(given, 'workflowExecutionId', workflowExecutionId);
    return outcomeOf(replayHistory(drawing, events, options).then(({ status }) => status));
  },
  'WorkflowHistory.workflowExecutionId': async (given) => {
    const { events, workflowExecutionId } = await drawn();
    const history = { events, ...only(given, 'workflowExecutionId', workflowExecutionId) };
    return outcomeOf(replayHistory(drawing, history).then(({ status }) => status));
  },
  'ReplayHistoryOptions.tolerant': async (given) => {
    const { events, ...rest } = await drawn();
    // Another SDK names its timers in another way.
    const renamed = events.map(({ data, ...event }) => ({
      ...event,
      data: data.replace('timer-', 'their-'),
    }));
    const options = only(given, 'tolerant', true);
    return (await replayHistory(drawing, { ...rest, events: renamed }, options)).status;
  },
  checkEveryPrefix: gives([2, 'DeterminismViolation'], async () => {
    const history = await drawn();
    const other = workflow({ name: 'drawing', run: (ctx) => ctx.task(echo, 'another').then(() => 1) });
    const violation = await outcomeOf(checkEveryPrefix(other, history));
    return [await checkEveryPrefix(drawing, history), withoutHistory(violation)];
  }),
  'CheckEveryPrefixOptions.workflowExecutionId': async (given) => {
    const { events, workflowExecutionId } = await drawn();
    return outcomeOf(
      checkEveryPrefix(drawing, events, only(given, 'workflowExecutionId', workflowExecutionId)),
    );
  },
  'ReplayHistoryOptions.serializer': async (given) => {
    const history = await shouted();
    return outcomeOf(replayHistory(calling, history, only(given, 'serializer', shouting)));
  },
  'CheckEveryPrefixOptions.serializer': async (given) => {
    const history = await shouted();
    const checked = checkEveryPrefix(calling, history, only(given, 'serializer', shouting));
    return withoutHistory(await outcomeOf(checked));
  },
  'TestEnvironmentOptions.serializer': inEnvironment(
    async (env) => {
      const { handle } = await env.startWorkflow(child, 'x');
      await env.awaitCompletion(handle);
      return (await env.history(handle)).events.map(({ data }) => data.includes('shouted'));
    },
    (given) => only(given, 'serializer', shouting),
  ),
  'TestEnvironmentOptions.server': async (given) => {
    const transport = new EmbeddedTransport();
    const server = await serve(transport);
    const place = {
      grpcHost: '127.0.0.1',
      grpcPort: server.port,
      httpHost: '127.0.0.1',
      httpPort: server.port,
    };
    const keys = {
      orgId: '00000000-0000-4000-8000-000000000001',
      orgSlug: 'default',
      apiKey: '',
      workerToken: '',
    };
    const env = new FlovynTestEnvironment({
      logger: silentLogger,
      server: given ? { ...place, ...keys } : false,
    });
    await env.registerWorkflow(child).start();
    await env.startAndAwait(child, 'x');
    await env.stop();
    const calls = server.seen.length > 0;
    await server.close();
    await transport.close();
    return calls;
  },
  'TestStartOptions.idempotencyKey': inEnvironment(async (env, given) => {
    const options = only(given, 'idempotencyKey', 'key');
    const [first, second] = [
      await env.startWorkflow(waiting, undefined, options),
      await env.startWorkflow(waiting, undefined, options),
    ];
    return first.handle.workflowId === second.handle.workflowId;
  }),
  'TestAwaitOptions.timeout': inEnvironment(async (env, given) => {
    const outcome = outcomeOf(env.startAndAwait(waiting, undefined, only(given, 'timeout', ms(10))));
    // Without it, the wait ends when the execution does.
    if (!given) await endTheFirst(env);
    return withoutHistory(await outcome);
  }),
};

const calling = workflow({ name: 'calling', run: (_ctx, text: unknown) => `${JSON.stringify(text)}!` });

/** The history of an execution that was written by another serializer than ours. */
async function shouted(): Promise<FetchedHistory> {
  const env = new FlovynTestEnvironment({ server: false, logger: silentLogger, serializer: shouting });
  await env.registerWorkflow(calling).start();
  const { handle } = await env.startWorkflow(calling, 'hello');
  await env.awaitCompletion(handle);
  const history = await env.history(handle);
  await env.stop();
  return history;
}

async function endTheFirst({ client }: FlovynTestEnvironment): Promise<void> {
  const first = async (): Promise<string | undefined> =>
    (await client?.listWorkflows())?.workflows[0]?.workflowId;
  await until(async () => (await first()) !== undefined);
  await client?.cancelWorkflow((await first()) ?? '', 'enough', { force: true });
}

const drawing = workflow({
  name: 'drawing',
  run: async (ctx) => {
    ctx.set('drawn', true);
    await ctx.sleep(ms(1));
    return ctx.random();
  },
});

/** The history of an execution that drew a random number. */
async function drawn(): Promise<FetchedHistory> {
  const env = new FlovynTestEnvironment({ time: 'virtual', logger: silentLogger });
  await env.registerWorkflow(drawing).start();
  const { handle } = await env.startWorkflow(drawing);
  await handle.result();
  const history = await env.history(handle);
  await env.stop();
  return history;
}

/** What a test with a workflow is told that was not registered with an environment from the start. */
async function leakyIn(env: FlovynTestEnvironment, leaky: AnyWorkflow): Promise<unknown> {
  await env.stop();
  env.registerWorkflow(leaky);
  await env.start();
  return withoutHistory(await outcomeOf(env.startAndAwait(leaky as never)));
}

/** What an environment says that had something registered before its start, or not. */
function unstarted(
  prepare: (env: FlovynTestEnvironment) => unknown,
  use: (env: FlovynTestEnvironment, timeout: Duration | undefined) => Promise<unknown>,
): Observation {
  return async (given) => {
    const env = new FlovynTestEnvironment({ server: false, logger: silentLogger });
    const calling = workflow({ name: 'calling', run: (ctx) => ctx.scheduleByName('echo', 'x') });
    env.registerWorkflow(calling).registerTask(task({ name: 'other', run: () => 1 }));
    if (given) prepare(env);
    await env.start();
    // Without it nothing comes, however long it is waited for.
    const outcome = await outcomeOf(use(env, given ? undefined : ms(1)));
    await env.stop();
    return withoutHistory(outcome);
  };
}

/** An error that says how far the execution came says it differently each time. */
function withoutHistory(outcome: unknown): unknown {
  const { failed } = outcome as { failed?: string };
  return failed ?? outcome;
}
