import { Duration } from '@flovyn/sdk';

import { commandsOf, equal } from './stage.mjs';

/**
 * What workflows may rely on, one row per promise that is easily broken: a workflow, a script of what happens to it, and
 * what must come of it. Each row is played in every mode of stage.mjs.
 *
 * @typedef {object} Row
 * @property {string} name
 * @property {(ctx: any, input: any, outside: { op: (name: string) => unknown }) => unknown} run the workflow function
 * @property {Record<string, Row['run']>} [children] other workflows, by name
 * @property {string[]} [held] tasks and operations that wait until the script ends them; all others end at once
 * @property {string[]} [tasks] kinds of tasks beside those that every stage has
 * @property {(stage: import('./stage.mjs').Stage) => Promise<unknown>} [lands] what happens between the first claim and
 *   its submission
 * @property {(stage: import('./stage.mjs').Stage) => Promise<unknown>} [act] the script
 * @property {unknown} [gives] the result it must have
 * @property {RegExp} [fails] what its error must say
 * @property {true} [anyResult] it must complete, with whatever
 * @property {true} [cancelled] it must end as cancelled
 * @property {true} [neverEnds] it stays suspended
 * @property {string[]} [commands] what must be in its history in the end, and nothing more
 * @property {(stage: import('./stage.mjs').Stage) => void | Promise<void>} [then] what else must be true
 *
 * @type {Row[]}
 */
export const rows = [];

const ms = Duration.milliseconds;
/** @param {Row} row */
const promise = (row) => rows.push(row);

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
    input: 200,
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

// --- signals ---

promise({
  name: 'no signal, then one is waited for and comes',
  run: async (ctx) => {
    if (ctx.hasSignal('s')) return 'too early';
    const value = await ctx.waitForSignal('s');
    await ctx.scheduleByName('t');
    return value;
  },
  act: async (stage) => {
    await stage.suspended(1);
    await stage.signal('s', 'value');
  },
  gives: 'value',
});

promise({
  name: 'signals drained in a loop, over three turns',
  run: async (ctx) => {
    const turns = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const seen = [];
      while (ctx.hasSignal('s')) seen.push(...ctx.drainSignals('s'));
      await ctx.scheduleByName('t');
      turns.push([...seen, await ctx.waitForSignal('s')]);
    }
    return turns;
  },
  held: ['t'],
  act: async (stage) => {
    for (const turn of [1, 2, 3]) {
      await stage.signal('s', `${turn}a`);
      await stage.complete('t', null);
      if (turn < 3) await stage.suspended(turn * 2);
    }
    await stage.signal('s', 'last');
  },
  then: async (stage) => {
    const turns = await stage.handle.result();
    equal(
      'signals',
      ['1a', '2a', '3a'],
      turns.flat().filter((value) => value !== 'last'),
    );
    equal('turns', 3, turns.length);
  },
  anyResult: true,
});

promise({
  name: 'a signal that lands in the first activation',
  run: async (ctx) => {
    const before = ctx.hasSignal('s');
    const value = await ctx.waitForSignal('s');
    await ctx.scheduleByName('t');
    return [before, value];
  },
  lands: (stage) => stage.signal('s', 'landed'),
  gives: [false, 'landed'],
});

promise({
  name: 'waiters are served in order, and a cancelled one is passed over',
  run: async (ctx) => {
    const [first, second, third] = [ctx.waitForSignal('s'), ctx.waitForSignal('s'), ctx.waitForSignal('s')];
    await ctx.scheduleByName('t');
    second.cancel();
    const ends = await Promise.allSettled([first, second, third]);
    return ends.map(({ value, reason }) => value ?? reason.name);
  },
  act: async (stage) => {
    await stage.until('TASK_COMPLETED');
    await stage.suspended(2);
    await stage.signal('s', 1);
    await stage.signal('s', 2);
  },
  gives: [1, 'HandleCancelled', 2],
});

// --- names and state ---

