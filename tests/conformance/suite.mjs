import { Duration, FlovynClient, task } from '@flovyn/sdk';

import { Suite, same, thrownBy, until } from './harness.mjs';
import { ledger } from './order/ledger.js';
import { tasks as orderTasks } from './order/tasks.js';
import { processOrder } from './order/workflows.js';

/**
 * What every runtime must do alike, embedded and against a server. One file, and no import of any runtime: an adapter
 * per runtime calls `runConformance` and prints what it reports.
 */
const suite = new Suite();
const ms = Duration.milliseconds;
const pause = (duration) => new Promise((resolve) => setTimeout(resolve, duration));
const quickRetry = { maxRetries: 2, initialDelay: ms(1), maxDelay: ms(1), backoffMultiplier: 1 };

const echo = task({ name: 'echo', run: async (_ctx, input) => input });
const slowEcho = task({
  name: 'slow-echo',
  run: async (_ctx, { after, value }) => {
    await pause(after);
    return value;
  },
});
const flaky = task({
  name: 'flaky',
  retry: quickRetry,
  run: async (ctx, failures) => {
    if (ctx.attempt <= failures) throw new Error(`attempt ${ctx.attempt} failed`);
    return ctx.attempt;
  },
});
const fail = task({
  name: 'fail',
  retry: { ...quickRetry, maxRetries: 0 },
  run: async (_ctx, message) => {
    throw new Error(message);
  },
});
const note = task({ name: 'note', run: async (_ctx, { id, value }) => suite.note(id, value) });
const tasks = [echo, slowEcho, flaky, fail, note];

/** A task whose run can be seen from outside. */
const noteByTask = (ctx, value) => ctx.schedule(note, { id: ctx.workflowExecutionId, value });
/** Seen from outside at once, and again each time the function is replayed. */
const noteEachRun = (ctx, value) => suite.note(ctx.workflowExecutionId, value);
const promiseOf = (handle, name) => `${handle.workflowId}:${name}`;
/** Resolves or rejects a promise that the workflow created before the task that noted `asked`. */
const whenAsked = (answer) => async (tools) => {
  await until(() => tools.notes.includes('asked'));
  await answer(tools);
};

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
  // An execution that is kept in memory passes there once.
  then: ({ notes }) => same([notes.length > 1, new Set(notes).size], [suite.replaysAlways, 1]),
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

// --- values and ends ---

suite.check('nothing and null: null everywhere', {
  run: async (ctx) => {
    const none = await ctx.run('none', () => undefined);
    return [
      await ctx.task(echo, null),
      await ctx.task(echo, undefined),
      none ?? null,
      await ctx.run('null', () => null),
    ];
  },
  gives: [null, null, null, null],
});

suite.check('a workflow that gives nothing gives null', { run: async () => undefined, gives: null });

const rich = {
  date: new Date('2024-02-29T12:00:00.000Z'),
  big: 12345678901234567890n,
  bytes: new Uint8Array([0, 127, 255]),
  map: new Map([['k', new Set([1, 2])]]),
  numbers: [Number.NaN, Number.POSITIVE_INFINITY, -0, 1.5, Number.MAX_SAFE_INTEGER],
  text: 'Grüße, 世界 🌍 "quoted" \\ \u2028',
  tagged: { __type: 'not one of ours', value: 1 },
};
suite.check('values: what JSON alone would lose survives tasks, operations and results', {
  run: async (ctx, input) => [await ctx.task(echo, input), await ctx.run('copy', () => input)],
  input: rich,
  gives: [rich, rich],
});

suite.check('a workflow that throws fails with its message', {
  run: async () => {
    throw new Error('out of paper');
  },
  fails: /out of paper/,
});

suite.check('start: the same idempotency key gives the same execution', {
  run: async (ctx) => ctx.workflowExecutionId,
  then: async ({ client, definition, handle }) => {
    const startAgain = (idempotencyKey) => client.startWorkflow(definition, null, { idempotencyKey });
    const [first, second, other] = [
      await startAgain(handle.workflowId),
      await startAgain(handle.workflowId),
      await startAgain('other'),
    ];
    same(first.handle.workflowId === second.handle.workflowId, true);
    same(first.handle.workflowId === other.handle.workflowId, false);
  },
});

suite.checkOutside('start: an unknown workflow id is NOT_FOUND', async ({ client }) => {
  const error = await thrownBy(() =>
    client.getWorkflowHandle('00000000-0000-4000-8000-000000000000').result(),
  );
  same(error.code, 'NOT_FOUND');
});

// --- the order example, as people copy it ---

const order = (id, priceCents) => ({
  id,
  customer: 'Ada',
  items: [{ sku: 'lamp', quantity: 2, priceCents }],
});
const effectsOf = async (orderId) =>
  (await ledger.store.lines())
    .filter((line) => line.type === 'effect' && line.orderId === orderId)
    .map((line) => line.step);

async function processAndAnswer(client, placed, answer) {
  const { handle } = await client.startWorkflow(processOrder, placed);
  while (!(await effectsOf(placed.id)).includes('ask-for-approval')) await pause(5);
  await client.resolvePromise(promiseOf(handle, 'approval'), answer);
  return await handle.result();
}

suite.checkOutside('order: approved and shipped', async ({ client }) => {
  const result = await processAndAnswer(client, order('order-1', 4_950), { approved: true, by: 'Grace' });
  same(result, {
    status: 'shipped',
    orderId: 'order-1',
    paymentId: 'payment-order-1',
    trackingCode: 'tracking-order-1',
  });
  same(await effectsOf('order-1'), ['charge', 'reserve-stock', 'ask-for-approval', 'ship']);
});

suite.checkOutside('order: declined, and all that was done undone in reverse order', async ({ client }) => {
  const answer = { approved: false, by: 'Grace', note: 'too dear' };
  const result = await processAndAnswer(client, order('order-2', 9_900), answer);
  same(result, { status: 'cancelled', orderId: 'order-2', reason: 'declined by Grace: too dear' });
  const undone = ['release-stock', 'refund'];
  same(await effectsOf('order-2'), ['charge', 'reserve-stock', 'ask-for-approval', ...undone]);
});

/**
 * Runs the cases with one client.
 *
 * @param {object} options of FlovynClient: `{ embedded: true }`, or where the server is and its keys; and `extent`,
 *   which of the cases (see `Suite.run`)
 * @param {(outcome: object) => void} report is given `{ name, ok, ms, error? }` per case, and `{ done }` at the end
 */
export async function runConformance({ extent, ...options }, report) {
  ledger.latencyMs = 1;
  suite.replaysAlways = options.workflowWorkerOptions?.alwaysReplay === true;
  const client = new FlovynClient({ queue: `conformance-${globalThis.crypto.randomUUID()}`, ...options });
  for (const definition of [...suite.workflows, processOrder]) client.registerWorkflow(definition);
  for (const definition of [...tasks, ...orderTasks]) client.registerTask(definition);
  await client.start();
  try {
    await suite.run(client, report, extent);
  } finally {
    await client.stop();
  }
}
