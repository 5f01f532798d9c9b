import { describe, expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { ConfigurationError, DeterminismViolation } from '../src/errors.js';
import { silentLogger } from '../src/logger.js';
import { task } from '../src/task/define.js';
import { checkEveryPrefix, FlovynTestEnvironment, replayHistory } from '../src/testing/index.js';
import { type AnyWorkflow, workflow, type WorkflowFunction } from '../src/workflow/define.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { encodeGetEvents } from '../src/core.js';
import { Method } from '../src/rpc/methods.js';
import { EmbeddedTransport } from '../src/transport/embedded.js';
import { FlovynClient } from '../src/client/client.js';
import { failureOf } from './support/failure.js';

const add = task({ name: 'add', run: (_ctx, [a, b]: [number, number]) => a + b });
const order = workflow({
  name: 'order',
  run: async (ctx, input: number) => {
    ctx.set('stage', 'begun');
    const sum = await ctx.task(add, [input, 1]);
    const doubled = await ctx.run('double', () => sum * 2);
    await ctx.sleep(Duration.seconds(5));
    return { doubled, at: ctx.currentTimeMillis() > 0, id: ctx.randomUUID().length };
  },
});

/** The history of an execution of a workflow in an environment where time is virtual. */
async function historyOf(
  definition: AnyWorkflow,
  input?: unknown,
  act?: (env: FlovynTestEnvironment) => unknown,
) {
  const env = new FlovynTestEnvironment({ time: 'virtual', logger: silentLogger, checkEveryPrefix: false });
  await env.registerWorkflow(definition).registerTask(add).start();
  try {
    const { handle } = await env.startWorkflow(definition as never, input as never);
    await act?.(env);
    await handle.result().catch(() => {});
    return await env.history(handle);
  } finally {
    await env.stop();
  }
}

const changed = (run: WorkflowFunction<number, unknown>): typeof order =>
  workflow({ name: 'order', run }) as never;

describe('replayHistory', () => {
  test('gives the result, and every command', async () => {
    const replay = await replayHistory(order, await historyOf(order, 20));
    expect(replay).toMatchObject({
      status: 'completed',
      result: { doubled: 42, at: true, id: 36 },
      operations: [],
    });
    expect(replay.commands.map(({ type }) => type)).toEqual([
      'SET_STATE',
      'SCHEDULE_TASK',
      'RECORD_OPERATION',
      'START_TIMER',
    ]);
  });

  test('a history that is cut off: the code waits, and nothing beyond it is run', async () => {
    const { workflowExecutionId, events } = await historyOf(order, 20);
    const upTo = events.findIndex(({ eventType }) => eventType === 'TASK_COMPLETED') + 1;
    let runs = 0;
    const counting = changed(async (ctx, input) => {
      ctx.set('stage', 'begun');
      await ctx.task(add, [input, 1]);
      return ctx.run('double', () => (runs += 1));
    });
    const replay = await replayHistory(counting, { workflowExecutionId, events: events.slice(0, upTo) });
    expect(replay).toMatchObject({ status: 'waiting', operations: ['double'] });
    expect(runs).toBe(0);
  });

  test('code that was changed: the violation names the line', async () => {
    const other = changed(async (ctx, input) => {
      ctx.set('stage', 'begun');
      await ctx.scheduleByName('subtract', [input, 1]);
    });
    const replay = await replayHistory(other, await historyOf(order, 20));
    expect(replay.status).toBe('violation');
    const { violation } = replay as { violation: DeterminismViolation };
    expect(violation).toBeInstanceOf(DeterminismViolation);
    expect(violation.message).toContain('Task type mismatch');
    expect(violation.message).toContain('testing-replay.test.ts');
  });

  test('executions that failed and were cancelled', async () => {
    const failing = workflow({ name: 'failing', run: () => Promise.reject(new RangeError('too much')) });
    const failed = await replayHistory(failing, await historyOf(failing));
    expect(failed).toMatchObject({ status: 'failed', error: { message: 'too much' } });
    const waiting = workflow({ name: 'waiting', run: (ctx) => ctx.promise('never') });
    const history = await historyOf(waiting, undefined, async (env) => {
      const [{ workflowId } = { workflowId: '' }] = (await env.client?.listWorkflows())?.workflows ?? [];
      await env.client?.cancelWorkflow(workflowId, 'enough');
    });
    expect(await replayHistory(waiting, history)).toMatchObject({ status: 'cancelled', reason: 'enough' });
  });

  test('histories in every form that they are met in', async () => {
    const { workflowExecutionId, events } = await historyOf(order, 20);
    const rest = events.map(({ sequence, eventType, data }) => ({
      sequence,
      sequenceNumber: sequence,
      eventType,
      data: JSON.parse(data) as unknown,
    }));
    const messages = events.map(({ sequence, eventType, data }) => ({
      sequence_number: sequence,
      event_type: eventType,
      event_data: Buffer.from(data).toString('base64'),
    }));
    for (const source of [
      { events: rest },
      rest,
      JSON.stringify({ events: rest }),
      messages,
      [...rest].reverse(),
    ])
      expect((await replayHistory(order, source, { workflowExecutionId })).status).toBe('completed');
  });

  test('the bytes of GetEvents', async () => {
    const transport = new EmbeddedTransport();
    const client = new FlovynClient({ transport, logger: silentLogger });
    const plain = workflow({ name: 'plain', run: async (_ctx, input: number) => input + 1 });
    client.registerWorkflow(plain);
    await client.start();
    const { handle } = await client.startWorkflow(plain, 1);
    await handle.result();
    const request = encodeGetEvents({
      workflowExecutionId: handle.workflowId,
      afterSequence: 0,
      pageSize: 0,
    });
    const { body } = await transport.unary(Method.GetEvents, request);
    await client.stop();
    await transport.close();
    expect(await replayHistory(plain, body)).toMatchObject({ status: 'completed', result: 2 });
  });

  test.each<[unknown, RegExp]>([
    ['nonsense', /a text must be JSON/],
    [{}, /expected an array of events/],
    [[], /at least one event/],
    [new Uint8Array([1, 2, 3]), /bytes must be an answer of GetEvents .*got 3 bytes/],
    [
      [{ sequence: 2, eventType: 'WORKFLOW_STARTED', data: {} }],
      /expected event 1, got event 2 WORKFLOW_STARTED/,
    ],
    [[{ sequence: 1, data: {} }], /event 1: "eventType" must be a text/],
    [[{ sequence: 1, eventType: 'WORKFLOW_STARTED', data: 7 }], /event 1: "data" must be an object/],
    [
      [{ sequence: 1, eventType: 'WORKFLOW_STARTED', data: { kind: 'other' } }],
      /one of workflow "other", got workflow "order"/,
    ],
  ])('refuses %j', async (source, text) => {
    const error = await failureOf(replayHistory(order, source as never));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toMatch(text);
  });

  test('a workflow that uses random numbers needs the id of its execution', async () => {
    const { events } = await historyOf(order, 20);
    const error = await failureOf(replayHistory(order, events));
    expect(error.message).toContain('give { workflowExecutionId }');
  });
});

describe('checkEveryPrefix', () => {
  const approval = workflow({
    name: 'approval',
    handlers: { signals: { note: (ctx: WorkflowContext, value: string) => ctx.set('note', value) } },
    run: async (ctx, rounds: number) => {
      const seen: unknown[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const timer = ctx.sleep(Duration.seconds(1));
        const sums = await Promise.all([ctx.task(add, [round, 1]), ctx.task(add, [round, 2])]);
        seen.push(...sums, await ctx.run('op', () => round), ctx.patched('p'), ctx.currentTimeMillis() > 0);
        await timer;
      }
      await ctx.scope(async (inner) => {
        const lost = inner.sleep(Duration.days(1));
        await inner.sleepUntil(new Date(inner.currentTimeMillis() + 5));
        lost.cancel();
        await lost.catch(() => {});
      });
      return seen;
    },
  });

  test('code that depends on its history alone passes', async () => {
    await checkEveryPrefix(approval, await historyOf(approval, 4));
    await checkEveryPrefix(order, await historyOf(order, 20));
  });

  test('code that depends on a variable outside is found, with the prefix and the line', async () => {
    let calls = 0;
    const counting = workflow({
      name: 'counting',
      run: async (ctx) => {
        calls += 1;
        await ctx.sleep(Duration.seconds(1));
        await ctx.task(add, calls === 1 ? [1, 1] : [2, 2]);
        await ctx.sleep(Duration.seconds(1));
      },
    });
    const history = await historyOf(counting);
    calls = 0;
    const error = await failureOf(checkEveryPrefix(counting, history));
    expect(error).toBeInstanceOf(DeterminismViolation);
    expect(error.message).toMatch(/executed again from its first \d+ events \(.*\), does not do the same/);
    expect(error.message).toContain('SCHEDULE_TASK');
    expect(error.message).toContain('testing-replay.test.ts');
  });

  test('what was written by a serializer of the definition is compared as it was written', async () => {
    const shouting = {
      serialize: (value: unknown) => JSON.stringify({ shouted: value }),
      deserialize: <T>(text: string) => (JSON.parse(text) as { shouted: T }).shouted,
    };
    const shouted = workflow({ name: 'shouted', serializer: shouting, run: (_ctx, n: number) => n + 1 });
    const env = new FlovynTestEnvironment({ server: false, logger: silentLogger });
    await env.registerWorkflow(shouted).start();
    const { handle } = await env.startWorkflow(shouted, 3);
    expect(await env.awaitCompletion(handle)).toBe(4);
    const replay = await replayHistory(shouted, await env.history(handle));
    expect(replay).toMatchObject({ status: 'completed', result: 4 });
    await env.stop();
  });

  test('an environment checks what it has waited for, unless it is told not to', async () => {
    let calls = 0;
    const leaky = workflow({
      name: 'leaky',
      run: async (ctx) => {
        calls += 1;
        await ctx.sleep(Duration.seconds(1));
        await ctx.task(add, [calls, 1]);
        return 'done';
      },
    });
    const run = async (options: { checkEveryPrefix?: boolean }): Promise<unknown> => {
      const env = new FlovynTestEnvironment({ time: 'virtual', logger: silentLogger, ...options });
      await env.registerWorkflow(leaky).registerTask(add).start();
      const outcome = await env.startAndAwait(leaky).catch((error: unknown) => error);
      await env.stop();
      return outcome;
    };
    expect(await run({ checkEveryPrefix: false })).toBe('done');
    expect(await run({})).toBeInstanceOf(DeterminismViolation);
  });
});
