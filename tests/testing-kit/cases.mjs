import assert from 'node:assert/strict';
import { Duration, WorkflowCancelled, WorkflowFailed, task, workflow } from '@flovyn/sdk';
import {
  Duration as TestDuration,
  FlovynTestEnvironment,
  MockTaskContext,
  MockWorkflowContext,
  checkEveryPrefix,
  replayHistory,
} from '@flovyn/sdk/testing';

const double = task({ name: 'double', run: (_ctx, n) => n * 2 });
const flaky = task({
  name: 'flaky',
  retry: { maxRetries: 2, initialDelay: Duration.milliseconds(10) },
  run: (ctx) => {
    if (ctx.attempt === 1) throw new Error('not yet');
    return ctx.attempt;
  },
});
const mixed = workflow({
  name: 'mixed',
  run: async (ctx, n) => {
    const noted = await ctx.run('note', () => 'noted');
    const [doubled, attempts] = await Promise.all([ctx.schedule(double, n), ctx.schedule(flaky)]);
    await ctx.sleep(Duration.milliseconds(20));
    const answer = await ctx.promise('answer');
    return { noted, doubled, attempts, answer, signal: await ctx.waitForSignal('go') };
  },
});
const month = workflow({
  name: 'month',
  run: async (ctx) => {
    await ctx.sleep(Duration.days(30));
    throw new Error('too late');
  },
});
const chance = workflow({
  name: 'chance',
  run: async (ctx) => {
    await ctx.sleep(Duration.milliseconds(1));
    await ctx.schedule(double, Math.random());
  },
});

async function within(options, definitions, use) {
  const env = new FlovynTestEnvironment(options);
  for (const definition of definitions) {
    if ('retry' in definition) env.registerTask(definition);
    else env.registerWorkflow(definition);
  }
  await env.start();
  try {
    return await use(env);
  } finally {
    await env.stop();
  }
}

async function playMixed(env) {
  const { handle } = await env.startWorkflow(mixed, 21);
  await env.resolvePromise(handle, 'answer', 42);
  await env.signalWorkflow(handle, 'go', 'now');
  const result = await env.awaitCompletion(handle);
  assert.deepEqual(result, { noted: 'noted', doubled: 42, attempts: 2, answer: 42, signal: 'now' });
  const history = await env.history(handle);
  const replay = await replayHistory(mixed, history);
  assert.equal(replay.status, 'completed');
  assert.deepEqual(replay.result, result);
  await checkEveryPrefix(mixed, history);
}

/** What each test runner runs; those of the first list also against a server, where one is configured. */
export const anywhere = {
  'a workflow with everything, in real time': () => within({}, [mixed, double, flaky], playMixed),
  'code that is not deterministic is found, and may be left alone': async () => {
    await within({}, [chance, double], (env) =>
      assert.rejects(env.startAndAwait(chance), { name: 'DeterminismViolation' }),
    );
    await within({ checkEveryPrefix: false }, [chance, double], (env) => env.startAndAwait(chance));
  },
};

export const embedded = {
  'a workflow with everything, in virtual time': () =>
    within({ time: 'virtual' }, [mixed, double, flaky], playMixed),
  'a workflow that sleeps for 30 days, in virtual time': () =>
    within({ time: 'virtual' }, [month], async (env) => {
      const [began, before] = [performance.now(), env.now().getTime()];
      await assert.rejects(env.startAndAwait(month), WorkflowFailed);
      assert.ok(performance.now() - began < 5_000);
      assert.equal(env.now().getTime() - before, TestDuration.days(30).toMilliseconds());
    }),
  'a workflow by itself': async () => {
    const ctx = new MockWorkflowContext({ currentTime: new Date('2026-01-01') });
    ctx.mockTaskResult(double, 42).mockTaskResult(flaky, new Error('not yet')).mockTaskResult(flaky, 2);
    ctx.mockPromiseResolution('answer', 43).mockSignal('go', 'now', { after: Duration.days(1) });
    const result = await mixed.run(ctx, 21);
    assert.deepEqual(result, { noted: 'noted', doubled: 42, attempts: 2, answer: 43, signal: 'now' });
    assert.deepEqual(ctx.executedOperations, [{ name: 'note', result: 'noted' }]);
    assert.deepEqual(ctx.executedTasks[0], { taskName: 'double', input: 21, options: undefined, result: 42 });
    assert.equal(ctx.currentTime().toISOString(), '2026-01-02T00:00:00.000Z');
  },
  'a workflow by itself that is cancelled, or would wait for ever': async () => {
    const ctx = new MockWorkflowContext({ currentTime: new Date('2026-01-01') });
    const slept = month.run(ctx);
    await ctx.advanceTime(Duration.days(29));
    assert.equal(ctx.startedTimers[0].firedAt, undefined);
    ctx.markCancelled('enough');
    await assert.rejects(slept, WorkflowCancelled);
    await assert.rejects(ctx.waitForSignal('never'), /mockSignal\("never", value\)/);
    assert.throws(() => ctx.schedule(double, 1), { name: 'ConfigurationError' });
  },
  'a task by itself': async () => {
    const ctx = new MockTaskContext('id-1', 'upload', 3);
    await task({
      name: 'upload',
      run: async (given) => {
        await given.reportProgress(0.5);
        await given.streamToken(`${given.taskExecutionId} ${given.attempt}`);
      },
    }).run(ctx, null);
    assert.deepEqual([ctx.progress, ctx.streamedTokens], [0.5, ['id-1 3']]);
  },
};

/** Hands every case to a test runner. */
export function register(test, { onServer = false } = {}) {
  const cases = onServer ? anywhere : { ...anywhere, ...embedded };
  for (const [name, run] of Object.entries(cases)) {
    test(name, async () => {
      await run();
      console.log(`ran: ${name}`);
    });
  }
}
