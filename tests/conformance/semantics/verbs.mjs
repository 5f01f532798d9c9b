import { Duration } from '@flovyn/sdk';

import { commandsOf, equal } from '../stage.mjs';

/** Signals, children, state, time and cancellation. @type {import('../semantics.mjs').Row[]} */
export const rows = [];

const promise = (row) => rows.push(row);
const ms = Duration.milliseconds;
const HOUR = Duration.hours(1);

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
    // Long enough for a fresh worker on a busy machine: the row wants the submission to be under way when it fires.
    const timer = ctx.sleep(ms(3_000));
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
