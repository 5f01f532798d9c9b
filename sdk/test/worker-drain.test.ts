import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { ConfigurationError, ConnectionError, FlovynError } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import { task } from '../src/task/define.js';
import type { Transport } from '../src/transport/transport.js';
import type { DrainOptions } from '../src/worker/drain-types.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { heldTask } from './support/held-task.js';
import { ManualClock } from './support/manual-clock.js';
import { workerOf } from './support/worker.js';
import { gate, hidden, until, world } from './support/world.js';

const double = task({ name: 'double', run: async (_ctx, n: number) => n * 2 });
const pair = workflow({
  name: 'pair',
  run: (ctx, n: number) => Promise.all([ctx.task(double, n), ctx.task(double, n + 1)]),
});
const nap = workflow({
  name: 'nap',
  run: async (ctx) => {
    await ctx.sleep(Duration.hours(1));
    return 'awake';
  },
});
const DEFINITIONS = { workflows: [pair, nap], tasks: [double] };

test('a drain runs what is ready and what comes of it, and then is done', async () => {
  const w = world();
  const client = await w.client();
  const { handle } = await client.startWorkflow(pair, 1);
  const { handle: asleep } = await client.startWorkflow(nap);
  const worker = workerOf(w, DEFINITIONS);
  w.engine.calls.length = 0;
  const report = await worker.drain();
  const calls = w.engine.calls.length;
  expect(await handle.result()).toEqual([2, 4]);
  expect((await asleep.describe()).status).toBe('WAITING');
  expect(report).toMatchObject({ end: 'idle', attempts: 2, requests: calls });
  // One of each to begin with, and one or two when the tasks have ended.
  expect([3, 4]).toContain(report.activations);
  expect(report).toMatchObject({ aborted: { taskExecutions: [] }, left: { taskExecutions: [] } });
  expect(worker.status).toBe('stopped');
});

test('a drain with nothing to do registers, asks once for each, and is idle', async () => {
  const w = world();
  const report = await workerOf(w, DEFINITIONS).drain();
  expect(w.engine.calls).toEqual(['RegisterWorker', 'PollWorkflow', 'PollTask']);
  expect(report).toMatchObject({ end: 'idle', activations: 0, attempts: 0, requests: 3 });
});

test('a worker drains again and again, and can be started in between', async () => {
  const w = world();
  const client = await w.client();
  const worker = workerOf(w, DEFINITIONS);
  for (const n of [1, 2]) {
    const { handle } = await client.startWorkflow(pair, n);
    await worker.drain();
    expect(await handle.result()).toEqual([n * 2, n * 2 + 2]);
  }
  await worker.start();
  expect(await client.executeWorkflow(pair, 3)).toEqual([6, 8]);
});

test('runOnce does one piece of work at a time, until none is ready', async () => {
  const w = world();
  const client = await w.client();
  const { handle } = await client.startWorkflow(pair, 1);
  const worker = workerOf(w, DEFINITIONS);
  const did: boolean[] = [];
  const done = (): number => worker.metrics().workflows.activations + worker.metrics().tasks.completed;
  for (let ready = true; ready; ) {
    const before = done();
    ready = await worker.runOnce();
    did.push(ready);
    expect(done() - before).toBe(ready ? 1 : 0);
  }
  expect(await handle.result()).toEqual([2, 4]);
  expect(did.slice(0, -1).every(Boolean)).toBe(true);
  expect(did.length).toBeGreaterThanOrEqual(5);
});

test('maxActivations is never exceeded, also by work that comes with answers', async () => {
  for (const maxActivations of [1, 2, 3, 4, 5, 7]) {
    const w = world();
    const client = await w.client();
    const started = await Promise.all(Array.from({ length: 5 }, (_, n) => client.startWorkflow(pair, n)));
    const worker = workerOf(w, DEFINITIONS);
    const report = await worker.drain({ maxActivations });
    expect(report).toMatchObject({ end: 'maxActivations' });
    expect(report.activations + report.attempts).toBe(maxActivations);
    const { workflows, tasks } = worker.metrics();
    expect(workflows.polls.givenBack + tasks.polls.givenBack).toBe(0);
    expect((await worker.drain()).end).toBe('idle');
    const results = await Promise.all(started.map(({ handle }) => handle.result()));
    expect(results).toEqual(Array.from({ length: 5 }, (_, n) => [n * 2, n * 2 + 2]));
  }
});

