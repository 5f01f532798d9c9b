import { expect, expectTypeOf, onTestFinished, test } from 'vitest';
import './support/core.js';
import * as sdk from '../src/index.js';
import * as kit from '../src/testing/index.js';
import type {
  HarnessConfig,
  TestEnvironmentOptions,
  TestHarnessConfig,
  TrackedStreamEvent,
} from '../src/testing/index.js';

/* What tests written for the testing kit of the existing SDK rely on: names, arguments, defaults. */

const { Duration, FlovynTestEnvironment, MockTaskContext, TestHarness } = kit;

const CONFIG: HarnessConfig = {
  grpcHost: '127.0.0.1',
  grpcPort: 9_090,
  httpHost: '127.0.0.1',
  httpPort: 8_080,
  orgId: '00000000-0000-4000-8000-000000000007',
  orgSlug: 'dev',
  apiKey: 'a client key',
  workerToken: 'a worker key',
};

interface Order {
  readonly id: string;
}

const echo = sdk.task({ name: 'echo', run: async (_ctx, input: string) => input });
const order = sdk.workflow({
  name: 'order',
  run: async (ctx, input: Order): Promise<string> => ctx.task(echo, input.id),
});
const approval = sdk.workflow({
  name: 'approval',
  run: async (ctx): Promise<string> => {
    try {
      return await ctx.promise<string>('approved');
    } catch (error) {
      return (error as Error).message;
    }
  },
});
const inbox = sdk.workflow({
  name: 'inbox',
  run: async (ctx, first: string) => [first, await ctx.waitForSignal<string>('mail')],
});

/** An environment in which these workflows run, until the test ends. */
async function started(options: TestEnvironmentOptions = {}) {
  const env = new FlovynTestEnvironment({ server: false, ...options });
  env.registerWorkflow(order).registerWorkflow(approval).registerWorkflow(inbox).registerTask(echo);
  onTestFinished(() => env.stop());
  await env.start();
  return env;
}

test('the kit has the Duration of the SDK, and a version', () => {
  expect(kit.Duration).toBe(sdk.Duration);
  expect(kit.TESTING_VERSION).toMatch(/^\d+\.\d+\.\d+/);
});

