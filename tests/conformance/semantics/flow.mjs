import { Duration } from '@flovyn/sdk';

import { commandsOf, equal } from '../stage.mjs';

/** Waiting, order, ends and operations. @type {import('../semantics.mjs').Row[]} */
export const rows = [];

const promise = (row) => rows.push(row);
const ms = Duration.milliseconds;
const HOUR = Duration.hours(1);
const nothing = async () => {};

// --- suspending is nothing that code can see ---

promise({
  name: 'catch is not run by waiting',
  run: async (ctx) => {
    try {
      return await ctx.scheduleByName('charge');
    } catch {
      return await ctx.scheduleByName('refund');
    }
  },
  held: ['charge'],
  act: async (stage) => {
    await stage.suspended(1, ['TASK_SCHEDULED charge']);
    await stage.complete('charge', 'charged');
  },
  gives: 'charged',
  commands: ['TASK_SCHEDULED charge'],
});

promise({
  name: 'finally is not run by waiting',
  run: async (ctx) => {
    try {
      await ctx.scheduleByName('work');
    } finally {
      await ctx.scheduleByName('cleanup');
    }
  },
  held: ['work'],
  act: async (stage) => {
    await stage.suspended(1, ['TASK_SCHEDULED work']);
    await stage.complete('work');
  },
  commands: ['TASK_SCHEDULED work', 'TASK_SCHEDULED cleanup'],
});

promise({
  name: 'return await within try waits',
  run: async (ctx) => {
    try {
      return await ctx.scheduleByName('t');
    } catch {
      return 'fallback';
    }
  },
  held: ['t'],
  act: async (stage) => {
    await stage.suspended(1, ['TASK_SCHEDULED t']);
    await stage.complete('t', 'value');
  },
  gives: 'value',
});

for (const combinator of ['allSettled', 'any']) {
  promise({
    name: `${combinator} of two that are pending waits for them`,
    run: async (ctx) => {
      const both = [ctx.scheduleByName('t'), ctx.scheduleByName('u')];
      const ends = await Promise[combinator](both);
      return combinator === 'any' ? ends : ends.map(({ status }) => status);
    },
    held: ['t', 'u'],
    act: async (stage) => {
      await stage.suspended(1, ['TASK_SCHEDULED t', 'TASK_SCHEDULED u']);
      await stage.failTask('t', 'no');
      await stage.complete('u', 'yes');
    },
    gives: combinator === 'any' ? 'yes' : ['rejected', 'fulfilled'],
  });
}

// --- order ---

const ORDERS = {
  'task before timer': (work, timer) => [work, timer],
  'timer before task': (work, timer) => [timer, work],
};
for (const [order, arrange] of Object.entries(ORDERS)) {
  const run = async (ctx, durationMs) => {
    const work = ctx.scheduleByName('t');
    const timer = ctx.sleep(ms(durationMs)).then(() => 'timeout');
    const winner = await Promise.race(arrange(work, timer));
    await work;
    return winner;
  };

  promise({
    name: `race, the task is first (${order})`,
    run,
    // Long enough for a fresh worker on a busy machine: the task must be first.
    input: 4_000,
    held: ['t'],
    act: async (stage) => {
      await stage.suspended(1, ['TASK_SCHEDULED t', 'TIMER_STARTED timer-0']);
      await stage.offline(async () => {
        await stage.complete('t', 'result');
        await stage.until('TIMER_FIRED');
      });
    },
    gives: 'result',
  });

  promise({
    name: `race, the timer is first (${order})`,
    run,
    input: 1,
    held: ['t'],
    act: async (stage) => {
      await stage.suspended(1);
      await stage.offline(async () => {
        await stage.until('TIMER_FIRED');
        await stage.complete('t', 'result');
      });
    },
    gives: 'timeout',
  });
}

promise({
  name: 'all of two sleeps starts both timers',
  run: async (ctx) => {
    await Promise.all([ctx.sleep(ms(60)), ctx.sleep(ms(120))]);
  },
  act: (stage) => stage.suspended(1, ['TIMER_STARTED timer-0', 'TIMER_STARTED timer-1']),
  commands: ['TIMER_STARTED timer-0', 'TIMER_STARTED timer-1'],
});

const HUNDRED = Array.from({ length: 100 }, (_, index) => index);
promise({
  name: 'all of 100 tasks that end in any order',
  run: (ctx) => Promise.all(HUNDRED.map((index) => ctx.scheduleByName(`numbered-${index}`, index))),
  tasks: HUNDRED.map((index) => `numbered-${index}`),
  held: HUNDRED.map((index) => `numbered-${index}`),
  act: async (stage) => {
    await stage.suspended(1);
    for (const index of HUNDRED) {
      const shuffled = (index * 37) % 100;
      const { resolve } = await stage.attempt(`numbered-${shuffled}`);
      resolve(shuffled);
    }
  },
  gives: HUNDRED,
  commands: HUNDRED.map((index) => `TASK_SCHEDULED numbered-${index}`),
});

// --- ends ---

promise({
  name: 'what nobody awaits is sent with the end',
  run: (ctx, _, { op }) => {
    ctx.set('k', 1);
    ctx.run('a', () => op('a'));
    ctx.scheduleByName('t');
    return 'ended';
  },
  gives: 'ended',
  then: ({ history }) => {
    equal(
      'commands',
      ['OPERATION_COMPLETED a', 'STATE_SET k', 'TASK_SCHEDULED t'],
      commandsOf(history).sort(),
    );
    equal('last event', 'WORKFLOW_COMPLETED', history.at(-1).type);
  },
});