test('maxRequests is never exceeded, and what is left is done by the next drain', async () => {
  for (let maxRequests = 3; maxRequests <= 24; maxRequests += 3) {
    const w = world();
    const client = await w.client();
    const { handle } = await client.startWorkflow(pair, 1);
    const worker = workerOf(w, DEFINITIONS);
    const ends: string[] = [];
    for (let drains = 0; ends.at(-1) !== 'idle'; drains += 1) {
      w.engine.calls.length = 0;
      const report = await worker.drain({ maxRequests });
      expect(report.requests).toBe(w.engine.calls.length);
      expect(report.requests).toBeLessThanOrEqual(maxRequests);
      ends.push(report.end);
      // With three requests only one of the two polls can be sent, and workflows come first.
      if (maxRequests === 3 && drains === 3) break;
    }
    if (maxRequests > 3) expect(await handle.result()).toEqual([2, 4]);
    else expect(new Set(ends)).toEqual(new Set(['maxRequests']));
  }
});

test('nothing is claimed in the reserve, and at maxMs signals fire and work is given back', async () => {
  const w = world();
  const clock = new ManualClock();
  const { slow, one, begun } = heldTask({ heeds: true });
  const client = await w.client();
  const { handle } = await client.startWorkflow(one);
  const worker = workerOf(w, { workflows: [one], tasks: [slow], ...hidden({ clock }) });
  const drained = worker.drain({ maxMs: 10_000, reserveMs: 4_000 });
  await begun.promise;
  const polls = (): number => w.engine.count('PollWorkflow') + w.engine.count('PollTask');
  clock.advance(5_999);
  expect(worker.status).toBe('running');
  clock.advance(1);
  await until(() => worker.status === 'stopping');
  const before = polls();
  clock.advance(3_999);
  expect(worker.activeTaskExecutions).toHaveLength(1);
  clock.advance(1);
  const report = await drained;
  expect(report).toMatchObject({ end: 'maxMs', activations: 1, attempts: 1, durationMs: 10_000 });
  expect(report.aborted.taskExecutions).toHaveLength(1);
  expect([polls(), w.engine.count('ReleaseClaim')]).toEqual([before, 1]);

  const quick = task({ name: 'slow', run: async () => 'by another' });
  await workerOf(w, { workflows: [one], tasks: [quick] }).drain();
  expect(await handle.result()).toBe('by another');
});

test('the reserve is a second, and half of a time that is shorter than two', async () => {
  for (const [maxMs, claimMs] of [
    [10_000, 9_000],
    [1_000, 500],
  ] as const) {
    const w = world();
    const clock = new ManualClock();
    const { slow, one, begun, release } = heldTask({ heeds: true });
    await (await w.client()).startWorkflow(one);
    const worker = workerOf(w, { workflows: [one], tasks: [slow], ...hidden({ clock }) });
    const drained = worker.drain({ maxMs });
    await begun.promise;
    clock.advance(claimMs - 1);
    expect(worker.status).toBe('running');
    clock.advance(1);
    await until(() => worker.status === 'stopping');
    release.open('done');
    expect(await drained).toMatchObject({ end: 'maxMs', aborted: { taskExecutions: [] } });
  }
});

test('a shutdown or a signal ends a drain in order', async () => {
  for (const by of ['shutdown', 'signal'] as const) {
    const w = world();
    const controller = new AbortController();
    const { slow, one, begun, release } = heldTask({ heeds: true });
    const { handle } = await (await w.client()).startWorkflow(one);
    const worker = workerOf(w, { workflows: [one], tasks: [slow] });
    const drained = worker.drain({ signal: controller.signal });
    await begun.promise;
    if (by === 'signal') controller.abort();
    else void worker.shutdown({ graceMs: 10_000 });
    await until(() => worker.status === 'stopping');
    release.open('done');
    expect(await drained).toMatchObject({ end: 'shutdown', attempts: 1 });
    expect((await w.history(handle.workflowId)).map(({ type }) => type)).toContain('TASK_COMPLETED');
  }
  const w = world();
  const worker = workerOf(w, DEFINITIONS);
  expect(await worker.drain({ signal: AbortSignal.abort() })).toMatchObject({ end: 'shutdown', requests: 0 });
  expect(await worker.runOnce({ signal: AbortSignal.abort() })).toBe(false);
  expect(w.engine.calls).toEqual([]);
});

