import { afterEach, expect, test } from 'vitest';
import './support/core.js';
import { Duration as MainDuration } from '../src/duration.js';
import { ConfigurationError, NotFoundError, TimeoutError, Unsupported } from '../src/errors.js';
import { silentLogger } from '../src/logger.js';
import { task } from '../src/task/define.js';
import {
  Duration,
  FlovynTestEnvironment,
  TESTING_VERSION,
  type TestEnvironmentOptions,
} from '../src/testing/index.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { gate } from './support/world.js';

const environments: FlovynTestEnvironment[] = [];
const START = new Date('2030-01-01T00:00:00Z');
const DAY_MS = 24 * 60 * 60 * 1000;

function environment(options: TestEnvironmentOptions = {}): FlovynTestEnvironment {
  const made = new FlovynTestEnvironment({ server: false, logger: silentLogger, ...options });
  environments.push(made);
  return made;
}

const virtual = (): FlovynTestEnvironment =>
  environment({ time: 'virtual', startTime: START, server: undefined });

afterEach(async () => {
  await Promise.all(environments.splice(0).map((env) => env.stop()));
});

const messageOf = (error: unknown): string => (error as Error).message;
const double = task({ name: 'double', run: (_ctx, n: number) => n * 2 });
const doubling = workflow({ name: 'doubling', run: (ctx, n: number) => ctx.task(double, n) });

test('its statics and its Duration are those that programs know', () => {
  expect(FlovynTestEnvironment.TEST_TIMEOUT).toBe(60_000);
  expect(FlovynTestEnvironment.DEFAULT_AWAIT_TIMEOUT).toBe(30_000);
  expect(FlovynTestEnvironment.WORKER_REGISTRATION_DELAY).toBe(500);
  expect(TESTING_VERSION).toMatch(/^\d+\.\d+\.\d+$/);
  expect(Duration).toBe(MainDuration);
});

