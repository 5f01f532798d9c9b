import { expect, test } from 'vitest';
import './support/core.js';
import { silentLogger } from '../src/logger.js';
import { runDry } from '../src/runtime/run-dry.js';
import { JsonSerializer } from '../src/serde.js';
import { answerPolledQuery } from '../src/worker/query-answers.js';
import { workflow } from '../src/workflow/define.js';
import { answerQuery } from '../src/workflow/answer-query.js';
import { ManualClock } from './support/manual-clock.js';

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

test('a handler that never settles takes no place for ever: who asked is told', async () => {
  const stuck = workflow({
    name: 'stuck',
    handlers: { queries: { never: () => new Promise(() => {}) } },
    run: () => null,
  });
  const clock = new ManualClock();
  const sent: Uint8Array[] = [];
  const transport = {
    extended: true,
    unary: async (_method: string, body: Uint8Array) => {
      sent.push(body);
      return { body: new Uint8Array(), metadata: {} };
    },
  };
  const query = { queryId: 'q', name: 'never', params: 'null', state: [], currentSequence: 1 };
  const polled = { executionId: 'id', kind: 'stuck', query };
  const parts = { transport, clock, logger: silentLogger, serializer, codec: undefined };
  const answering = answerPolledQuery(parts as never, stuck, polled as never);
  await runDry();
  expect(sent).toEqual([]);
  await clock.advance(10_000);
  await answering;
  expect(new TextDecoder().decode(sent[0])).toContain('"never" gave no answer within 10000 ms');
});
