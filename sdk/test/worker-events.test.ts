import { expect, onTestFinished, test } from 'vitest';
import type { FlovynClientOptions } from '../src/client/options.js';
import { FlovynClient } from '../src/client/client.js';
import { ConfigurationError, ConnectionError, WorkflowCancelled } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import { type AnyTask, task } from '../src/task/define.js';
import { EMBEDDED_ORG_ID } from '../src/transport/embedded.js';
import type { WorkerEvents } from '../src/worker/events.js';
import type { WorkflowHook } from '../src/worker/hooks.js';
import { type AnyWorkflow, workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { ManualClock } from './support/manual-clock.js';
import { gate, hastyClock, hidden, until, type World, world } from './support/world.js';

type Seen = [name: keyof WorkerEvents, event: Record<string, unknown>];

const ALL: (keyof WorkerEvents)[] = [
  'start',
  'pause',
  'resume',
  'stop',
  'workflowStarted',
  'workflowCompleted',
  'workflowFailed',
  'workflowCancelled',
  'violation',
  'taskStarted',
  'taskCompleted',
  'taskFailed',
  'taskAbandoned',
  'conflict',
  'disconnected',
  'reconnected',
];

const once = { maxRetries: 0 };
const echo = task({ name: 'echo', run: async (_ctx, input: unknown) => input });
const fails = task({ name: 'fails', retry: once, run: () => Promise.reject(new RangeError('no funds')) });
/** Three activations at least. */
const steps = workflow({
  name: 'steps',
  run: async (ctx, input: { n: number }) => {
    await ctx.task(echo, 1);
    await ctx.task(echo, 2);
    return input.n * 2;
  },
});
const failing = workflow({ name: 'failing', run: (ctx) => ctx.task(fails) });
const waiting = workflow({ name: 'waiting', run: (ctx) => ctx.promise('never') });

/** A client that is not started yet, and every event of its worker from before its start. */
async function watched(
  w: World,
  definitions: readonly (AnyWorkflow | AnyTask)[],
  options: Partial<FlovynClientOptions> = {},
): Promise<{ client: FlovynClient; seen: Seen[] }> {
  const seen: Seen[] = [];
  const client = new FlovynClient({
    transport: w.engine,
    logger: w.logger,
    orgId: EMBEDDED_ORG_ID,
    shutdownGraceMs: 200,
    ...options,
  });
  for (const definition of definitions) {
    if ('retry' in definition) client.registerTask(definition);
    else client.registerWorkflow(definition);
  }
  for (const name of ALL) client.worker?.on(name, (event) => void seen.push([name, { ...event }]));
  onTestFinished(() => client.stop());
  await client.start();
  return { client, seen };
}

const named = (seen: Seen[], ...names: string[]): Seen[] => seen.filter(([name]) => names.includes(name));
const names = (seen: Seen[]): string[] => seen.map(([name]) => name);

test.each([false, true])(
  'the life of an execution is told once each; always replaying: %s',
  async (alwaysReplay) => {
    const w = world();
    const { client, seen } = await watched(w, [steps, echo], { workflowWorkerOptions: { alwaysReplay } });
    const { handle } = await client.startWorkflow(steps, { n: 4 });
    expect(await handle.result()).toBe(8);
    await client.stop();
    const execution = { workflowExecutionId: handle.workflowId, workflowKind: 'steps' };
    expect(named(seen, 'workflowStarted', 'workflowCompleted', 'workflowFailed')).toEqual([
      ['workflowStarted', execution],
      ['workflowCompleted', execution],
    ]);
    const [first] = named(seen, 'taskStarted');
    expect(first?.[1]).toEqual({ taskExecutionId: expect.any(String), taskKind: 'echo', attempt: 1 });
    const [ended] = named(seen, 'taskCompleted');
    expect(ended?.[1]).toEqual({ ...first?.[1], durationMs: expect.any(Number) });
    expect(names(seen).at(0)).toBe('start');
    expect(seen[0]?.[1]).toEqual({ workerId: expect.stringMatching(/^[-0-9a-f]{36}$/) });
    expect(names(seen).at(-1)).toBe('stop');
    expect(seen.at(-1)?.[1]).toMatchObject({ left: { taskExecutions: [] } });
    expect(named(seen, 'taskStarted', 'taskCompleted')).toHaveLength(4);
  },
);

test('failures and cancellations are told with their reason', async () => {
  const w = world();
  const { client, seen } = await watched(w, [failing, fails, waiting]);
  const failed = await client.startWorkflow(failing);
  await failureOf(failed.handle.result());
  const cancelled = await client.startWorkflow(waiting);
  await cancelled.handle.cancel('not needed');
  await failureOf(cancelled.handle.result());
  await client.stop();
  const [task] = named(seen, 'taskFailed');
  expect(task?.[1]).toMatchObject({
    taskKind: 'fails',
    attempt: 1,
    error: 'no funds',
    errorType: 'RangeError',
  });
  const [[, failure]] = named(seen, 'workflowFailed') as [Seen];
  expect(failure).toMatchObject({ workflowExecutionId: failed.handle.workflowId, workflowKind: 'failing' });
  expect(String(failure['error'])).toContain('no funds');
  expect(named(seen, 'workflowCancelled')).toEqual([
    ['workflowCancelled', { workflowExecutionId: cancelled.handle.workflowId, workflowKind: 'waiting' }],
  ]);
});

/** A hook that writes down what it is told. */
function recorder(): WorkflowHook & { readonly told: unknown[][] } {
  const told: unknown[][] = [];
  return {
    told,
    onStarted: (...args) => void told.push(['started', ...args]),
    onCompleted: (...args) => void told.push(['completed', ...args]),
    onFailed: (...args) => void told.push(['failed', ...args]),
  };
}

class Recorder implements WorkflowHook {
  readonly told: unknown[] = [];
  onStarted(id: string, kind: string, input: unknown): void {
    this.told.push([id, kind, input]);
  }
}

test('hooks are told of every execution: its input, result or error', async () => {
  const w = world();
  const { told, ...hook } = recorder();
  const recording = new Recorder();
  const { client } = await watched(w, [steps, echo, failing, fails, waiting], { hooks: [hook, recording] });
  const good = await client.startWorkflow(steps, { n: 3 });
  await good.handle.result();
  const bad = await client.startWorkflow(failing);
  await failureOf(bad.handle.result());
  const gone = await client.startWorkflow(waiting, undefined);
  await gone.handle.cancel('not needed');
  await failureOf(gone.handle.result());
  await client.stop();
  expect(told).toEqual([
    ['started', good.handle.workflowId, 'steps', { n: 3 }],
    ['completed', good.handle.workflowId, 'steps', 6],
    ['started', bad.handle.workflowId, 'failing', null],
    ['failed', bad.handle.workflowId, 'failing', expect.objectContaining({ name: 'TaskFailed' })],
    ['started', gone.handle.workflowId, 'waiting', null],
    ['failed', gone.handle.workflowId, 'waiting', expect.any(WorkflowCancelled)],
  ]);
  expect(recording.told).toHaveLength(3);
});

test('a hook cannot change what the workflow sees, and its errors are only logged', async () => {
  const w = world();
  const meddling: WorkflowHook = {
    onStarted: (_id, _kind, input) => {
      (input as { n: number }).n = 100;
      throw new Error('at once');
    },
    onCompleted: () => Promise.reject(new Error('later')),
  };
  const client = await w.client([steps, echo], { hooks: meddling });
  client.worker?.on('workflowStarted', () => {
    throw new Error('of a listener');
  });
  expect(await client.executeWorkflow(steps, { n: 1 })).toBe(2);
  await client.stop();
  expect(w.logger.at('error').sort()).toEqual([
    'a listener of the worker\'s event "workflowStarted" threw an error',
    'onCompleted of a workflow hook threw an error',
    'onStarted of a workflow hook threw an error',
  ]);
});

test('a first activation that came to nothing and is repeated is told of once', async () => {
  const w = world();
  const { client, seen } = await watched(w, [steps, echo], hidden({ clock: hastyClock }));
  let refused = 0;
  w.engine.intercept = (method, next) => {
    if (method !== Method.SubmitWorkflowCommands || refused > 0) return next();
    refused += 1;
    // Not what the server says of a claim that is lost: the activation is parked and tried again.
    return Promise.reject(new TypeError('broken'));
  };
  expect(await client.executeWorkflow(steps, { n: 1 })).toBe(2);
  expect(refused).toBe(1);
  expect(client.worker?.metrics().workflows).toMatchObject({ parks: 1, failedActivations: 1, started: 1 });
  expect(named(seen, 'workflowStarted')).toHaveLength(1);
});

test('a worker that takes an execution over does not tell of its start again', async () => {
  const w = world();
  const first = await watched(w, [waiting]);
  const { handle } = await first.client.startWorkflow(waiting);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('PROMISE_CREATED'));
  await first.client.stop();
  const second = await watched(w, [waiting]);
  await second.client.resolvePromise(`${handle.workflowId}:never`, 7);
  expect(await handle.result().catch(() => second.client.getWorkflowHandle(handle.workflowId).result())).toBe(
    7,
  );
  await second.client.stop();
  expect(names(first.seen)).toEqual(['start', 'workflowStarted', 'stop']);
  expect(names(second.seen)).toEqual(['start', 'workflowCompleted', 'stop']);
});

