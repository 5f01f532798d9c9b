import { expect, test } from 'vitest';
import './support/core.js';
import { JsonSerializer } from '../src/serde.js';
import { workflow } from '../src/workflow/define.js';
import { answerQuery } from '../src/workflow/answer-query.js';

const order = workflow({
  name: 'order',
  handlers: {
    queries: {
      status: (ctx, args: { verbose: boolean }) => ({
        status: ctx.get('status'),
        missing: ctx.get('missing'),
        at: ctx.get<Date>('at'),
        keys: ctx.stateKeys(),
        info: args.verbose ? ctx.info : null,
      }),
      later: async (ctx) => {
        await null;
        return ctx.get<bigint>('n');
      },
      broken: () => {
        throw new RangeError('no such order');
      },
      unwritable: () => () => 1,
    },
  },
  run: () => null,
});

const serializer = new JsonSerializer();
const state = { at: new Date(5), n: 3n, status: 'paid' };
const ask = (name: string, args?: unknown) =>
  answerQuery(
    order,
    {
      executionId: 'id',
      kind: 'order',
      name,
      paramsJson: serializer.serialize(args),
      state: Object.entries(state).map(([key, value]) => [key, serializer.serialize(value)]),
      workflowVersion: '1.2.3',
      currentSequence: 7,
    },
    serializer,
  );

test('a handler answers from the state, the info and its arguments', async () => {
  const answer = await ask('status', { verbose: true });
  expect(serializer.deserialize('result' in answer ? answer.result : '')).toEqual({
    status: 'paid',
    missing: null,
    at: new Date(5),
    keys: ['at', 'n', 'status'],
    info: { workflowExecutionId: 'id', workflowKind: 'order', workflowVersion: '1.2.3', historyLength: 7 },
  });
  expect(await ask('later')).toEqual({ result: serializer.serialize(3n) });
});

test('what goes wrong is the answer, never an exception', async () => {
  expect(await ask('broken')).toEqual({ error: 'no such order' });
  expect(await ask('unwritable')).toEqual({ error: expect.stringContaining('function') as string });
  expect(await ask('toString')).toEqual({
    error:
      'Workflow "order" has no handler for the query "toString", but for "status", "later", "broken", "unwritable"',
  });
});
