import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import {
  HandleCancelled,
  TaskCancelled,
  TimeoutError,
  Unsupported,
  WorkflowCancelled,
} from '../src/errors.js';
import { task } from '../src/task/define.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { PlainTransport } from './support/plain-transport.js';
import { gate, until, type World, world } from './support/world.js';

const noop = task({ name: 'noop', run: () => null });
const HOUR = Duration.hours(1);
const ms = (n: number) => Duration.milliseconds(n);

/** Runs a workflow function to its end; its result, and the types of its events. */
async function result(run: (ctx: WorkflowContext) => Promise<unknown>, w: World = world()) {
  const definition = workflow({ name: 'w', run });
  const client = await w.client([definition, noop]);
  const { handle } = await client.startWorkflow(definition);
  const value = await handle.result();
  return { value, types: await w.eventTypes(handle.workflowId) };
}

test.each([
  ['timer', (ctx: WorkflowContext) => ctx.sleep(HOUR), 'timer "3600000 ms"'],
  ['promise', (ctx: WorkflowContext) => ctx.promise('approval'), 'promise "approval"'],
  ['signal', (ctx: WorkflowContext) => ctx.waitForSignal('s'), 'signal "s"'],
  ['operation', (ctx: WorkflowContext) => ctx.run('op', () => 1), 'operation "op"'],
])('cancel of a %s rejects at once, names it, and is done once', async (_type, open, name) => {
  const { value, types } = await result(async (ctx) => {
    const handle = open(ctx);
    handle.cancel('enough');
    handle.cancel('again');
    const error = await failureOf(handle);
    await ctx.task(noop);
    handle.cancel();
    return [error instanceof HandleCancelled, error.message];
  });
  expect(value).toEqual([true, `The ${name} was cancelled: enough`]);
  expect(types.filter((type) => type === 'TIMER_CANCELLED').length).toBe(_type === 'timer' ? 1 : 0);
  // A cancelled operation is done and recorded all the same.
  expect(types.includes('OPERATION_COMPLETED')).toBe(_type === 'operation');
});

test('cancel of a task is asked of the server, and its handle rejects when the task has ended', async () => {
  const { value, types } = await result(async (ctx) => {
    const handle = ctx.scheduleByName('nobody-runs-this');
    handle.cancel('not needed');
    handle.cancel();
    const error = await failureOf(handle.result());
    return [
      error instanceof TaskCancelled && error.taskExecutionId === handle.taskExecutionId,
      error.message,
    ];
  });
  expect(value).toEqual([true, 'not needed']);
  expect(types.filter((type) => type.startsWith('TASK_'))).toEqual([
    'TASK_SCHEDULED',
    'TASK_CANCELLATION_REQUESTED',
    'TASK_CANCELLED',
  ]);
});

test('on a server without extensions a task cannot be cancelled, and withTimeout leaves it alone', async () => {
  const plain = new PlainTransport();
  const w = world();
  const definition = workflow({
    name: 'w',
    run: async (ctx) => {
      const handle = ctx.scheduleByName('nobody-runs-this');
      const refused = await failureOf((async () => handle.cancel())());
      const late = await failureOf(ctx.withTimeout(handle, ms(1)));
      return [
        refused instanceof Unsupported,
        late instanceof TimeoutError,
        await ctx.run('op', () => 'done'),
      ];
    },
  });
  const client = await w.client([definition], { transport: plain });
  expect(await client.executeWorkflow(definition)).toEqual([true, true, 'done']);
  await client.stop();
  await plain.close();
});

test('a settled handle is not cancelled', async () => {
  const { value, types } = await result(async (ctx) => {
    const [timer, work] = [ctx.sleep(ms(0)), ctx.schedule(noop)];
    await Promise.all([timer, work]);
    timer.cancel();
    work.cancel();
    return Promise.all([timer, work]);
  });
  expect(value).toEqual([null, null]);
  expect(types.filter((type) => type.includes('CANCEL'))).toEqual([]);
});

