import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { ConnectionError, RpcError, TaskFailed } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import type { TaskContext } from '../src/task/context-types.js';
import type { StandardSchemaV1 } from '../src/schema/standard-schema.js';
import { task } from '../src/task/define.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { ManualClock } from './support/manual-clock.js';
import { gate, hidden, until, world } from './support/world.js';

const QUICK = { maxRetries: 5, initialDelay: Duration.milliseconds(1), maxDelay: Duration.milliseconds(1) };

/** A workflow that does nothing but run one task. */
const only = <I, O>(definition: ReturnType<typeof task<I, O>>) =>
  workflow({
    name: 'only',
    run: (ctx, input: I) => ctx.scheduleByName<O>(definition.name, input, { retry: QUICK }),
  });

test('a failed attempt is followed by another, under the same key', async () => {
  const w = world();
  const seen: Pick<TaskContext, 'attempt' | 'idempotencyKey' | 'taskExecutionId' | 'taskKind'>[] = [];
  const flaky = task({
    name: 'flaky',
    run: ({ attempt, idempotencyKey, taskExecutionId, taskKind }) => {
      seen.push({ attempt, idempotencyKey, taskExecutionId, taskKind });
      if (attempt < 3) throw new Error('again');
      return attempt;
    },
  });
  const client = await w.client([only(flaky), flaky]);
  expect(await client.executeWorkflow(only(flaky), null)).toBe(3);
  expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  expect(new Set(seen.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  expect(seen[0]).toMatchObject({
    taskKind: 'flaky',
    taskExecutionId: expect.stringMatching(/^[-0-9a-f]{36}$/) as string,
  });
});

test('a TaskFailed that is not retryable ends the task at once', async () => {
  const w = world();
  let attempts = 0;
  const hopeless = task({
    name: 'hopeless',
    run: () => {
      attempts += 1;
      throw new TaskFailed('hopeless', '', false);
    },
  });
  const client = await w.client([only(hopeless), hopeless]);
  expect((await failureOf(client.executeWorkflow(only(hopeless), null))).message).toBe('hopeless');
  expect(attempts).toBe(1);
});

test('retries of the definition are used when the schedule names none', async () => {
  const w = world();
  let attempts = 0;
  const stubborn = task({
    name: 'stubborn',
    retry: { ...QUICK, maxRetries: 1 },
    run: () => {
      attempts += 1;
      throw new Error(`attempt ${attempts}`);
    },
  });
  const once = workflow({ name: 'once', run: (ctx) => ctx.schedule(stubborn) });
  const client = await w.client([once, stubborn]);
  expect((await failureOf(client.executeWorkflow(once))).message).toBe('attempt 2');
});

test('options that are undefined keep the retries of the definition', async () => {
  const w = world();
  let attempts = 0;
  const failing = task({
    name: 'failing',
    retry: { maxRetries: 0 },
    run: () => {
      attempts += 1;
      throw new Error('always');
    },
  });
  const one = workflow({ name: 'one', run: (ctx) => ctx.task(failing, undefined, { retry: undefined }) });
  const client = await w.client([one, failing]);
  expect((await failureOf(client.executeWorkflow(one))).message).toBe('always');
  expect(attempts).toBe(1);
});

test('an attempt that takes too long fails, and its signal fires', async () => {
  const w = world();
  const reasons: unknown[] = [];
  const slow = task({
    name: 'slow',
    timeout: Duration.milliseconds(5),
    run: (ctx) => {
      if (ctx.attempt === 2) return 'in time';
      ctx.signal.addEventListener('abort', () => {
        reasons.push(ctx.signal.reason, ctx.isCancelled, ctx.cancellationError().message);
        expect(() => ctx.checkCancellation()).toThrow(/timed out/);
      });
      ctx.checkCancellation();
      return new Promise<string>(() => {});
    },
  });
  const client = await w.client([only(slow), slow]);
  expect(await client.executeWorkflow(only(slow), null)).toBe('in time');
  expect(reasons).toMatchObject([{ name: 'TaskTimeout', timeoutMs: 5 }, true, /timed out after 5 ms/]);
});

test.each([
  ['takes from the time that an attempt has', true],
  ['that does not end takes all of the time that an attempt has', false],
])('checking the input %s', async (_name, ends) => {
  const clock = new ManualClock();
  const w = world({ clock });
  const [checking, checked, running] = [gate(), gate(), gate()];
  const input: StandardSchemaV1 = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value: unknown) => {
        checking.open();
        await checked.promise;
        return { value };
      },
    },
  };
  const slow = task({
    name: 'slow',
    timeout: Duration.milliseconds(10),
    input,
    run: () => {
      running.open();
      return new Promise<string>(() => {});
    },
  });
  const once = workflow({
    name: 'once',
    run: (ctx) => ctx.scheduleByName('slow', null, { retry: { maxRetries: 0 } }),
  });
  const client = await w.client([once, slow], hidden({ clock }));
  const { handle } = await client.startWorkflow(once);
  await checking.promise;
  clock.advance(6);
  if (ends) {
    checked.open();
    await running.promise;
  }
  clock.advance(4);
  expect((await failureOf(handle.result())).message).toContain('timed out after 10 ms');
});