test('signals that came with the start do not make a first activation a later one', async () => {
  const w = world();
  const signalled = workflow({ name: 'signalled', run: (ctx) => ctx.waitForSignal('go') });
  const { client, seen } = await watched(w, [signalled]);
  const { workflowHandle } = await client.signalWithStartWorkflow(signalled, {
    workflowId: 'one',
    signalName: 'go',
    signalValue: 5,
  });
  expect(await workflowHandle.result()).toBe(5);
  expect(named(seen, 'workflowStarted')).toHaveLength(1);
});

test('a violation is told of, and the failure that it may lead to', async () => {
  const w = world();
  const before = await watched(w, [waiting]);
  const { handle } = await before.client.startWorkflow(waiting);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('PROMISE_CREATED'));
  await before.client.stop();
  const changed = workflow({ name: 'waiting', run: (ctx) => ctx.task(echo, 1) });
  const hook = recorder();
  const { told, ...hooks } = hook;
  const options = { workflowWorkerOptions: { violations: 'fail' as const }, hooks };
  const { client, seen } = await watched(w, [changed, echo], options);
  await client.resolvePromise(`${handle.workflowId}:never`, 7);
  await failureOf(client.getWorkflowHandle(handle.workflowId).result());
  await client.stop();
  expect(names(named(seen, 'violation', 'workflowFailed', 'workflowStarted'))).toEqual([
    'violation',
    'workflowFailed',
  ]);
  expect(named(seen, 'violation')[0]?.[1]).toMatchObject({
    workflowExecutionId: handle.workflowId,
    violation: expect.objectContaining({ name: 'DeterminismViolation' }),
  });
  expect(told.map(([what]) => what)).toEqual(['failed']);
});

