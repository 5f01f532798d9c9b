import { same, thrownBy } from '../harness.mjs';
import { echo, suite } from '../tools.mjs';

// Values, starts and ends.

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

suite.check('client: describes and lists executions', {
  needs: 'operating',
  run: async (ctx, input) => ctx.task(echo, input),
  input: { n: 1 },
  gives: { n: 1 },
  then: async ({ client, definition, handle }) => {
    const { kind, status, input, output } = await handle.describe();
    same([kind, status, input, output], [definition.name, 'COMPLETED', { n: 1 }, { n: 1 }]);
    const { workflows, total } = await client.listWorkflows({ kind: definition.name, limit: 1 });
    same([workflows[0].workflowId, total >= 1], [handle.workflowId, true]);
  },
});