test('a claim is kept while an attempt goes on, and its loss is told', async () => {
  const clock = new ManualClock();
  const w = world({ clock, leaseMs: 60 });
  const attempts: number[] = [];
  const lost: unknown[] = [];
  const cutOff = gate();
  let renewals = 0;
  const long = task({
    name: 'long',
    run: async (ctx) => {
      attempts.push(ctx.attempt);
      if (ctx.attempt === 1) {
        // Several leases: renewals keep the claim, and heartbeats go through.
        for (let thirds = 0; thirds < 12; thirds += 1) {
          clock.advance(20);
          await w.quiet();
        }
        renewals = w.engine.count('Heartbeat');
        await ctx.heartbeat();
        expect(ctx.signal.aborted).toBe(false);
        // From here on the server hears nothing, and gives the task to somebody else.
        w.engine.intercept = (method, next) =>
          method === Method.Heartbeat && attempts.length === 1
            ? Promise.reject(new ConnectionError('cut off', 'here'))
            : next();
        cutOff.open();
        await until(() => attempts.length === 2);
        await ctx.heartbeat();
        lost.push(ctx.signal.reason);
        return 'too late';
      }
      return 'second';
    },
  });
  const client = await w.client([only(long), long], hidden({ clock }));
  const { handle } = await client.startWorkflow(only(long), null);
  await cutOff.promise;
  expect(renewals).toBe(12);
  expect(await w.passing(handle.result())).toBe('second');
  expect(attempts).toEqual([1, 2]);
  await until(() => lost.length === 1);
  expect(lost[0]).toMatchObject({ name: 'ClaimLost' });
});

test('a result that cannot be sent fails the task for good, with the reason', async () => {
  const w = world();
  const symbolic = task({ name: 'symbolic', retry: QUICK, run: () => Symbol('no') });
  const huge = task({ name: 'huge', run: () => 'x'.repeat(3_000_000) });
  const client = await w.client([only(huge), huge, symbolic]);
  const error = await failureOf(client.executeWorkflow(only(huge), null));
  expect(error.message).toMatch(/^The server refused the result of the task: .*bytes/);
  expect(w.engine.count('CompleteTask')).toBe(1);
});

test('a report whose answer is lost is repeated', async () => {
  const w = world();
  let calls = 0;
  const plain = task({ name: 'plain', run: () => (calls += 1) });
  w.engine.intercept = async (method, next) => {
    const answer = await next();
    if (method === Method.CompleteTask && w.engine.count('CompleteTask') === 1) {
      throw new RpcError('DEADLINE_EXCEEDED', 'the answer was lost');
    }
    return answer;
  };
  const client = await w.client([only(plain), plain]);
  expect(await client.executeWorkflow(only(plain), null)).toBe(1);
  await until(() => w.engine.count('CompleteTask') === 2);
});

test('a task logs under its name and id', async () => {
  const w = world();
  const logging = task({
    name: 'logging',
    run: (ctx) => {
      ctx.log.info('here');
      return ctx.taskExecutionId;
    },
  });
  const client = await w.client([only(logging), logging]);
  const id = await client.executeWorkflow(only(logging), null);
  expect(w.logger.at('info')).toContain(`task logging ${id}: here`);
});

test('a task of an unknown kind is left to other workers', async () => {
  const w = world();
  const known = task({ name: 'known', run: () => 1 });
  const elsewhere = task({ name: 'elsewhere', run: () => 2 });
  const client = await w.client([only(elsewhere), known]);
  const { handle } = await client.startWorkflow(only(elsewhere), null);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('TASK_SCHEDULED'));
  await w.client([elsewhere]);
  expect(await handle.result()).toBe(2);
});

test('a function that throws nothing useful still gives a text', async () => {
  const w = world();
  const odd = task({
    name: 'odd',
    run: () => {
      // oxlint-disable-next-line typescript/only-throw-error -- this is what the test is about
      throw undefined;
    },
  });
  const strict = workflow({
    name: 'strict',
    run: (ctx) => ctx.schedule(odd, null, { retry: { maxRetries: 0 } }),
  });
  const client = await w.client([strict, odd]);
  expect((await failureOf(client.executeWorkflow(strict))).message).toBe('undefined');
});
