import { expect, test, vi } from 'vitest';
import {
  ConfigurationError,
  ConnectionError,
  EngineFailed,
  FlovynError,
  Unsupported,
} from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import { task } from '../src/task/define.js';
import { EmbeddedTransport } from '../src/transport/embedded.js';
import { Worker } from '../src/worker/worker.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { heldTask } from './support/held-task.js';
import { ManualClock } from './support/manual-clock.js';
import { workerOf } from './support/worker.js';
import { hastyClock, hidden, until, type World, world } from './support/world.js';

const echo = workflow({ name: 'echo', run: async (_ctx, input: unknown) => input });
const polls = (w: World): number => w.engine.count('PollWorkflow') + w.engine.count('PollTask');

test('a worker apart from the client runs what it is given, and its status tells where it is', async () => {
  const w = world();
  const client = await w.client();
  const worker = workerOf(w, { workflows: [echo] });
  expect([worker.status, worker.uptimeMs]).toEqual(['new', 0]);
  const starting = worker.start();
  expect(worker.status).toBe('starting');
  await starting;
  expect(worker.status).toBe('running');
  expect((await failureOf(worker.start())).message).toBe('Worker is already started');
  expect(await client.executeWorkflow(echo, 1)).toBe(1);
  const stopping = worker.shutdown();
  expect(worker.status).toBe('stopping');
  await stopping;
  expect(worker.status).toBe('stopped');

  await worker.start();
  expect(await client.executeWorkflow(echo, 2)).toBe(2);
});

test('uptime counts from the start to the stop', async () => {
  const w = world();
  const clock = new ManualClock();
  const worker = workerOf(w, { workflows: [echo], ...hidden({ clock }) });
  await worker.start();
  clock.advance(1_500);
  expect(worker.uptimeMs).toBe(1_500);
  await worker.shutdown();
  expect(worker.uptimeMs).toBe(0);
});

test('a start that fails leaves a worker that can be started again', async () => {
  const w = world();
  const worker = workerOf(w, { workflows: [echo], ...hidden({ clock: hastyClock }) });
  w.engine.intercept = () => Promise.reject(new ConnectionError('nobody there', 'here'));
  expect(await failureOf(worker.start())).toBeInstanceOf(ConnectionError);
  expect(worker.status).toBe('stopped');
  w.engine.intercept = (_method, next) => next();
  await worker.start();
  expect(worker.status).toBe('running');
});

test('run ends with its signal, and with a shutdown', async () => {
  const w = world();
  const worker = workerOf(w, { workflows: [echo] });
  const controller = new AbortController();
  const running = worker.run({ signal: controller.signal });
  await until(() => worker.status === 'running');
  controller.abort();
  await running;
  expect(worker.status).toBe('stopped');

  const { length } = w.engine.calls;
  await worker.run({ signal: controller.signal });
  expect(w.engine.calls).toHaveLength(length);

  const again = worker.run();
  await until(() => worker.status === 'running');
  await worker.shutdown();
  await again;
});

test('a signal that fires during the start ends the run after it', async () => {
  const w = world();
  const worker = workerOf(w, { workflows: [echo] });
  const controller = new AbortController();
  const running = worker.run({ signal: controller.signal });
  controller.abort();
  await running;
  expect(worker.status).toBe('stopped');
});

test('a run need not come to be started before its signal ends it', async () => {
  const w = world();
  const clock = new ManualClock();
  const worker = workerOf(w, { workflows: [echo], ...hidden({ clock }) });
  const controller = new AbortController();
  w.engine.intercept = () => Promise.reject(new ConnectionError('no server', 'here'));
  const running = worker.run({ signal: controller.signal });
  await until(() => w.engine.count('RegisterWorker') === 1);
  await until(() => clock.scheduled.all === 1);
  controller.abort();
  await running;
  expect(worker.status).toBe('stopped');
  expect(clock.scheduled.all).toBe(0);
});

test('run rejects when the embedded server has ended for good', async () => {
  const w = world();
  const worker = workerOf(w, { workflows: [echo] });
  const running = failureOf(worker.run());
  await until(() => polls(w) === 4);
  w.engine.intercept = (method, next) =>
    method === Method.PollWorkflow ? Promise.reject(new EngineFailed('it trapped')) : next();
  const client = await w.client();
  await client.startWorkflow(echo, 1);
  expect(await running).toBeInstanceOf(EngineFailed);
  expect(worker.status).toBe('stopped');
});