promise({
  name: 'a key that was cleared is set again',
  run: async (ctx) => {
    ctx.set('k', 1);
    ctx.clear('k');
    ctx.set('k', 2);
    await ctx.scheduleByName('t');
    await ctx.scheduleByName('u');
    return ctx.get('k');
  },
  gives: 2,
  commands: ['STATE_SET k', 'STATE_CLEARED k', 'STATE_SET k', 'TASK_SCHEDULED t', 'TASK_SCHEDULED u'],
});

promise({
  name: 'two children of one kind are two; one name given twice is refused; two promises of one name are two',
  run: async (ctx, _, { children }) => {
    const both = [ctx.scheduleWorkflow(children.child, 1), ctx.scheduleWorkflow(children.child, 2)];
    const named = ctx.scheduleWorkflow(children.child, 3, { name: 'given' });
    let refusal = 'none';
    try {
      ctx.scheduleWorkflow(children.child, 4, { name: 'given' });
    } catch (error) {
      refusal = error.message;
    }
    const promises = [ctx.promise('p'), ctx.promise('p')];
    const ids = new Set([...both, named].map((handle) => handle.childExecutionId));
    return [
      ids.size,
      await Promise.all([...both, named]),
      refusal.includes('given'),
      await Promise.all(promises),
    ];
  },
  children: { child: (_ctx, input) => input * 10 },
  act: async (stage) => {
    await stage.until('PROMISE_CREATED', 2);
    await stage.resolvePromise('p', 'first');
    await stage.resolvePromise('p', 'second');
  },
  gives: [3, [10, 20, 30], true, ['first', 'second']],
  commands: [
    'CHILD_WORKFLOW_INITIATED child-1',
    'CHILD_WORKFLOW_INITIATED child-2',
    'CHILD_WORKFLOW_INITIATED given',
    'PROMISE_CREATED p',
    'PROMISE_CREATED p',
  ],
});

// --- timers and time ---

promise({
  name: 'a timer that has fired is cancelled, then another one',
  run: async (ctx) => {
    const [short, long] = [ctx.sleep(ms(1)), ctx.sleep(HOUR)];
    await ctx.scheduleByName('t');
    short.cancel();
    await ctx.scheduleByName('u');
    long.cancel();
    const ends = await Promise.allSettled([short, long]);
    return ends.map(({ status }) => status);
  },
  held: ['t'],
  act: async (stage) => {
    await stage.suspended(1);
    // The end of the task stands before the firing in the history, so that it is cancelled when it has not fired yet.
    await stage.complete('t', null);
  },
  anyResult: true,
  then: (stage) => {
    equal('violations', [], stage.violations);
    const cancelled = commandsOf(stage.history).filter((command) => command.startsWith('TIMER_CANCELLED'));
    equal('no command twice', [...new Set(cancelled)], cancelled);
  },
});

promise({
  name: 'a timer fires while the submission that cancels it is under way',
  run: async (ctx) => {
    const timer = ctx.sleep(ms(300));
    await ctx.scheduleByName('t');
    timer.cancel();
    const end = await timer.then(
      () => 'fired',
      (error) => error.name,
    );
    await ctx.scheduleByName('u');
    return end;
  },
  held: ['t'],
  act: async (stage) => {
    await stage.suspended(1);
    const landed = stage.landing(() => stage.until('TIMER_FIRED'));
    await stage.complete('t', null);
    await landed;
  },
  gives: 'HandleCancelled',
  commands: ['TIMER_STARTED timer-0', 'TASK_SCHEDULED t', 'TIMER_CANCELLED timer-0', 'TASK_SCHEDULED u'],
});

promise({
  name: 'a sleep of no time ends',
  run: async (ctx) => {
    await ctx.sleep(ms(0));
    return 'awake';
  },
  gives: 'awake',
  commands: ['TIMER_STARTED timer-0'],
});

promise({
  name: 'time, random numbers and ids are the same in every replay',
  run: async (ctx) => {
    const read = () => [ctx.currentTimeMillis(), ctx.random(), ctx.randomUUID()];
    const first = read();
    await ctx.sleep(ms(20));
    const second = read();
    await ctx.scheduleByName('t');
    const third = read();
    const seen = JSON.stringify([first, second, third]);
    ctx.set('seen', seen);
    await ctx.scheduleByName('u');
    return ctx.get('seen') === seen && second[0] >= first[0] + 20;
  },
  gives: true,
});