test('it runs workflows and tasks in this process', async () => {
  const env = environment().registerWorkflow(doubling).registerTask(double);
  expect(env.client).toBeNull();
  expect(env.queue).toMatch(/^test-[0-9a-f]{8}$/);
  expect(env.orgId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  await env.start();
  const { client } = env;
  await env.start();
  expect(env.client).toBe(client);
  expect(env.isStarted).toBe(true);
  const result: number = await env.startAndAwait(doubling, 21);
  expect(result).toBe(42);
  const { handle } = await env.startWorkflow<number>('doubling', 4);
  expect(await env.awaitCompletion(handle)).toBe(8);
  expect(await handle.describe()).toMatchObject({ queue: env.queue, kind: 'doubling' });
  await env.stop();
  expect(env.isStarted).toBe(false);
  await env.stop();
});

test('a second registration replaces the first, and none is taken after the start', async () => {
  const tripling = workflow({ name: 'doubling', run: (_ctx, n: number) => n * 3 });
  const env = environment().registerWorkflow(doubling).registerWorkflow(tripling);
  env.registerTask(double).registerTask(task({ name: 'double', run: () => 0 }));
  await env.start();
  expect(await env.startAndAwait(doubling, 1)).toBe(3);
  expect(() => env.registerWorkflow(doubling)).toThrow('Cannot register workflows after client has started');
  expect(() => env.registerTask(double)).toThrow('Cannot register tasks after client has started');
});

test('the option queue names the queue', async () => {
  const env = environment({ queue: 'mine' }).registerWorkflow(doubling);
  expect(env.queue).toBe('mine');
});

test('one key starts one execution', async () => {
  const env = environment().registerWorkflow(doubling).registerTask(double);
  await env.start();
  const first = await env.startWorkflow(doubling, 1, { idempotencyKey: 'k' });
  const second = await env.startWorkflow(doubling, 2, { idempotencyKey: 'k' });
  const other = await env.startWorkflow(doubling, 2);
  expect(second.handle.workflowId).toBe(first.handle.workflowId);
  expect(other.handle.workflowId).not.toBe(first.handle.workflowId);
  expect(await env.startAndAwait(doubling, 3, { idempotencyKey: 'k' })).toBe(2);
});

test('promises can be settled before they are made, by name', async () => {
  const approval = workflow({
    name: 'approval',
    run: async (ctx) => {
      await ctx.sleep(Duration.milliseconds(20));
      const yes = await ctx.promise<string>('yes');
      return ctx.promise<string>('no').catch((error: unknown) => `${yes}, ${messageOf(error)}`);
    },
  });
  for (const env of [environment(), virtual()]) {
    await env.registerWorkflow(approval).start();
    const { handle } = await env.startWorkflow(approval);
    await env.resolvePromise(handle, 'yes', 'fine');
    await env.rejectPromise(handle, 'no', 'too late');
    expect(await env.awaitCompletion(handle)).toBe('fine, Promise "no" was rejected: too late');
  }
});

test('signals are sent to executions, and start them', async () => {
  const collect = workflow({
    name: 'collect',
    run: async (ctx, prefix: string) =>
      prefix + String(await ctx.waitForSignal('a')) + String(await ctx.waitForSignal('a')),
  });
  const env = environment().registerWorkflow(collect);
  await env.start();
  const { handle, workflowCreated } = await env.signalWithStartWorkflow(collect, 'one', '>', 'a', 1);
  expect(workflowCreated).toBe(true);
  const again = await env.signalWithStartWorkflow(collect, 'one', '>', 'a', 2);
  expect(again).toMatchObject({ workflowCreated: false, handle: { workflowId: handle.workflowId } });
  expect(await env.awaitCompletion(handle)).toBe('>12');
  const { handle: other } = await env.startWorkflow(collect, '');
  const sequence = await env.signalWorkflow(other, 'a', 'x');
  expect(await env.signalWorkflow(other, 'a', 'y')).toBeGreaterThan(sequence);
  expect(await env.awaitCompletion(other)).toBe('xy');
});

test('awaitCompletion tells of a stop meanwhile as a result does', async () => {
  const env = environment();
  await env.registerWorkflow(workflow({ name: 'waits', run: (ctx) => ctx.promise('never') })).start();
  const { handle } = await env.startWorkflow<unknown>('waits');
  const waited = failureOf(env.awaitCompletion(handle));
  await env.stop();
  expect(await waited).toMatchObject({ name: 'RpcError', code: 'CANCELLED' });
});

test('awaitCompletion ends after its time, and says how far the execution came', async () => {
  const waiting = workflow({ name: 'waiting', run: (ctx) => ctx.waitForSignal('never') });
  for (const env of [environment(), virtual()]) {
    env.registerWorkflow(waiting);
    await env.start();
    const { handle } = await env.startWorkflow(waiting);
    const waited = env.awaitCompletion(handle, Duration.milliseconds(50));
    await expect(waited).rejects.toThrow(TimeoutError);
    await expect(waited).rejects.toThrow(
      /history ends with 1 WORKFLOW_STARTED.*WORKFLOW_SUSPENDED, timed out after 50 ms/,
    );
    const short = env.startAndAwait(waiting, undefined, { timeout: Duration.milliseconds(1) });
    await expect(short).rejects.toThrow('timed out after 1 ms');
  }
});

test('a workflow that sleeps for 30 days is over at once, 30 days later', async () => {
  const month = workflow({
    name: 'month',
    run: async (ctx) => {
      const before = ctx.currentTimeMillis();
      await ctx.sleep(Duration.days(30));
      return (ctx.currentTimeMillis() - before) / DAY_MS;
    },
  });
  const env = virtual().registerWorkflow(month);
  await env.start();
  const began = performance.now();
  expect(await env.startAndAwait(month)).toBe(30);
  expect(performance.now() - began).toBeLessThan(1_000);
  expect(env.now()).toEqual(new Date(START.getTime() + 30 * DAY_MS));
});

test('time stands still while nobody waits', async () => {
  const nap = workflow({ name: 'nap', run: (ctx) => ctx.sleep(Duration.seconds(1)) });
  const env = virtual().registerWorkflow(nap);
  await env.start();
  const { handle } = await env.startWorkflow(nap);
  for (let turns = 0; turns < 500; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(env.now()).toEqual(START);
  expect((await env.history(handle)).events.at(-1)?.eventType).toBe('WORKFLOW_SUSPENDED');
  await handle;
  expect(env.now()).toEqual(new Date(START.getTime() + 1_000));
});

test('advance lets exactly so much time pass', async () => {
  const steps: string[] = [];
  const stepping = workflow({
    name: 'stepping',
    run: async (ctx) => {
      for (const step of ['a', 'b', 'c']) {
        await ctx.sleep(Duration.hours(1));
        await ctx.run(step, () => void steps.push(step));
      }
    },
  });
  const env = virtual().registerWorkflow(stepping);
  await env.start();
  const { handle } = await env.startWorkflow(stepping);
  await env.advance(Duration.minutes(59));
  expect(steps).toEqual([]);
  await env.advance(Duration.minutes(61));
  expect(steps).toEqual(['a', 'b']);
  expect(env.now()).toEqual(new Date(START.getTime() + 2 * 3_600_000));
  await env.awaitCompletion(handle);
  expect(steps).toEqual(['a', 'b', 'c']);
});

test('retries of tasks and of operations take no time of the machine', async () => {
  let attempts = 0;
  const flaky = task({
    name: 'flaky',
    retry: { maxRetries: 5, initialDelay: Duration.hours(1) },
    run: () => {
      attempts += 1;
      if (attempts < 4) throw new Error('not yet');
      return attempts;
    },
  });
  let tries = 0;
  const retrying = workflow({
    name: 'retrying',
    run: async (ctx) => {
      const ofTask = await ctx.task(flaky);
      const retry = { maxRetries: 3, initialDelay: Duration.minutes(10) };
      const ofOperation = await ctx.run(
        'op',
        () => {
          tries += 1;
          if (tries < 3) throw new Error('not yet');
          return tries;
        },
        { retry },
      );
      return [ofTask, ofOperation];
    },
  });
  const env = virtual().registerWorkflow(retrying).registerTask(flaky);
  await env.start();
  const began = performance.now();
  expect(await env.startAndAwait(retrying)).toEqual([4, 3]);
  expect(performance.now() - began).toBeLessThan(2_000);
  expect(env.now().getTime() - START.getTime()).toBeGreaterThan(3_600_000);
});

test('time is not skipped while a task runs, and its timeout still takes effect', async () => {
  const held = gate<string>();
  const slow = task({ name: 'slow', run: () => held.promise });
  const hanging = task({
    name: 'hanging',
    timeout: Duration.milliseconds(30),
    retry: { maxRetries: 0 },
    run: (ctx) => new Promise((resolve) => ctx.signal.addEventListener('abort', resolve)),
  });
  const racing = workflow({
    name: 'racing',
    run: async (ctx) => {
      const winner = await Promise.race([
        ctx.task(slow),
        ctx.sleep(Duration.hours(1)).then(() => 'too late'),
      ]);
      const failure = await ctx.task(hanging).catch(messageOf);
      return [winner, failure];
    },
  });
  const env = virtual().registerWorkflow(racing).registerTask(slow).registerTask(hanging);
  await env.start();
  const result = env.startAndAwait(racing);
  for (let turns = 0; turns < 300; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(env.now()).toEqual(START);
  held.open('in time');
  expect(await result).toEqual(['in time', expect.stringContaining('30 ms')]);
});

test('stopping does not wait for time that stands still', async () => {
  const never = task({ name: 'never', run: () => new Promise(() => {}) });
  const stuck = workflow({ name: 'stuck', run: (ctx) => ctx.task(never) });
  const env = virtual().registerWorkflow(stuck).registerTask(never);
  await env.start();
  await env.startWorkflow(stuck);
  for (let turns = 0; turns < 100; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(env.client?.getActiveTaskExecutions()).toHaveLength(1);
  const began = performance.now();
  await env.stop();
  expect(performance.now() - began).toBeLessThan(5_000);
});

test('real time cannot be moved, and the engine in this process does not outlive a stop', async () => {
  const env = environment().registerWorkflow(doubling);
  await expect(env.advance(Duration.seconds(1))).rejects.toThrow('Client is not started');
  await env.start();
  await expect(env.advance(Duration.seconds(1))).rejects.toThrow(Unsupported);
  expect(Math.abs(env.now().getTime() - Date.now())).toBeLessThan(1_000);
  const { handle } = await env.startWorkflow(doubling, 1);
  await env.stop();
  await expect(env.startWorkflow(doubling, 1)).rejects.toThrow('Client is not started');
  await env.start();
  await expect(env.client?.getWorkflowHandle(handle.workflowId).result()).rejects.toThrow(NotFoundError);
});

test('options that cannot be meant are refused', () => {
  const refused: [object, RegExp][] = [
    [{ time: 'fast' }, /time must be "real" or "virtual"/],
    [{ startTime: START }, /startTime has an effect only with time: "virtual"/],
    [{ time: 'virtual', startTime: new Date(Number.NaN) }, /startTime must be a valid Date/],
    [{ checkEveryPrefix: 'no' }, /checkEveryPrefix must be true or false, got "no"/],
    [{ server: { grpcHost: 'localhost' } }, /server: httpHost must be a text, got undefined/],
    [{ other: 1 }, /unknown option "other"/],
  ];
  for (const [options, message] of refused) {
    expect(() => new FlovynTestEnvironment(options as TestEnvironmentOptions)).toThrow(ConfigurationError);
    expect(() => new FlovynTestEnvironment(options as TestEnvironmentOptions)).toThrow(message);
  }
});