test('a paused worker claims nothing, its work goes on, and resume takes up what has come', async () => {
  const w = world();
  const { slow, one, begun, release } = heldTask();
  const client = await w.client();
  const worker = workerOf(w, { workflows: [one, echo], tasks: [slow] });
  await worker.start();
  const { handle } = await client.startWorkflow(one);
  await begun.promise;
  worker.pause();
  worker.pause();
  expect(worker.status).toBe('paused');
  await until(() => worker.metrics().tasks.polls.waiting + worker.metrics().workflows.polls.waiting === 0);
  const before = polls(w);

  release.open('done');
  await until(() => w.engine.count('CompleteTask') === 1);
  const waiting = client.executeWorkflow(echo, 'later');
  await w.quiet();
  expect(polls(w)).toBe(before);
  expect(await w.eventTypes(handle.workflowId)).not.toContain('WORKFLOW_COMPLETED');
  expect(worker.metrics().workflows.started).toBe(1);

  worker.resume();
  worker.resume();
  expect(worker.status).toBe('running');
  expect(await Promise.all([waiting, handle.result()])).toEqual(['later', 'done']);
});

test('an end that is reported during a pause asks for no more work', async () => {
  const w = world();
  const { slow, one, begun, release } = heldTask();
  const client = await w.client();
  const worker = workerOf(w, { workflows: [one], tasks: [slow], taskWorkerOptions: { maxConcurrent: 1 } });
  await worker.start();
  await client.startWorkflow(one);
  await client.startWorkflow(one);
  await begun.promise;
  await until(() => w.engine.count('SubmitWorkflowCommands') === 2);
  worker.pause();
  release.open('done');
  await until(() => w.engine.count('CompleteTask') === 1);
  await until(() => worker.metrics().tasks.active === 0);
  // The second task is still the server's: nothing was claimed that had to be given back.
  expect(worker.metrics().tasks.polls).toMatchObject({ chained: 0, givenBack: 0 });
  expect(w.engine.count('ReleaseClaim')).toBe(0);
});

test('polls that a pause has ended are no failures', async () => {
  const w = world();
  const worker = workerOf(w, { workflows: [echo] });
  await worker.start();
  await until(() => polls(w) === 4);
  worker.pause();
  worker.resume();
  await until(() => polls(w) === 8);
  await w.quiet();
  expect(worker.metrics()).toMatchObject({ disconnects: 0, workflows: { polls: { failed: 0, waiting: 4 } } });
  expect(w.logger.at('warn')).toEqual([]);
});

test.each([
  ['at once', true],
  ['while the polls from before the pause are still waited for', false],
])('a worker that is paused and resumed in an outage polls again: %s', async (_when, isInProcess) => {
  const w = world();
  w.engine.isInProcess = isInProcess;
  const worker = workerOf(w, { workflows: [echo], ...hidden({ clock: hastyClock }) });
  await worker.start();
  await until(() => polls(w) === 4);
  let isOut = true;
  w.engine.intercept = (method, next) =>
    isOut && method === Method.PollWorkflow
      ? Promise.reject(new ConnectionError('restarting', 'here'))
      : next();
  // Ends the polls from before.
  worker.pause();
  worker.resume();
  await until(() => worker.metrics().disconnects === 1);
  worker.pause();
  if (isInProcess) await until(() => worker.metrics().workflows.polls.waiting === 0);
  worker.resume();
  const before = polls(w);
  await until(() => polls(w) > before);
  isOut = false;
  const client = await w.client();
  expect(await client.executeWorkflow(echo, 'again')).toBe('again');
  await until(() => worker.metrics().workflows.polls.waiting === 4);
  expect(worker.metrics()).toMatchObject({ disconnects: 1, reconnects: 1 });
});