test('attempts that are not recorded are told of with the reason', async () => {
  const clock = new ManualClock();
  const w = world({ clock });
  const begun = gate();
  const slow = task({
    name: 'slow',
    run: ({ signal }) =>
      new Promise((_resolve, reject) => {
        begun.open();
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  });
  const one = workflow({
    name: 'one',
    run: async (ctx, cancels: boolean) => {
      const handle = ctx.schedule(slow);
      if (cancels) {
        await ctx.waitForSignal('cancel');
        handle.cancel();
      }
      return handle;
    },
  });
  const options = { shutdownGraceMs: 5, ...hidden({ clock }) };
  const { client, seen } = await watched(w, [one, slow], options);
  const first = await client.startWorkflow(one, true);
  await begun.promise;
  await first.handle.signal('cancel');
  // It hears of it when its claim is renewed.
  await w.passing(until(() => named(seen, 'taskAbandoned').length === 1));
  await client.startWorkflow(one, false);
  await until(() => client.getActiveTaskExecutions().length === 1);
  await w.passing(client.stop());
  expect(named(seen, 'taskAbandoned').map(([, { reason }]) => reason)).toEqual(['cancelled', 'stopped']);
  expect(client.worker?.metrics().tasks.abandoned).toMatchObject({ cancelled: 1, stopped: 1 });
});

test('an end that did not reach the server is told of', async () => {
  const w = world();
  const tell = workflow({ name: 'tell', run: (ctx) => ctx.task(echo, 1) });
  const { client, seen } = await watched(w, [tell, echo]);
  w.engine.intercept = (method, next) =>
    method === Method.CompleteTask ? Promise.reject(new TypeError('broken')) : next();
  await client.startWorkflow(tell);
  await until(() => named(seen, 'taskAbandoned').length === 1);
  expect(named(seen, 'taskAbandoned')[0]?.[1]).toMatchObject({ taskKind: 'echo', reason: 'unreported' });
});

test('pause, resume, and an outage from its beginning to its end', async () => {
  const clock = new ManualClock();
  const w = world({ clock });
  const { client, seen } = await watched(w, [waiting, echo], hidden({ clock }));
  client.worker?.pause();
  client.worker?.pause();
  client.worker?.resume();
  await until(() => w.engine.calls.filter((call) => call.startsWith('Poll')).length === 16);
  let isOut = true;
  w.engine.intercept = (method, next) => {
    if (!isOut || !method.includes('Poll')) return next();
    return Promise.reject(new ConnectionError('restarting', 'here'));
  };
  // Polls from before come to their end, after which both halves of the worker see the outage.
  clock.advance(30_000);
  await until(() => w.logger.at('debug').some((line) => line.includes('cannot be polled')));
  isOut = false;
  clock.advance(2_000);
  await until(() => w.engine.calls.filter((call) => call.startsWith('Poll')).length === 26);
  // The polls that look whether the server is there again are short.
  clock.advance(1_000);
  await until(() => named(seen, 'reconnected').length === 1);
  expect(names(seen)).toEqual(['start', 'pause', 'resume', 'disconnected', 'reconnected']);
  expect(seen[3]?.[1]).toEqual({ error: expect.any(ConnectionError) });
  expect(seen[4]?.[1]).toEqual({ outageMs: 3_000 });
  expect(client.worker?.metrics()).toMatchObject({ disconnects: 1, reconnects: 1 });
  expect(w.logger.at('warn')).toHaveLength(1);
  // The server hears at once who is there, in case it has forgotten.
  await until(() => w.engine.count('SendHeartbeat') >= 2);
});

test('a listener that is taken away is told nothing more, and one that is added twice is told twice', async () => {
  const w = world();
  const client = await w.client([steps, echo]);
  let calls = 0;
  const listener = (): void => void (calls += 1);
  const off = [
    client.worker?.on('workflowStarted', listener),
    client.worker?.on('workflowStarted', listener),
  ];
  await client.executeWorkflow(steps, { n: 1 });
  expect(calls).toBe(2);
  off[0]?.();
  off[0]?.();
  await client.executeWorkflow(steps, { n: 1 });
  expect(calls).toBe(3);
  expect(() => client.worker?.on('started' as never, listener)).toThrow(
    'Worker: unknown event "started", expected one of start,',
  );
  expect(() => client.worker?.on('start', 1 as never)).toThrow('must be a function, got number');
});

test.each([
  ['nothing', {}, 'none of them'],
  ['no object', null, 'none of them'],
  ['another name beside', { onStarted: () => {}, onComplete: () => {} }, 'unknown option "onComplete"'],
  ['no function', { onStarted: () => {}, onFailed: 1 }, 'onFailed as number'],
])('hooks that cannot be meant are refused: %s', (_name, hook, text) => {
  const make = () => new FlovynClient({ embedded: true, hooks: [hook as never] });
  expect(make).toThrow(ConfigurationError);
  expect(make).toThrow(text);
});
