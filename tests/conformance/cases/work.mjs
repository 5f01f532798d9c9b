import { same, thrownBy } from '../harness.mjs';
import {
  echo,
  fail,
  flaky,
  ms,
  noteByTask,
  noteEachRun,
  pause,
  promiseOf,
  slowEcho,
  suite,
  whenAsked,
} from '../tools.mjs';

// What workflows wait for: tasks, timers, promises, operations.

// --- tasks ---

suite.check('task: gives what the task gave', {
  run: (ctx, n) => ctx.schedule(echo, n).result(),
  input: 42,
  gives: 42,
});

suite.check('task: its handle can be awaited and has an id', {
  run: async (ctx) => {
    const handle = ctx.schedule(echo, 'x');
    return [await handle, typeof handle.taskExecutionId];
  },
  gives: ['x', 'string'],
});

suite.check('task: all names of the verb', {
  run: async (ctx) => [
    await ctx.scheduleByName('echo', 1),
    await ctx.task(echo, 2),
    await ctx.scheduleTask(echo, 3),
  ],
  gives: [1, 2, 3],
});

suite.check('task: a failed attempt is repeated', { run: (ctx) => ctx.task(flaky, 2), gives: 3 });

suite.check('task: one that fails for good throws TaskFailed', {
  run: async (ctx) => {
    const error = await thrownBy(() => ctx.task(fail, 'no stock left'));
    return [error.name, error.message.includes('no stock left')];
  },
  gives: ['TaskFailed', true],
});

suite.check('task: 100 at once complete in any order, results come in the order asked', {
  run: (ctx) =>
    Promise.all(
      Array.from({ length: 100 }, (_, value) => ctx.task(slowEcho, { after: (value * 37) % 40, value })),
    ),
  gives: Array.from({ length: 100 }, (_, value) => value),
});

// --- timers ---

suite.check('sleep: waits at least as long as asked', {
  run: async (ctx) => {
    noteEachRun(ctx, Date.now());
    await ctx.sleep(ms(80));
    noteEachRun(ctx, Date.now());
  },
  then: ({ notes }) => same(notes.at(-1) - notes[0] >= 80, true),
});

suite.check('sleep: none at all and times gone by end at once', {
  run: async (ctx) => {
    await ctx.sleep(ms(0));
    await ctx.sleepUntil(new Date(0));
    return 'awake';
  },
  gives: 'awake',
});

suite.check('sleep: several at once take as long as the longest', {
  run: async (ctx) => {
    await Promise.all([ctx.sleep(ms(20)), ctx.sleep(ms(40)), ctx.sleep(ms(10))]);
    return 'all';
  },
  gives: 'all',
});

// --- promises ---

suite.check('promise: resolved from outside', {
  run: async (ctx) => {
    const answer = ctx.promise('answer');
    noteByTask(ctx, 'asked');
    return await answer;
  },
  act: whenAsked(({ client, handle }) => client.resolvePromise(promiseOf(handle, 'answer'), { yes: true })),
  gives: { yes: true },
});

suite.check('promise: rejected from outside', {
  run: async (ctx) => {
    const answer = ctx.promise('answer');
    noteByTask(ctx, 'asked');
    const error = await thrownBy(() => answer);
    return [error.name, error.message.includes('too late'), error.message.includes('rejected')];
  },
  act: whenAsked(({ client, handle }) => client.rejectPromise(promiseOf(handle, 'answer'), 'too late')),
  gives: ['PromiseRejected', true, true],
});

suite.check('promise: times out', {
  run: async (ctx) => {
    const error = await thrownBy(() => ctx.promise('answer', { timeout: ms(30) }));
    return [error.name, error.message.includes('timed out')];
  },
  gives: ['PromiseTimeout', true],
});

suite.check('promise: resolved with nothing gives null', {
  run: async (ctx) => {
    const answer = ctx.promise('answer');
    noteByTask(ctx, 'asked');
    return [await answer];
  },
  act: whenAsked(({ client, handle }) => client.resolvePromise(promiseOf(handle, 'answer'), undefined)),
  gives: [null],
});

// --- operations ---

suite.check('run: is done once, however often the function is replayed', {
  run: async (ctx) => {
    const first = await ctx.run('count', () => noteEachRun(ctx, 'ran') ?? 'result');
    await ctx.task(echo, 1);
    await ctx.sleep(ms(1));
    return first;
  },
  gives: 'result',
  then: ({ notes }) => same(notes, ['ran']),
});

suite.check('run: three of one name give three results', {
  run: async (ctx) => {
    const results = [];
    for (let index = 0; index < 3; index += 1) results.push(await ctx.run('same', () => index * 10));
    await ctx.task(echo, null);
    return results;
  },
  gives: [0, 10, 20],
});

suite.check('run: two at once that finish the other way round', {
  run: async (ctx) => {
    const order = [];
    const timed = (name, duration) =>
      ctx.run(name, () => pause(duration).then(() => name)).then((value) => order.push(value));
    await Promise.all([timed('slow', 40), timed('quick', 1)]);
    const before = [...order];
    await ctx.task(echo, null);
    return [before, order];
  },
  gives: [
    ['quick', 'slow'],
    ['quick', 'slow'],
  ],
});

suite.check('run: a failure is recorded and thrown alike in every replay', {
  run: async (ctx) => {
    const error = await thrownBy(() =>
      ctx.run('explode', () => {
        throw new TypeError('no such thing');
      }),
    );
    noteEachRun(ctx, `${error.name}: ${error.message}`);
    await ctx.task(echo, null);
    return 'caught';
  },
  gives: 'caught',
  then: ({ notes }) => same(new Set(notes).size, 1),
});