test('a worker that is resumed in a long outage looks for the server soon', async () => {
  const clock = new ManualClock();
  const w = world({ clock });
  w.engine.intercept = (method, next) =>
    method === Method.PollWorkflow ? Promise.reject(new ConnectionError('restarting', 'here')) : next();
  const worker = workerOf(w, { workflows: [echo], ...hidden({ clock }) });
  await worker.start();
  await w.passing(until(() => polls(w) >= 12));
  worker.pause();
  await until(() => worker.metrics().workflows.polls.waiting === 0);
  worker.resume();
  const before = polls(w);
  // The pause before the next poll would be up to a minute long by now.
  clock.advance(1_000);
  await until(() => polls(w) > before);
});

test('pause and resume need a worker that runs', async () => {
  const w = world();
  const worker = workerOf(w, { workflows: [echo] });
  expect(() => worker.pause()).toThrow('Worker can be paused only while it runs; it is new');
  await worker.start();
  const stopping = worker.shutdown();
  expect(() => worker.resume()).toThrow('Worker can be resumed only while it runs; it is stopping');
  await stopping;
  expect(() => worker.pause()).toThrow(FlovynError);
});

test('a paused worker shuts down, and is not paused when it is started again', async () => {
  const w = world();
  const worker = workerOf(w, { workflows: [echo] });
  await worker.start();
  worker.pause();
  await worker.shutdown();
  await worker.start();
  expect(worker.status).toBe('running');
  const client = await w.client();
  expect(await client.executeWorkflow(echo, 1)).toBe(1);
});

test('a shutdown without work is reported, in one line; calls after it get the same report', async () => {
  const w = world();
  const worker = workerOf(w, { workflows: [echo] });
  const none = { workflowExecutions: [], taskExecutions: [] };
  expect(await worker.shutdown()).toEqual({ durationMs: 0, aborted: none, left: none });
  await worker.start();
  const [report, second] = await Promise.all([worker.shutdown(), worker.shutdown()]);
  expect(report).toMatchObject({ aborted: none, left: none });
  expect(second).toBe(report);
  expect(await worker.shutdown()).toBe(report);
  expect(w.logger.at('info')).toEqual([expect.stringMatching(/^the worker stopped after \d+ ms$/)]);
});

test('a shutdown names the work that it gave back, and the work that it had to leave', async () => {
  const w = world();
  const clock = new ManualClock();
  const [good, deaf] = [heldTask({ heeds: true }), heldTask()];
  const stubborn = task({ name: 'stubborn', run: deaf.slow.run });
  const two = workflow({
    name: 'two',
    run: (ctx) => Promise.race([ctx.task(good.slow), ctx.task(stubborn)]),
  });
  const client = await w.client();
  const worker = workerOf(w, { workflows: [two], tasks: [good.slow, stubborn], ...hidden({ clock }) });
  await worker.start();
  await client.startWorkflow(two);
  await Promise.all([good.begun.promise, deaf.begun.promise]);
  const [heeding, stuck] = [...worker.activeTaskExecutions];
  const shutdown = worker.shutdown({ graceMs: 5_000 });
  await until(() => worker.metrics().tasks.polls.waiting === 0);
  clock.advance(4_999);
  expect(w.engine.count('ReleaseClaim')).toBe(0);
  clock.advance(1);
  await until(() => w.engine.count('ReleaseClaim') === 1);
  await w.quiet();
  clock.advance(1_000);
  const report = await shutdown;
  expect(report).toEqual({
    durationMs: 6_000,
    aborted: { workflowExecutions: [], taskExecutions: [heeding] },
    left: { workflowExecutions: [], taskExecutions: [stuck] },
  });
  expect(w.logger.at('warn')).toEqual([
    'the worker stopped although work was still under way and did not heed its signal, after 6000 ms; ' +
      `given back after the grace period: ${heeding}; left: ${stuck}`,
  ]);
  deaf.release.open('too late');
});

