import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { silentLogger } from '../src/logger.js';
import { task } from '../src/task/define.js';
import { FlovynTestEnvironment, MockWorkflowContext } from '../src/testing/index.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { workflow } from '../src/workflow/define.js';
import { saga } from '../src/workflow/saga.js';
import { failureOf } from './support/failure.js';
import { START } from './support/mock-context.js';

/*
 * A workflow does with a mock what it does in an environment, which has a real worker and real tasks: it comes to the same
 * end, at the same time.
 */

interface Case {
  readonly run: (ctx: WorkflowContext) => unknown;
  /** What the attempts of tasks give, in their order. */
  readonly work?: readonly unknown[];
  /** What children give, in their order. */
  readonly children?: readonly unknown[];
  readonly resolved?: Readonly<Record<string, unknown>>;
  readonly rejected?: Readonly<Record<string, string>>;
  readonly signals?: readonly (readonly [name: string, value: unknown])[];
  /** Whether it is cancelled after an hour. */
  readonly cancelled?: boolean;
}

const work = task({ name: 'work', run: (_ctx, _input: unknown): unknown => null });
const child = workflow({ name: 'child', run: (_ctx, _input: unknown): unknown => null });
const seconds = (n: number): Duration => Duration.seconds(n);
const once = { retry: { maxRetries: 0 } };
const nameOf = async (promise: Promise<unknown>): Promise<string> => (await failureOf(promise)).name;
const names = (settled: readonly PromiseSettledResult<unknown>[]): unknown[] =>
  settled.map((each) => (each.status === 'fulfilled' ? each.value : (each.reason as Error).name));

const CASES: Readonly<Record<string, Case>> = {
  'a failure is made good': {
    work: [new Error('declined'), 'refunded'],
    run: async (ctx) => {
      try {
        return await ctx.task(work, 'charge', once);
      } catch (error) {
        return [(error as Error).message, await ctx.task(work, 'refund')];
      }
    },
  },
  'a failure that nobody handles': {
    work: [new RangeError('declined')],
    run: (ctx) => ctx.task(work, 'charge', once),
  },
  'what is done in the end': {
    work: ['worked', 'cleaned'],
    run: async (ctx) => {
      try {
        return await ctx.task(work, 'work');
      } finally {
        await ctx.task(work, 'cleanup');
      }
    },
  },
  'all of a hundred tasks': {
    work: Array.from({ length: 100 }, (_, n) => n),
    run: (ctx) => Promise.all(Array.from({ length: 100 }, (_, n) => ctx.schedule(work, n))),
  },
  'all that settled, some badly': {
    work: ['a', new Error('odd'), 'c'],
    run: async (ctx) => names(await Promise.allSettled([1, 2, 3].map((n) => ctx.schedule(work, n, once)))),
  },
  'timers side by side, in both orders': {
    run: async (ctx) => {
      const sleep = (n: number): Promise<number> => ctx.sleep(seconds(n)).then(() => n);
      const first = await Promise.race([sleep(2), sleep(1)]);
      return [first, await Promise.race([sleep(1), sleep(2)]), await Promise.all([sleep(3), sleep(0)])];
    },
  },
  'time, as it is read and slept until': {
    run: async (ctx) => {
      const times = [ctx.currentTimeMillis()];
      await ctx.sleep(Duration.days(30));
      times.push(ctx.currentTimeMillis());
      await ctx.sleepUntil(new Date(START.getTime() + Duration.days(40).toMilliseconds()));
      return [...times, ctx.currentTimeMillis()];
    },
  },
  'promises that are settled, and one that is not': {
    resolved: { yes: { n: 1 } },
    rejected: { no: 'not today' },
    run: async (ctx) => [
      await ctx.promise('yes'),
      (await failureOf(ctx.promise('no'))).message,
      await nameOf(ctx.promise('never', { timeout: seconds(9) })),
      await nameOf(ctx.withTimeout(ctx.promise('never'), seconds(9))),
    ],
  },
  'children, good and bad': {
    children: ['grown', new Error('lost')],
    run: async (ctx) => {
      const good = await ctx.workflow(child, 1);
      const bad = await failureOf(ctx.scheduleWorkflow(child, 2));
      return [good, bad.name, bad.message];
    },
  },
  'operations in any order, and the same name again': {
    run: async (ctx) => {
      const later = (value: string) => () => new Promise((resolve) => setTimeout(resolve, 2, value));
      const both = await Promise.all([ctx.run('slow', later('slow')), ctx.run('quick', () => 'quick')]);
      const same = [];
      for (const n of [1, 2, 3]) same.push(await ctx.run('same', () => n));
      const failure = await failureOf(ctx.run('bad', () => Promise.reject(new TypeError('bad'))));
      return [both, same, failure.name, failure.message];
    },
  },
  'signals, in order, left and taken': {
    signals: [
      ['add', 1],
      ['add', 2],
      ['add', 3],
      ['stop', null],
    ],
    run: async (ctx) => {
      await ctx.waitForSignal('stop');
      const counted = ctx.pendingSignalCount('add');
      return [counted, await ctx.waitForSignal('add'), ctx.drainSignals('add'), ctx.hasSignal('add')];
    },
  },
  state: {
    run: async (ctx) => {
      ctx.set('a', { n: 1 });
      ctx.set('b', null);
      ctx.clear('a');
      await ctx.sleep(seconds(1));
      ctx.set('c', [1]);
      const keys = ctx.stateKeys();
      ctx.clearAll();
      return [keys, ctx.get('c'), ctx.get('a')];
    },
  },
  'a scope that is too late, and what it makes good': {
    work: ['made good'],
    run: async (ctx) => {
      const seen: unknown[] = [];
      const scoped = ctx.scope(
        async (inner) => {
          try {
            await Promise.all([inner.sleep(seconds(20)), inner.promise('never')]);
          } finally {
            seen.push(inner.isCancellationRequested, await inner.task(work, 'make good'));
          }
        },
        { timeout: seconds(5) },
      );
      return [await nameOf(scoped), seen, ctx.isCancellationRequested];
    },
  },
  'a saga': {
    work: ['reserved', new Error('declined'), 'released'],
    run: async (ctx) => {
      const undo = saga();
      try {
        await ctx.task(work, 'reserve');
        undo.add(() => ctx.task(work, 'release'));
        return await ctx.task(work, 'charge', once);
      } catch (error) {
        await undo.compensate();
        throw error;
      }
    },
  },
  'a long sleep that is cancelled': {
    cancelled: true,
    work: ['made good'],
    run: async (ctx) => {
      const branch = ctx.promise('never').catch((error: unknown) => ctx.set('branch', (error as Error).name));
      try {
        await ctx.sleep(Duration.days(30));
      } finally {
        await branch;
        await ctx.task(work, [ctx.get('branch'), ctx.isCancellationRequested, ctx.cancellation.aborted]);
      }
    },
  },
  'what is not cancelled, and an end that is its own': {
    cancelled: true,
    run: async (ctx) => {
      const safe = ctx.nonCancellable(async (inner) => {
        await inner.sleep(Duration.hours(2));
        return inner.isCancellationRequested;
      });
      const lost = await nameOf(ctx.sleep(Duration.days(1)));
      return [lost, await safe, await nameOf(Promise.resolve().then(() => ctx.checkCancellation()))];
    },
  },
  'a task that is cancelled by hand': {
    work: ['never seen'],
    run: async (ctx) => {
      const handle = ctx.schedule(work, 'x', { queue: 'of nobody' });
      const timer = ctx.sleep(seconds(5));
      handle.cancel('no need');
      timer.cancel();
      return names(await Promise.allSettled([handle, timer]));
    },
  },
  'nothing at all': { run: () => undefined },
};