// --- cancellation ---

promise({
  name: 'cancelled in a sleep of 30 days: what was done is undone, and it ends as cancelled',
  run: async (ctx) => {
    void (async () => {
      await ctx.sleep(Duration.days(1));
    })();
    try {
      await ctx.sleep(Duration.days(30));
    } finally {
      await ctx.scheduleByName('refund');
    }
  },
  act: async (stage) => {
    await stage.suspended(1);
    await stage.cancel('enough');
  },
  cancelled: true,
  commands: ['TIMER_STARTED timer-0', 'TIMER_STARTED timer-1', 'TASK_SCHEDULED refund'],
});

// --- code that changes ---

const recorded = async (ctx, _, { op }) => {
  ctx.set('k', 1);
  await ctx.run('a', () => op('a'));
  await ctx.scheduleByName('t');
  await ctx.scheduleByName('u');
  return 'as before';
};
const CHANGES = {
  'adds a task': [
    'Task type mismatch',
    async (ctx, input, outside) => (await ctx.scheduleByName('work'), recorded(ctx, input, outside)),
  ],
  'removes a task': [
    'TASK_SCHEDULED',
    async (ctx, _, { op }) => {
      ctx.set('k', 1);
      await ctx.run('a', () => op('a'));
      return 'too early';
    },
  ],
  'swaps two tasks': [
    'Task type mismatch',
    async (ctx, _, { op }) => {
      ctx.set('k', 1);
      await ctx.run('a', () => op('a'));
      await ctx.scheduleByName('u');
      await ctx.scheduleByName('t');
    },
  ],
  'sets another key': [
    'State key mismatch',
    async (ctx, input, outside) => (ctx.set('l', 1), recorded(ctx, input, outside)),
  ],
  'adds an operation': [
    'Operation name mismatch',
    async (ctx, input, outside) => (
      await ctx.run('added', () => outside.op('added')), recorded(ctx, input, outside)
    ),
  ],
};
for (const [change, [text, changed]] of Object.entries(CHANGES)) {
  promise({
    name: `code that ${change} is told so, does nothing, and the old code goes on`,
    run: recorded,
    held: ['u'],
    act: async (stage) => {
      await stage.until('TASK_COMPLETED');
      const attempt = await stage.attempt('u');
      await stage.deploy(changed);
      attempt.resolve(null);
      const [violation] = await stage.violated();
      if (!violation.includes(text))
        throw new Error(`expected a violation with "${text}", got: ${violation}`);
      await stage.deploy(recorded);
    },
    gives: 'as before',
    commands: ['STATE_SET k', 'OPERATION_COMPLETED a', 'TASK_SCHEDULED t', 'TASK_SCHEDULED u'],
    then: (stage) => equal('calls of the added operation', 0, stage.timesBegun('added')),
  });
}

const patched = async (ctx) => {
  const answers = [];
  for (let turn = 0; turn < 3; turn += 1) {
    answers.push(ctx.patched('id'));
    await ctx.scheduleByName('t');
  }
  return [...answers, ctx.patched('id')];
};
const patchesOf = (events) => events.filter(({ data }) => data.operationName === '$patch:id').length;

promise({
  name: 'a patch in an execution that is older: no, throughout',
  run: async (ctx) => {
    for (let turn = 0; turn < 3; turn += 1) await ctx.scheduleByName('t');
    return 'old';
  },
  held: ['t'],
  act: async (stage) => {
    await stage.suspended(1);
    await stage.complete('t', null);
    await stage.deploy(patched);
    await stage.complete('t', null);
    await stage.complete('t', null);
  },
  gives: [false, false, false, false],
  then: ({ history }) => equal('records', 0, patchesOf(history)),
});

promise({
  name: 'a patch in a new execution: yes, throughout, recorded once',
  run: patched,
  gives: [true, true, true, true],
  then: ({ history }) => equal('records', 1, patchesOf(history)),
});
