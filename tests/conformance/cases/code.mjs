import { Duration } from '@flovyn/sdk';

import { same, thrownBy, until } from '../harness.mjs';
import { echo, fail, ms, noteByTask, noteEachRun, pause, slowEcho, suite } from '../tools.mjs';

// What workflow code may rely on while it runs: state, time, order, turns.

// --- state ---

suite.check('state: set, get, clear and keys', {
  run: async (ctx) => {
    ctx.set('a', { n: 1 });
    ctx.setState('b', [2]);
    await ctx.task(echo, null);
    const first = [ctx.get('a'), ctx.getState('b'), ctx.get('missing'), ctx.stateKeys()];
    ctx.clear('a');
    await ctx.task(echo, null);
    const second = [ctx.get('a'), ctx.stateKeys()];
    ctx.clearAll();
    await ctx.task(echo, null);
    return [first, second, ctx.stateKeys()];
  },
  gives: [[{ n: 1 }, [2], null, ['a', 'b']], [null, ['b']], []],
});

// --- time, random, ids ---

suite.check('time, random, ids: the same in every replay', {
  run: async (ctx) => {
    const read = () => [ctx.currentTimeMillis(), ctx.currentTime(), ctx.random(), ctx.randomUUID()];
    const first = read();
    await ctx.sleep(ms(20));
    const second = read();
    await ctx.task(echo, null);
    noteEachRun(ctx, JSON.stringify([first, second]));
    await ctx.task(echo, null);
    return [
      second[0] >= first[0],
      first[2] >= 0 && first[2] < 1,
      first[2] !== second[2],
      first[3] !== second[3],
    ];
  },
  gives: [true, true, true, true],
  then: ({ notes, replays }) => same([notes.length > 1, new Set(notes).size], [replays, 1]),
});

// --- concurrency ---

for (const [order, arrange] of [
  ['task first', (work, timer) => [work, timer]],
  ['timer first', (work, timer) => [timer, work]],
]) {
  suite.check(`race: the task wins (${order})`, {
    run: async (ctx) => {
      const work = ctx.task(echo, 'task');
      const timer = ctx.sleep(Duration.hours(1)).then(() => 'timer');
      return await Promise.race(arrange(work, timer));
    },
    gives: 'task',
  });

  suite.check(`race: the timer wins, and wins again in replay (${order})`, {
    run: async (ctx) => {
      const work = ctx.task(slowEcho, { after: 300, value: 'task' });
      const timer = ctx.sleep(ms(10)).then(() => 'timer');
      const winner = await Promise.race(arrange(work, timer));
      await work;
      await ctx.task(echo, null);
      return winner;
    },
    gives: 'timer',
  });
}

suite.check('any and allSettled: suspend until they are decided', {
  run: async (ctx) => [
    await Promise.any([ctx.task(fail, 'first'), ctx.task(slowEcho, { after: 20, value: 'second' })]),
    (await Promise.allSettled([ctx.task(fail, 'x'), ctx.task(echo, 1)])).map(({ status }) => status),
  ],
  gives: ['second', ['rejected', 'fulfilled']],
});

suite.check('run dry: 100,000 awaits are one turn', {
  run: async (ctx) => {
    const chain = async () => {
      for (let index = 0; index < 100_000; index += 1) await null;
    };
    await chain();
    const first = await ctx.task(echo, 'after the start');
    await chain();
    return [first, await ctx.task(echo, 'after a job')];
  },
  gives: ['after the start', 'after a job'],
});

suite.check('suspending throws nothing: catch, finally and return await wait', {
  run: async (ctx) => {
    const steps = [];
    const step = (value) => ctx.task(echo, value).then((given) => steps.push(given));
    try {
      await step('charge');
    } catch {
      await step('refund');
    }
    try {
      await step('work');
    } finally {
      await step('cleanup');
    }
    const fallback = async () => {
      try {
        return await ctx.task(slowEcho, { after: 10, value: 'value' });
      } catch {
        return 'fallback';
      }
    };
    noteEachRun(ctx, steps.join());
    return [steps, await fallback()];
  },
  gives: [['charge', 'work', 'cleanup'], 'value'],
});

suite.check('un-awaited work is sent with the result', {
  run: async (ctx) => {
    ctx.set('status', 'ending');
    ctx.run('operation', () => noteEachRun(ctx, 'operation'));
    noteByTask(ctx, 'task');
    return 'ended';
  },
  gives: 'ended',
  then: async ({ notes }) => {
    await until(() => notes.length === 2);
    same([...notes].sort(), ['operation', 'task']);
  },
});

suite.check('a failure that nobody awaits harms nobody', {
  run: async (ctx) => {
    ctx.schedule(fail, 'nobody listens');
    await ctx.task(slowEcho, { after: 30, value: null });
    return 'fine';
  },
  gives: 'fine',
});

suite.check('calling the context after a wait outside of ctx.run is refused with advice', {
  run: async (ctx) => {
    await pause(5);
    const error = await thrownBy(() => ctx.task(echo, 'too late'));
    noteEachRun(ctx, [error.code, error.message.includes('ctx.run')]);
  },
  act: ({ notes }) => until(() => notes.length > 0),
  neverEnds: true,
  then: ({ notes }) => same(notes[0], ['NOT_IN_TURN', true]),
});