test.each(Object.entries(CASES))('%s', async (_name, { run, ...given }) => {
  const inEnvironment = await playInEnvironment(run, given);
  const withMock = await playWithMock(run, given);
  expect(withMock).toEqual(inEnvironment);
});

/** How it ended, how long it took, and what its tasks got. */
interface Played {
  readonly end: unknown;
  readonly tookMs: number;
  readonly inputs: readonly unknown[];
}

async function playWithMock(run: Case['run'], given: Omit<Case, 'run'>): Promise<Played> {
  const ctx = new MockWorkflowContext({ currentTime: START });
  for (const result of given.work ?? []) ctx.mockTaskResultByName('work', result);
  for (const result of given.children ?? []) ctx.mockChildWorkflowResultByName('child', result);
  for (const [name, value] of Object.entries(given.resolved ?? {})) ctx.mockPromiseResolution(name, value);
  for (const [name, reason] of Object.entries(given.rejected ?? {})) ctx.mockPromiseRejection(name, reason);
  for (const [name, value] of given.signals ?? []) ctx.mockSignal(name, value);
  if (given.cancelled === true) ctx.markCancelled('enough', { after: Duration.hours(1) });
  const end = await endOf(Promise.resolve(run(ctx)));
  const inputs = ctx.executedTasks.filter(({ options }) => options?.queue === undefined);
  return {
    end,
    tookMs: ctx.currentTimeMillis() - START.getTime(),
    inputs: inputs.map(({ input }) => input),
  };
}

async function playInEnvironment(run: Case['run'], given: Omit<Case, 'run'>): Promise<Played> {
  const inputs: unknown[] = [];
  const [results, children] = [[...(given.work ?? [])], [...(given.children ?? [])]];
  const give = (from: unknown[]): unknown => {
    const result = from.shift();
    if (result instanceof Error) throw result;
    return result;
  };
  const env = new FlovynTestEnvironment({
    time: 'virtual',
    startTime: START,
    logger: silentLogger,
    // So that tasks are done in the order in which they were scheduled, as mocks are.
    taskWorkerOptions: { maxConcurrent: 1 },
    // Of the case the code is the function of the test: it may leak what it has seen.
    checkEveryPrefix: false,
  });
  env.registerTask(
    task({ name: 'work', run: (_ctx, input: unknown) => (inputs.push(input), give(results)) }),
  );
  env.registerWorkflow(workflow({ name: 'child', run: (ctx) => ctx.run('give', () => give(children)) }));
  const played = workflow({ name: 'played', run });
  await env.registerWorkflow(played).start();
  const { handle } = await env.startWorkflow(played);
  for (const [name, value] of given.signals ?? []) await env.signalWorkflow(handle, name, value);
  for (const [name, value] of Object.entries(given.resolved ?? {}))
    await env.resolvePromise(handle, name, value);
  for (const [name, reason] of Object.entries(given.rejected ?? {}))
    await env.rejectPromise(handle, name, reason);
  if (given.cancelled === true) {
    await env.advance(Duration.hours(1));
    await handle.cancel('enough');
  }
  const end = await endOf(env.awaitCompletion(handle));
  const tookMs = env.now().getTime() - START.getTime();
  await env.stop();
  return { end, tookMs, inputs };
}

/** What it gave, as clients get it, or the text of the error. */
async function endOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return { gave: (await promise) ?? null };
  } catch (error) {
    return { failed: /(?<text>declined|cancelled|enough)/.exec((error as Error).message)?.groups?.['text'] };
  }
}