promise({
  name: 'after the end nothing goes on',
  run: (ctx, _, { op }) => {
    ctx.run('a', () => op('a')).then(() => ctx.scheduleByName('t'));
    ctx.waitForSignal('s').then(() => ctx.scheduleByName('u'));
    return 'ended';
  },
  held: ['a'],
  act: async (stage) => {
    const operation = await stage.operation('a');
    await stage.signal('s', null);
    operation.resolve(null);
  },
  gives: 'ended',
  commands: ['OPERATION_COMPLETED a'],
});

promise({
  name: 'null and undefined are results',
  run: async (ctx, _, { op, children }) => {
    const fromPromise = ctx.promise('p');
    return [
      await ctx.scheduleByName('t', null),
      await ctx.scheduleWorkflow(children.nothing, null),
      (await ctx.run('a', () => void op('a'))) ?? null,
      await ctx.run('b', () => null),
      await fromPromise,
    ];
  },
  children: { nothing: () => undefined },
  act: async (stage) => {
    await stage.until('PROMISE_CREATED');
    await stage.resolvePromise('p', undefined);
  },
  gives: [null, null, null, null, null],
});

// --- operations ---

promise({
  name: 'two operations that finish the other way round',
  run: async (ctx, _, { op }) => {
    const order = [];
    const note = (name) => ctx.run(name, () => op(name)).then(() => order.push(name));
    await Promise.all([note('a'), note('b')]);
    await ctx.scheduleByName('t');
    return order;
  },
  held: ['a', 'b'],
  act: async (stage) => {
    const first = await stage.operation('a');
    (await stage.operation('b')).resolve(2);
    await stage.until('OPERATION_COMPLETED');
    first.resolve(1);
  },
  gives: ['b', 'a'],
  commands: ['OPERATION_COMPLETED b', 'OPERATION_COMPLETED a', 'TASK_SCHEDULED t'],
});

promise({
  name: 'three operations of one name have three results',
  run: async (ctx, _, { op }) => {
    const results = [];
    for (let index = 0; index < 3; index += 1) results.push(await ctx.run('x', () => op('x') ?? index));
    await ctx.scheduleByName('t');
    return results;
  },
  gives: [0, 1, 2],
  then: (stage) => equal('calls', 3, stage.timesBegun('x')),
});

promise({
  name: 'a signal that lands while an operation runs: the race',
  run: async (ctx, _, { op }) => {
    const winner = await Promise.race([ctx.waitForSignal('s'), ctx.run('a', () => op('a'))]);
    await ctx.scheduleByName('t');
    return winner;
  },
  held: ['a'],
  act: async (stage) => {
    const operation = await stage.operation('a');
    await stage.signal('s', 'signal');
    operation.resolve('operation');
  },
  gives: 'signal',
});

promise({
  name: 'a signal that lands while an operation runs: the question after it',
  run: async (ctx, _, { op }) => {
    await ctx.run('a', () => op('a'));
    if (ctx.hasSignal('s')) return 'signalled';
    await ctx.scheduleByName('t');
    return 'not signalled';
  },
  held: ['a'],
  act: async (stage) => {
    const operation = await stage.operation('a');
    await stage.signal('s', null);
    operation.resolve(null);
  },
  gives: 'signalled',
  commands: ['OPERATION_COMPLETED a'],
});

promise({
  name: 'a task that ends while an operation runs',
  run: async (ctx, _, { op }) => {
    const order = [];
    const work = ctx.scheduleByName('t').then(() => order.push('task'));
    await ctx.scheduleByName('u');
    await ctx.run('a', () => op('a')).then(() => order.push('operation'));
    await work;
    return order;
  },
  held: ['t', 'a'],
  act: async (stage) => {
    const operation = await stage.operation('a');
    await stage.complete('t', null);
    operation.resolve(null);
  },
  gives: ['task', 'operation'],
});

promise({
  name: 'killed in the seventh of ten operations: the first six are not run again',
  run: async (ctx, _, { op }) => {
    for (let index = 1; index <= 10; index += 1) await ctx.run(`op${index}`, () => op(`op${index}`));
    return 'done';
  },
  held: ['op7'],
  act: async (stage) => {
    await stage.operation('op7');
    await stage.offline(nothing);
    (await stage.operation('op7')).resolve(null);
  },
  gives: 'done',
  then: (stage) => {
    const times = Array.from({ length: 10 }, (_, index) => stage.timesBegun(`op${index + 1}`));
    equal('calls', [1, 1, 1, 1, 1, 1, 2, 1, 1, 1], times);
  },
});

promise({
  name: 'an operation begun by what came with a cancel request is recorded once',
  run: async (ctx, _, { op }) => {
    const charged = ctx.scheduleByName('t').then(() => ctx.run('charge', () => op('charge')));
    try {
      await ctx.sleep(HOUR);
    } catch (error) {
      await ctx.nonCancellable(() => ctx.scheduleByName('cleanup'));
      await charged.catch(() => {});
      throw error;
    }
  },
  held: ['t'],
  act: async (stage) => {
    await stage.suspended(1);
    await stage.offline(async () => {
      await stage.complete('t', null);
      await stage.cancel('enough');
    });
  },
  cancelled: true,
  then: (stage) => {
    equal('calls', 1, stage.timesBegun('charge'));
    const records = commandsOf(stage.history).filter((command) => command === 'OPERATION_COMPLETED charge');
    equal('records', 1, records.length);
  },
});