test('a drain that cannot poll rejects, after work under way has ended', async () => {
  const w = world();
  const { slow, one, release } = heldTask({ heeds: true });
  const { handle } = await (await w.client()).startWorkflow(one);
  const worker = workerOf(w, { workflows: [one], tasks: [slow] });
  const failed = gate();
  w.engine.intercept = async (method, next) => {
    // From the attempt on nobody can be polled any more.
    if (method !== Method.PollWorkflow || worker.activeTaskExecutions.length === 0) return next();
    failed.open();
    throw new ConnectionError('nobody there', 'here');
  };
  const drained = failureOf(worker.drain());
  await failed.promise;
  release.open('done');
  expect(await drained).toBeInstanceOf(ConnectionError);
  expect(worker.status).toBe('stopped');
  expect((await w.history(handle.workflowId)).map(({ type }) => type)).toContain('TASK_COMPLETED');
});

test('a server that cannot be reached is waited for no longer than the drain may take', async () => {
  const clock = new ManualClock();
  const w = world({ clock });
  w.engine.intercept = () => Promise.reject(new ConnectionError('nobody there', 'here'));
  const worker = workerOf(w, { ...DEFINITIONS, ...hidden({ clock }) });
  const late = failureOf(worker.drain({ maxMs: 100 }));
  await until(() => w.engine.count('RegisterWorker') > 0);
  clock.advance(100);
  expect(await late).toBeInstanceOf(ConnectionError);
  expect(worker.status).toBe('stopped');

  const controller = new AbortController();
  const before = w.engine.count('RegisterWorker');
  const drained = worker.drain({ signal: controller.signal });
  await until(() => w.engine.count('RegisterWorker') > before);
  controller.abort();
  expect(await drained).toMatchObject({ end: 'shutdown', activations: 0, attempts: 0 });
  expect(clock.scheduled.all).toBe(0);
});

test('a poll that is not answered does not keep a drain from its end', async () => {
  const ends = { maxMs: 'maxMs', signal: 'shutdown', shutdown: 'shutdown' } as const;
  for (const [by, end] of Object.entries(ends)) {
    const [w, clock, polled] = [world(), new ManualClock(), gate()];
    const transport: Transport = {
      extended: true,
      isInProcess: true,
      unary: (method, body, options) => {
        if (method !== Method.PollWorkflow && method !== Method.PollTask)
          return w.engine.unary(method, body, options);
        polled.open();
        return new Promise((_, reject) => {
          options?.signal?.addEventListener('abort', () => reject(new ConnectionError('cut off', 'here')));
        });
      },
      serverStream: () => w.engine.serverStream(),
      close: async () => {},
    };
    const controller = new AbortController();
    const worker = workerOf(w, { ...DEFINITIONS, transport, ...hidden({ clock }) });
    const drained = worker.drain({ maxMs: 10_000, signal: controller.signal });
    await polled.promise;
    if (by === 'maxMs') clock.advance(10_000);
    else if (by === 'signal') controller.abort();
    else void worker.shutdown();
    expect(await drained).toMatchObject({ end, activations: 0, attempts: 0 });
    expect(worker.status).toBe('stopped');
  }
});

test('a worker that drains cannot be started, drained or paused meanwhile', async () => {
  const w = world();
  const { slow, one, begun, release } = heldTask({ heeds: true });
  await (await w.client()).startWorkflow(one);
  const worker = workerOf(w, { workflows: [one], tasks: [slow] });
  const drained = worker.drain();
  await begun.promise;
  for (const refused of [worker.start(), worker.drain(), worker.runOnce()])
    expect((await failureOf(refused)).message).toBe('Worker is already started');
  expect(() => worker.pause()).toThrow(FlovynError);
  expect(() => worker.pause()).toThrow('Worker can be paused only while it runs; it is draining');
  release.open('done');
  expect((await drained).end).toBe('idle');
});

test('limits that cannot be meant are refused', async () => {
  const w = world();
  const worker = workerOf(w, DEFINITIONS);
  const refused: [DrainOptions, string][] = [
    [{ maxMs: 0 }, 'drain: maxMs must be a number of milliseconds above 0, got 0'],
    [
      { maxMs: 10, reserveMs: 10 },
      'drain: reserveMs must be a number of milliseconds from 0 up, less than maxMs (10), got 10',
    ],
    [{ maxActivations: 0 }, 'drain: maxActivations must be a number from 1 up, got 0'],
    [{ maxRequests: 2 }, 'drain: maxRequests must be a number from 3 up, got 2'],
    [{ maxRequests: Number.NaN }, 'drain: maxRequests must be a number from 3 up, got NaN'],
  ];
  for (const [options, message] of refused) {
    const error = await failureOf(worker.drain(options));
    expect([error.name, error.message]).toEqual([ConfigurationError.name, message]);
  }
  expect(w.engine.calls).toEqual([]);
});
