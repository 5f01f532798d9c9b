import { equal } from '../stage.mjs';

/** Code that changes under executions that run. @type {import('../semantics.mjs').Row[]} */
export const rows = [];

const promise = (row) => rows.push(row);

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
    'State key mismatch',
    async (ctx, input, outside) => (
      await ctx.run('added', () => outside.op('added')), recorded(ctx, input, outside)
    ),
  ],
};
for (const [change, [text, changed]] of Object.entries(CHANGES)) {
  promise({
    name: `code that ${change} is told so, does nothing, and the old code goes on`,
    run: recorded,
    codes: { changed },
    held: ['u'],
    act: async (stage) => {
      await stage.until('TASK_COMPLETED');
      const attempt = await stage.attempt('u');
      await stage.deploy('changed');
      attempt.resolve(null);
      const [violation] = await stage.violated();
      if (!violation.includes(text))
        throw new Error(`expected a violation with "${text}", got: ${violation}`);
      await stage.deploy('run');
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
  codes: { patched },
  held: ['t'],
  act: async (stage) => {
    await stage.suspended(1);
    await stage.complete('t', null);
    await stage.deploy('patched');
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
