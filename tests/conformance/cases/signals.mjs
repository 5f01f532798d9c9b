import { Duration } from '@flovyn/sdk';

import { same, thrownBy, until } from '../harness.mjs';
import { echo, ms, noteByTask, noteEachRun, suite } from '../tools.mjs';

// Signals, their handlers, and queries.

suite.check('signal: taken in the order they came, waited for or not', {
  run: async (ctx) => {
    const first = await ctx.waitForSignal('s');
    await ctx.waitForSignal('all sent');
    const [has, count] = [ctx.hasSignal('s'), ctx.pendingSignalCount('s')];
    const second = await ctx.waitForSignal('s');
    await ctx.task(echo, null);
    return [first, has, count, second, ctx.drainSignals('s'), ctx.hasSignal('s')];
  },
  act: async ({ handle }) => {
    for (const value of [{ n: 1 }, 2n, null, undefined]) await handle.signal('s', value);
    await handle.signal('all sent');
  },
  gives: [{ n: 1 }, true, 3, 2n, [null, null], false],
});

suite.check('signal: a cancelled waiter leaves the line, one that lost a race stays in it', {
  run: async (ctx) => {
    const cancelled = ctx.waitForSignal('s');
    cancelled.cancel();
    const loser = ctx.waitForSignal('s');
    await Promise.race([loser, ctx.sleep(ms(5))]);
    noteByTask(ctx, 'asked');
    const next = ctx.waitForSignal('s');
    return [(await thrownBy(() => cancelled)).name, await loser, await next];
  },
  act: async ({ handle, notes }) => {
    await until(() => notes.includes('asked'));
    await handle.signal('s', 'first');
    await handle.signal('s', 'second');
  },
  gives: ['HandleCancelled', 'first', 'second'],
});

suite.check('signal: several rounds of work between them', {
  run: async (ctx) => {
    const rounds = [];
    for (let round = 0; round < 3; round += 1) {
      rounds.push(await ctx.waitForSignal('round'));
      await ctx.task(echo, round);
      noteEachRun(ctx, round);
    }
    return rounds;
  },
  act: async ({ handle, notes }) => {
    for (const round of [0, 1, 2]) {
      await handle.signal('round', round);
      await until(() => notes.includes(round));
    }
  },
  gives: [0, 1, 2],
});

suite.checkOutside('signal: with a start, one run for a key', async ({ client }) => {
  const workflowId = globalThis.crypto.randomUUID();
  const signal = (signalValue) =>
    client.signalWithStartWorkflow(collector, { workflowId, signalName: 's', signalValue });
  const [first, second] = [await signal(1), await signal(2)];
  same([first.workflowCreated, second.workflowCreated], [true, false]);
  same(first.workflowHandle.workflowId, second.workflowHandle.workflowId);
  same(await first.workflowHandle.result(), [1, 2]);
});

const collector = suite.workflow('collector', async (ctx) => [
  await ctx.waitForSignal('s'),
  await ctx.waitForSignal('s'),
]);

suite.check('handler: gets each signal of its name in order, with the context of the function', {
  handlers: {
    signals: {
      add: async (ctx, n) => {
        ctx.set('sum', (ctx.get('sum') ?? 0) + n);
        await ctx.task(echo, n);
        ctx.set('done', (ctx.get('done') ?? 0) + n);
      },
    },
  },
  run: async (ctx) => {
    await ctx.waitForSignal('stop');
    return [ctx.get('sum'), ctx.get('done'), ctx.hasSignal('add')];
  },
  act: async ({ handle }) => {
    for (const n of [1, 10, 100]) await handle.signal('add', n);
    while ((await handle.query('done')) !== 111) await new Promise((resolve) => setTimeout(resolve, 5));
    await handle.signal('stop');
  },
  gives: [111, 111, false],
});

suite.check('handler: what it throws fails the execution', {
  handlers: {
    signals: {
      poke: () => {
        throw new Error('do not poke');
      },
    },
  },
  run: (ctx) => ctx.sleep(Duration.hours(1)),
  act: ({ handle }) => handle.signal('poke'),
  fails: /do not poke/,
});

suite.check('query: its handler answers from the state, running and ended', {
  needs: 'extensions',
  handlers: {
    queries: {
      progress: (ctx, { unit }) => `${ctx.get('done') ?? 0} ${unit} of ${ctx.stateKeys().length}`,
      broken: () => {
        throw new Error('no such thing');
      },
    },
  },
  run: async (ctx) => {
    ctx.set('done', 7);
    noteByTask(ctx, 'set');
    await ctx.waitForSignal('end');
  },
  act: async ({ handle, notes }) => {
    await until(() => notes.includes('set'));
    same(await handle.query('progress', { unit: 'km' }), '7 km of 1');
    same(await handle.query('done'), 7);
    same((await thrownBy(() => handle.query('broken'))).message.includes('no such thing'), true);
    await handle.signal('end');
  },
  then: async ({ handle }) => same(await handle.query('progress', { unit: 'm' }), '7 m of 1'),
});