test('a later call can make the grace period shorter, not longer', async () => {
  const w = world();
  const clock = new ManualClock();
  const { slow, one, begun } = heldTask({ heeds: true });
  const client = await w.client();
  const worker = workerOf(w, {
    workflows: [one],
    tasks: [slow],
    shutdownGraceMs: 20_000,
    ...hidden({ clock }),
  });
  await worker.start();
  await client.startWorkflow(one);
  await begun.promise;
  const shutdown = worker.shutdown();
  const longer = worker.shutdown({ graceMs: 60_000 });
  const shorter = worker.shutdown({ graceMs: 3_000 });
  await until(() => worker.metrics().tasks.polls.waiting === 0);
  clock.advance(3_000);
  const reports = await Promise.all([shutdown, longer, shorter]);
  expect(new Set(reports).size).toBe(1);
  expect(reports[0]).toMatchObject({ durationMs: 3_000, aborted: { taskExecutions: [expect.any(String)] } });
  // No timer is left that would keep a process alive.
  expect(clock.scheduled.keepAlive).toBe(0);
});

test('a shutdown during the start waits for that', async () => {
  const w = world();
  const worker = workerOf(w, { workflows: [echo] });
  const [, report] = await Promise.all([worker.start(), worker.shutdown()]);
  expect(report.durationMs).toBeLessThan(1_000);
  expect(worker.status).toBe('stopped');
  const { length } = w.engine.calls;
  await w.quiet();
  expect(w.engine.calls).toHaveLength(length);
});

test('options: a worker without anything to run, without a server, or with options of clients is refused', () => {
  const transport = new EmbeddedTransport();
  const make = (options: object) => () => new Worker(options);
  expect(make({ transport })).toThrow('Worker needs at least one workflow or task, got none');
  expect(make({ transport, workflows: [echo, echo] })).toThrow('Workflow "echo" is already registered');
  expect(make({ workflows: [echo] })).toThrow(
    'Worker needs exactly one of serverUrl and transport, got none',
  );
  expect(make({ embedded: true, workflows: [echo] })).toThrow('would have no clients');
  expect(make({ transport, apiKey: 'x', workflows: [echo] })).toThrow('Worker: unknown option "apiKey"');
  expect(make({ transport, workflows: [echo], handleSignals: 1 })).toThrow(
    'handleSignals must be true or false',
  );
  expect(make({ transport, workflows: [echo], shutdownGraceMs: -1 })).toThrow(ConfigurationError);
});

test('options of a shutdown are checked', async () => {
  const worker = workerOf(world(), { workflows: [echo] });
  expect((await failureOf(worker.shutdown({ graceMs: -1 }))).message).toContain('graceMs must be a number');
  expect((await failureOf(worker.shutdown({ grace: 1 } as never))).message).toContain(
    'unknown option "grace"',
  );
  expect((await failureOf(worker.run({ abort: 1 } as never))).message).toContain('unknown option "abort"');
});

test.each([
  ['there is no process', 'process', undefined],
  ['it is workerd, whose process gets none', 'navigator', { userAgent: 'Cloudflare-Workers' }],
  ['it is a page', 'document', {}],
])('handling signals is refused where %s', (_name, global, value) => {
  const make = () =>
    new Worker({ transport: new EmbeddedTransport(), workflows: [echo], handleSignals: true });
  expect(make).not.toThrow();
  vi.stubGlobal(global, value);
  try {
    expect(make).toThrow(Unsupported);
    expect(make).toThrow('handleSignals is not supported here');
  } finally {
    vi.unstubAllGlobals();
  }
});

test('a grace period of nothing fires the signals at once', async () => {
  const w = world();
  const { slow, one, begun } = heldTask({ heeds: true });
  const client = await w.client();
  const worker = workerOf(w, { workflows: [one], tasks: [slow] });
  await worker.start();
  await client.startWorkflow(one);
  await begun.promise;
  const { aborted, left, durationMs } = await worker.shutdown({ graceMs: 0 });
  expect([aborted.taskExecutions.length, left.taskExecutions.length]).toEqual([1, 0]);
  // Not the 10 s of the default.
  expect(durationMs).toBeLessThan(5_000);
});

test('the worker of a client is there once something is registered, and starts and stops with it', async () => {
  const w = world();
  expect((await w.client()).worker).toBeUndefined();
  const client = await w.client([echo]);
  const { worker } = client;
  expect(worker?.status).toBe('running');
  expect(client.worker).toBe(worker);
  await client.stop();
  expect(worker?.status).toBe('stopped');
  expect((await failureOf(worker?.start() ?? Promise.resolve())).message).toBe('Client is not started');
  await client.start();
  expect(client.worker?.status).toBe('running');
});