test('an environment before its start', () => {
  const env = new FlovynTestEnvironment({ server: false });
  expect([env.client, env.isStarted]).toEqual([null, false]);
  expect(env.queue).toMatch(/^test-[0-9a-f]{8}$/);
  expect(env.orgId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(new FlovynTestEnvironment({ server: false }).queue).not.toBe(env.queue);
  const { TEST_TIMEOUT, DEFAULT_AWAIT_TIMEOUT, WORKER_REGISTRATION_DELAY } = FlovynTestEnvironment;
  expect([TEST_TIMEOUT, DEFAULT_AWAIT_TIMEOUT, WORKER_REGISTRATION_DELAY]).toEqual([60_000, 30_000, 500]);
});

test('registering can be chained, and replaces what had the name before', async () => {
  const env = new FlovynTestEnvironment({ server: false });
  onTestFinished(() => env.stop());
  const replaced = sdk.task({ name: 'echo', run: async (_ctx, input: string) => `no ${input}` });
  expect(env.registerWorkflow(order).registerTask(replaced).registerTask(echo)).toBe(env);
  await env.start();
  await env.start();
  expect([env.isStarted, env.client instanceof sdk.FlovynClient]).toEqual([true, true]);
  expect(await env.startAndAwait(order, { id: 'o-1' })).toBe('o-1');
  await env.stop();
  await env.stop();
  expect([env.isStarted, env.client]).toEqual([false, null]);
});

test('executions are started by definition or name, awaited, and found again by their key', async () => {
  const env = await started();
  const { handle } = await env.startWorkflow(order, { id: 'o-1' }, { idempotencyKey: 'key' });
  expect(await env.awaitCompletion(handle)).toBe('o-1');
  expect(await env.awaitCompletion(handle, Duration.seconds(10))).toBe('o-1');
  const again = await env.startWorkflow('order', { id: 'o-2' }, { idempotencyKey: 'key' });
  expect(again.handle.workflowId).toBe(handle.workflowId);
  const options = { idempotencyKey: 'another', timeout: Duration.seconds(10) };
  expect(await env.startAndAwait('order', { id: 'o-3' }, options)).toBe('o-3');
});

test('promises are resolved and rejected by handle and name', async () => {
  const env = await started();
  const [yes, no] = [await env.startWorkflow(approval), await env.startWorkflow(approval)];
  await env.resolvePromise(yes.handle, 'approved', 'by ada');
  await env.rejectPromise(no.handle, 'approved', 'too late');
  expect(await env.awaitCompletion(yes.handle)).toBe('by ada');
  expect(await env.awaitCompletion(no.handle)).toContain('rejected: too late');
});

test('signals are sent by handle and name, and start what is not there', async () => {
  const env = await started();
  const { handle } = await env.startWorkflow(inbox, 'first');
  expect(await env.signalWorkflow(handle, 'mail', 'second')).toBeGreaterThan(1);
  expect(await env.awaitCompletion(handle)).toEqual(['first', 'second']);
  const created = await env.signalWithStartWorkflow(inbox, 'an id', 'hello', 'mail', 'there');
  expect(created.workflowCreated).toBe(true);
  expect(await env.awaitCompletion(created.handle)).toEqual(['hello', 'there']);
});

test('a harness with a config stands for the server that it names', async () => {
  onTestFinished(() => kit.cleanupTestHarness());
  const harness = await kit.getTestHarness(CONFIG);
  expect(harness).toBeInstanceOf(TestHarness);
  const { grpcHost, grpcPort, httpHost, httpPort, orgId, orgSlug, apiKey, workerToken } = harness;
  expect({ grpcHost, grpcPort, httpHost, httpPort, orgId, orgSlug, apiKey, workerToken }).toEqual(CONFIG);
  expect(harness.isStarted).toBe(true);
  await harness.start();
  expect(await kit.getTestHarness()).toBe(harness);
  await kit.cleanupTestHarness();
  expect(await kit.getTestHarness(CONFIG)).not.toBe(harness);
  const config: TestHarnessConfig = { port: 0 };
  expect(new TestHarness(config).isStarted).toBe(false);
});

test('a mock of the context of a task remembers what it is told', async () => {
  const ctx = new MockTaskContext();
  expect([ctx.taskExecutionId, ctx.taskKind, ctx.attempt]).toEqual(['mock-task-123', 'mock-task', 1]);
  expect([ctx.progress, ctx.heartbeatCount, ctx.isCancelled]).toEqual([0, 0, false]);
  await ctx.reportProgress(0.25);
  await ctx.reportProgress(0.5);
  await ctx.heartbeat();
  await ctx.streamToken('a');
  await ctx.streamProgress(0.5);
  await ctx.streamData({ n: 1 });
  await ctx.streamError('odd', 'E1');
  expect([ctx.progressUpdates, ctx.progress]).toEqual([[0.25, 0.5], 0.5]);
  expect([ctx.heartbeats, ctx.heartbeatCount]).toEqual([[expect.any(Date)], 1]);
  expect(ctx.streamedTokens).toEqual(['a']);
  expect(ctx.streamedProgress).toEqual([0.5]);
  expect(ctx.streamedData).toEqual([{ n: 1 }]);
  expect(ctx.streamedErrors).toEqual(['odd']);
  expectTypeOf(ctx.streamEvents).toEqualTypeOf<readonly TrackedStreamEvent[]>();
  expect(ctx.streamEvents.map(({ type, value }) => [type, value])).toEqual([
    ['token', 'a'],
    ['progress', 0.5],
    ['data', { n: 1 }],
    ['error', 'odd'],
  ]);
  expect(ctx.streamEvents[0]?.timestamp).toBeInstanceOf(Date);
  ctx.markCancelled();
  expect(ctx.isCancelled).toBe(true);
  expect(() => ctx.checkCancellation()).toThrow(sdk.TaskCancelled);
  const other = new MockTaskContext('t-1', 'mail', 3);
  expect([other.taskExecutionId, other.taskKind, other.attempt]).toEqual(['t-1', 'mail', 3]);
});