test('withTimeout: the loser is cancelled, whichever it is', async () => {
  const { value, types } = await result(async (ctx) => {
    const quick = await ctx.withTimeout(ctx.task(noop), HOUR);
    const late = await failureOf(ctx.withTimeout(ctx.promise('never'), ms(5)));
    const slow = ctx.scheduleByName('nobody-runs-this');
    const lateTask = await failureOf(ctx.withTimeout(slow, ms(5)));
    const cancelled = await failureOf(slow);
    const failed = await failureOf(ctx.withTimeout(Promise.reject(new RangeError('own')), HOUR));
    return [quick, late, lateTask, cancelled, failed].map((end) =>
      end instanceof Error ? `${end.name}: ${end.message}` : end,
    );
  });
  expect(value).toEqual([
    null,
    'TimeoutError: ctx.withTimeout timed out after 5 ms',
    'TimeoutError: ctx.withTimeout timed out after 5 ms',
    expect.stringMatching(/^TaskCancelled: /) as string,
    'RangeError: own',
  ]);
  expect(types.filter((type) => type === 'TIMER_CANCELLED')).toHaveLength(2);
});

test('a scope that takes too long: its work is cancelled, its function makes good, then TimeoutError', async () => {
  const { value, types } = await result(async (ctx) => {
    const steps: string[] = [];
    const outside = ctx.sleep(HOUR);
    const error = await failureOf(
      ctx.scope(
        async (inner) => {
          inner.cancellation.addEventListener('abort', () => void steps.push('signal'));
          try {
            await inner.sleep(HOUR);
          } catch (cause) {
            steps.push((cause as Error).message, String(inner.isCancellationRequested));
            await inner.task(noop);
            throw cause;
          }
        },
        { timeout: ms(5) },
      ),
    );
    outside.cancel();
    return [
      error instanceof TimeoutError && error.timeoutMs,
      error.message,
      steps,
      ctx.isCancellationRequested,
    ];
  });
  expect(value).toEqual([
    5,
    'ctx.scope timed out after 5 ms',
    ['signal', 'The scope was cancelled: it timed out after 5 ms', 'true'],
    false,
  ]);
  expect(types).toContain('TASK_COMPLETED');
});

test('a scope: its function may decide otherwise, its own errors pass, and its timer ends with it', async () => {
  const { value, types } = await result(async (ctx) => {
    const fallback = await ctx.scope(
      (inner) =>
        inner.sleep(HOUR).then(
          () => 'slept',
          () => 'fallback',
        ),
      { timeout: ms(5) },
    );
    const own = await failureOf(ctx.scope(() => Promise.reject(new RangeError('own')), { timeout: HOUR }));
    const atOnce = await failureOf(
      ctx.scope(() => {
        throw new RangeError('at once');
      }),
    );
    const quick = await ctx.scope((inner) => inner.task(noop), { timeout: HOUR });
    // Nothing of the scope waits: nothing can tell the function that the time is over.
    const deaf = await failureOf(ctx.scope(() => ctx.promise('of the outer context'), { timeout: ms(5) }));
    return [fallback, own.message, atOnce.message, quick, deaf.name];
  });
  expect(value).toEqual(['fallback', 'own', 'at once', null, 'TimeoutError']);
  expect(types.filter((type) => type === 'TIMER_CANCELLED').length).toBeGreaterThanOrEqual(2);
});

test('a scope is cancelled by hand, with the scopes in it, but not what is not cancellable', async () => {
  const { value } = await result(async (ctx) => {
    const seen: string[] = [];
    const note = (name: string, promise: Promise<unknown>) =>
      promise.then(
        () => seen.push(`${name} done`),
        (error: unknown) => seen.push(`${name} ${(error as Error).name}`),
      );
    const work = ctx.scope(async (inner) => {
      await Promise.all([
        note('direct', inner.sleep(HOUR)),
        note(
          'nested',
          inner.scope((nested) => nested.promise('nested')),
        ),
        note(
          'kept',
          inner.nonCancellable(async (kept) => {
            await kept.sleep(ms(20));
            seen.push(`kept sees ${String(kept.isCancellationRequested)}`);
          }),
        ),
      ]);
      inner.checkCancellation();
    });
    await ctx.sleep(ms(1));
    work.cancel('enough');
    work.cancel('again');
    const error = await failureOf(work);
    return [seen, error.name, error.message];
  });
  expect(value).toEqual([
    ['direct WorkflowCancelled', 'nested WorkflowCancelled', 'kept sees false', 'kept done'],
    'HandleCancelled',
    'The scope was cancelled: enough',
  ]);
});

test('a request to cancel passes what is not cancellable, and a scope lets it through', async () => {
  const w = world();
  const definition = workflow({
    name: 'w',
    run: async (ctx) => {
      const kept = ctx.nonCancellable(async (inner) => {
        await inner.waitForSignal('go');
        return [inner.isCancellationRequested, inner.cancellation.aborted];
      });
      const scoped = await failureOf(ctx.scope((inner) => inner.sleep(HOUR), { timeout: HOUR }));
      const opened = await ctx.scope(async (inner) => [
        inner.isCancellationRequested,
        inner.cancellation.aborted,
      ]);
      ctx.set('scoped', [scoped.name, opened]);
      return [scoped.name, opened, await kept];
    },
  });
  const client = await w.client([definition]);
  const { handle } = await client.startWorkflow(definition);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('TIMER_STARTED'));
  await handle.cancel();
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('STATE_SET'));
  await handle.signal('go');
  expect(await handle.result()).toEqual(['WorkflowCancelled', [true, true], [false, false]]);
});

test('what makes good after a request to cancel can have a time limit of its own', async () => {
  const w = world();
  const definition = workflow({
    name: 'w',
    run: async (ctx) => {
      await failureOf(ctx.sleep(HOUR));
      const late = await failureOf(ctx.scope((inner) => inner.sleep(HOUR), { timeout: ms(5) }));
      const inTime = await ctx.scope((inner) => inner.task(noop), { timeout: HOUR });
      return [late.name, inTime];
    },
  });
  const client = await w.client([definition, noop]);
  const { handle } = await client.startWorkflow(definition);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('TIMER_STARTED'));
  await handle.cancel();
  expect(await handle.result()).toEqual(['TimeoutError', null]);
});

test('a workflow that throws WorkflowCancelled itself ends as cancelled, with its reason', async () => {
  const w = world();
  const definition = workflow({
    name: 'w',
    run: () => {
      throw new WorkflowCancelled('no budget', 'budget');
    },
  });
  const client = await w.client([definition]);
  expect(await failureOf(client.executeWorkflow(definition))).toMatchObject({
    name: 'WorkflowCancelled',
    reason: 'budget',
  });
});

test('arguments of scopes that cannot be meant are refused', async () => {
  const { value } = await result(async (ctx) => {
    const calls = [
      () => ctx.scope(5 as never),
      () => ctx.scope(() => 1, { typo: 1 } as never),
      () => ctx.scope(() => 1, { timeout: 5 as never }),
      () => ctx.nonCancellable(5 as never),
      () => ctx.withTimeout(Promise.resolve(), 5 as never),
      () => ctx.sleep(HOUR).cancel(5 as never),
    ];
    const errors = await Promise.all(calls.map((call) => failureOf((async () => call())())));
    return new Set(errors.map(({ name }) => name));
  });
  expect(value).toEqual(new Set(['ConfigurationError']));
});

test('an operation that was cancelled learns it by its signal, and is not tried again', async () => {
  const started = gate();
  let attempts = 0;
  const { value } = await result(async (ctx) => {
    const slow = ctx.run(
      'slow',
      async (signal) => {
        attempts += 1;
        started.open();
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        throw signal.reason;
      },
      { retry: { maxRetries: 5, initialDelay: ms(1) } },
    );
    await ctx.run('meanwhile', () => started.promise);
    slow.cancel('enough');
    return (await failureOf(slow)).message;
  });
  expect(value).toBe('The operation "slow" was cancelled: enough');
  expect(attempts).toBe(1);
});
