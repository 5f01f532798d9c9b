import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import './support/core.js';
import * as sdk from '../src/index.js';
import { failureOf } from './support/failure.js';
import { until, world } from './support/world.js';

/*
 * What programs written for the existing SDK rely on while they run: names, constructor arguments, texts. What they rely
 * on while they are compiled is in `exports-kept-types.test.ts`.
 */

const KINDS: Record<string, readonly string[]> = {
  function: ['workflow', 'task', 'serialize', 'deserialize'],
  class: [
    'FlovynClient',
    'WorkflowHandleImpl',
    'WorkflowContextImpl',
    'TaskContextImpl',
    'JsonSerializer',
    'Duration',
  ],
};

test.each(Object.entries(KINDS).flatMap(([kind, names]) => names.map((name) => [kind, name] as const)))(
  'there is a %s %s',
  (kind, name) => {
    const exported: unknown = Reflect.get(sdk, name);
    expect(exported).toBeTypeOf('function');
    expect(/^class\b/.test(String(exported))).toBe(kind === 'class');
    expect(Reflect.get(exported as object, 'name')).toBe(name);
  },
);

const cause = new TypeError('the cause');

/** An error by the arguments of its constructor, and what can be read from it. */
const ERRORS: [make: () => Error, members: Record<string, unknown>][] = [
  [() => new sdk.FlovynError('text'), { name: 'FlovynError', message: 'text', cause: undefined }],
  [() => new sdk.FlovynError('text', cause), { cause }],
  [
    () => new sdk.WorkflowSuspended('text', [1]),
    { name: 'WorkflowSuspended', message: 'text', commands: [1] },
  ],
  [() => new sdk.WorkflowSuspended(undefined, []), { commands: [] }],
  [
    () => new sdk.WorkflowCancelled(),
    { name: 'WorkflowCancelled', message: 'Workflow was cancelled', reason: undefined },
  ],
  [() => new sdk.WorkflowCancelled('text', 'why'), { message: 'text', reason: 'why' }],
  [
    () => new sdk.WorkflowFailed('w1', 'text', cause),
    { name: 'WorkflowFailed', workflowId: 'w1', message: 'text', cause },
  ],
  [
    () => new sdk.DeterminismViolation('text', { got: 1 }),
    { name: 'DeterminismViolation', message: 'text', details: { got: 1 } },
  ],
  [
    () => new sdk.TaskFailed('text', 't1'),
    { name: 'TaskFailed', message: 'text', taskExecutionId: 't1', retryable: true },
  ],
  [() => new sdk.TaskFailed('text', 't1', false, cause), { retryable: false, cause }],
  [
    () => new sdk.TaskCancelled('t1'),
    { name: 'TaskCancelled', taskExecutionId: 't1', message: 'Task cancelled' },
  ],
  [() => new sdk.TaskCancelled('t1', 'text'), { message: 'text' }],
  [() => new sdk.TaskTimeout('t1', 5), { name: 'TaskTimeout', taskExecutionId: 't1', timeoutMs: 5 }],
  [() => new sdk.PromiseTimeout('p1'), { name: 'PromiseTimeout', promiseId: 'p1', timeoutMs: undefined }],
  [
    () => new sdk.PromiseTimeout('p1', 5),
    { timeoutMs: 5, message: expect.stringContaining('timed out') as string },
  ],
  [
    () => new sdk.PromiseRejected('p1', 'no'),
    {
      name: 'PromiseRejected',
      promiseId: 'p1',
      reason: 'no',
      message: expect.stringMatching(/rejected.*no/) as string,
    },
  ],
  [
    () => new sdk.ChildWorkflowFailed('c1', 'text', cause),
    { name: 'ChildWorkflowFailed', childExecutionId: 'c1', message: 'text', cause },
  ],
  [
    () => new sdk.ConnectionError('text', 'http://x', cause),
    { name: 'ConnectionError', message: 'text', serverUrl: 'http://x', cause },
  ],
  [() => new sdk.AuthenticationError('text', cause), { name: 'AuthenticationError', message: 'text', cause }],
  [
    () => new sdk.NotFoundError('Workflow', 'w1'),
    {
      name: 'NotFoundError',
      resourceType: 'Workflow',
      resourceId: 'w1',
      message: expect.stringContaining('w1') as string,
    },
  ],
  [() => new sdk.ConfigurationError('text'), { name: 'ConfigurationError', message: 'text' }],
];

test.each(ERRORS)('%s', (make, members) => {
  const error = make();
  expect(error).toBeInstanceOf(sdk.FlovynError);
  expect(error).toBeInstanceOf(Error);
  for (const [member, value] of Object.entries(members))
    expect(Reflect.get(error, member), member).toEqual(value);
});

test('Duration has its makers, measures, sums and texts', () => {
  const { Duration } = sdk;
  const day = Duration.days(1);
  expect([day.toMilliseconds(), day.toSeconds(), day.toMinutes(), day.toHours(), day.toDays()]).toEqual([
    86_400_000, 86_400, 1_440, 24, 1,
  ]);
  expect(Duration.hours(1).add(Duration.minutes(30)).toMinutes()).toBe(90);
  expect(Duration.hours(1).subtract(Duration.minutes(30)).toMinutes()).toBe(30);
  expect(Duration.seconds(3).multiply(2).divide(4).toMilliseconds()).toBe(1_500);
  const [short, long] = [Duration.seconds(1), Duration.seconds(2)];
  expect([
    short.compareTo(long),
    long.compareTo(short),
    short.compareTo(Duration.milliseconds(1_000)),
  ]).toEqual([-1, 1, 0]);
  expect([
    long.isGreaterThan(short),
    short.isLessThan(long),
    short.equals(Duration.milliseconds(1_000)),
  ]).toEqual([true, true, true]);
  const minus = short.subtract(long);
  expect([minus.isNegative(), long.isPositive(), short.subtract(short).isZero()]).toEqual([true, true, true]);
  const texts = [
    Duration.milliseconds(500),
    Duration.seconds(30),
    Duration.minutes(5),
    Duration.hours(2),
    day,
    minus,
  ];
  expect(texts.map(String)).toEqual(['500ms', '30s', '5m', '2h', '1d', '-1s']);
  expect(String(Duration.milliseconds(0))).toBe('0ms');
});

test('serialize, deserialize and JsonSerializer', () => {
  expect(sdk.deserialize('')).toBeNull();
  expect(sdk.serialize({ a: 1, f: () => 1 })).toBe('{"a":1}');
  expect(sdk.deserialize(sdk.serialize({ at: new Date(0), n: 1n, b: new Uint8Array([1]) }))).toEqual({
    at: new Date(0),
    n: 1n,
    b: new Uint8Array([1]),
  });
  expect(new sdk.JsonSerializer().deserialize(new sdk.JsonSerializer().serialize([1]))).toEqual([1]);
});

describe('definitions', () => {
  const run = async () => 1;

  test('have what they were made with; run is the function itself', () => {
    const timeout = sdk.Duration.seconds(1);
    const handlers = { signals: {}, queries: {} };
    const definition = sdk.workflow({ name: 'w', description: 'd', version: '2', timeout, handlers, run });
    expect(definition).toMatchObject({ name: 'w', description: 'd', version: '2', timeout, handlers });
    expect(Object.getOwnPropertyDescriptor(definition, 'run')?.value).toBe(run);
    const retry = { maxRetries: 1, initialDelay: timeout, maxDelay: timeout, backoffMultiplier: 2 };
    const hooks = { onStart: () => {}, onSuccess: () => {}, onFailure: () => {} };
    const defined = sdk.task({ name: 't', description: 'd', timeout, retry, hooks, run });
    expect(defined).toMatchObject({ name: 't', description: 'd', timeout, retry, hooks });
    expect(Object.getOwnPropertyDescriptor(defined, 'run')?.value).toBe(run);
  });

  test.each([
    ['Workflow name is required', () => sdk.workflow({ run } as never)],
    ['Workflow run function is required', () => sdk.workflow({ name: 'x' } as never)],
    ['Task name is required', () => sdk.task({ run } as never)],
    ['Task run function is required', () => sdk.task({ name: 'x' } as never)],
  ])('%s', (text, define) => {
    expect(define).toThrow(text);
  });
});

describe('a client', () => {
  const MEMBERS = [
    'registerWorkflow',
    'registerTask',
    'start',
    'stop',
    'startWorkflow',
    'executeWorkflow',
    'getWorkflowHandle',
    'resolvePromise',
    'rejectPromise',
    'signalWorkflow',
    'signalWithStartWorkflow',
    'getActiveWorkflowExecutions',
    'getActiveTaskExecutions',
  ];
  const echo = sdk.workflow({ name: 'echo', run: async (_ctx, input: unknown) => input });
  const noop = sdk.task({ name: 'noop', run: async () => null });

  test('has its methods and takes the options it took', () => {
    const options: sdk.FlovynClientOptions = {
      serverUrl: 'http://localhost:9090',
      orgId: '00000000-0000-4000-8000-000000000001',
      queue: 'q',
      workerToken: 'flovyn_wk_1',
      apiKey: 'flovyn_sk_1',
      httpUrl: 'http://localhost:8080',
      orgSlug: 'acme',
      logger: console,
      workflowWorkerOptions: { maxConcurrent: 5, pollIntervalMs: 10 },
      taskWorkerOptions: { maxConcurrent: 5, pollIntervalMs: 10 },
    };
    const client = new sdk.FlovynClient(options);
    for (const member of MEMBERS) expect(Reflect.get(client, member), member).toBeTypeOf('function');
    expect(client.isStarted).toBe(false);
    expect([client.getActiveWorkflowExecutions(), client.getActiveTaskExecutions()]).toEqual([[], []]);
  });

  test('says what programs match on', async () => {
    const client = new sdk.FlovynClient({ embedded: true, logger: sdk.silentLogger });
    await client.stop();
    client.registerWorkflow(echo);
    client.registerTask(noop);
    expect(() => client.registerWorkflow(echo)).toThrow('Workflow "echo" is already registered');
    expect(() => client.registerTask(noop)).toThrow('Task "noop" is already registered');
    expect((await failureOf(client.startWorkflow(echo, 1))).message).toBe('Client is not started');
    await client.start();
    expect((await failureOf(client.start())).message).toBe('Client is already started');
    const [otherWorkflow, otherTask] = [
      { ...echo, name: 'other' },
      { ...noop, name: 'other' },
    ];
    expect(() => client.registerWorkflow(otherWorkflow)).toThrow(
      'Cannot register workflows after client has started',
    );
    expect(() => client.registerTask(otherTask)).toThrow('Cannot register tasks after client has started');
    expect(client.isStarted).toBe(true);
    await client.stop();
  });

  test('gives handles and what its calls give', async () => {
    const w = world();
    const waiting = sdk.workflow({
      name: 'waiting',
      run: async (ctx) => [await ctx.promise('approval'), await ctx.waitForSignal('go')],
    });
    const client = await w.client([echo, waiting]);
    const { handle } = await client.startWorkflow(echo, 1, {
      queue: 'default',
      workflowVersion: '1.2.3',
      idempotencyKey: 'k',
    });
    for (const member of ['result', 'query', 'signal', 'cancel', 'then'])
      expect(Reflect.get(handle, member), member).toBeTypeOf('function');
    expect(handle).toBeInstanceOf(sdk.WorkflowHandleImpl);
    expect([await handle, await handle.result()]).toEqual([1, 1]);
    expect(await client.getWorkflowHandle(handle.workflowId)).toBe(1);

    const start = { workflowId: 'key', signalName: 'go', signalValue: 2 };
    const { workflowHandle, workflowCreated } = await client.signalWithStartWorkflow(waiting, start);
    expect(workflowCreated).toBe(true);
    const again = await client.signalWithStartWorkflow(waiting, { ...start, signalValue: 3 });
    expect([again.workflowCreated, again.workflowHandle.workflowId]).toEqual([
      false,
      workflowHandle.workflowId,
    ]);
    expect(await client.signalWorkflow(workflowHandle.workflowId, 'go', 4)).toBeTypeOf('number');
    await until(async () => (await w.eventTypes(workflowHandle.workflowId)).includes('PROMISE_CREATED'));
    await client.resolvePromise(`${workflowHandle.workflowId}:approval`, 1);
    expect(await workflowHandle.result()).toEqual([1, 2]);
  });
});

test('the context of a workflow has its members, and ctx.get gives null for what is not set', async () => {
  const methods = [
    'schedule',
    'scheduleTask',
    'scheduleByName',
    'task',
    'scheduleWorkflow',
    'workflow',
    'sleep',
    'sleepUntil',
    'promise',
    'waitForSignal',
    'hasSignal',
    'pendingSignalCount',
    'drainSignals',
    'run',
    'get',
    'set',
    'clear',
    'clearAll',
    'stateKeys',
    'getState',
    'setState',
    'clearState',
    'currentTime',
    'currentTimeMillis',
    'randomUUID',
    'random',
    'checkCancellation',
    'requestCancellation',
  ];
  const w = world();
  const looking = sdk.workflow({
    name: 'looking',
    run: async (ctx) => {
      const { workflowExecutionId, isCancellationRequested, log } = ctx;
      return {
        isOurs: ctx instanceof sdk.WorkflowContextImpl,
        missing: methods.filter((name) => typeof Reflect.get(ctx, name) !== 'function'),
        levels: (['debug', 'info', 'warn', 'error'] as const).filter(
          (level) => typeof log[level] === 'function',
        ),
        workflowExecutionId,
        isCancellationRequested,
        unset: ctx.get('nothing'),
        time: ctx.currentTime(),
        isRandom: ctx.random() < 1,
      };
    },
  });
  const client = await w.client([looking]);
  const { handle } = await client.startWorkflow(looking);
  expect(await handle.result()).toEqual({
    isOurs: true,
    missing: [],
    levels: ['debug', 'info', 'warn', 'error'],
    workflowExecutionId: handle.workflowId,
    isCancellationRequested: false,
    unset: null,
    time: expect.any(Date) as Date,
    isRandom: true,
  });
});

test('set serialises at once', async () => {
  const w = world();
  const changing = sdk.workflow({
    name: 'changing',
    run: async (ctx) => {
      const order = { state: 'new' };
      ctx.set('order', order);
      order.state = 'changed';
      return ctx.get('order');
    },
  });
  const client = await w.client([changing]);
  expect(await client.executeWorkflow(changing)).toEqual({ state: 'new' });
});

test('an async function of a workflow may return a handle', async () => {
  const w = world();
  const double = sdk.task({ name: 'double', run: async (_ctx, n: number) => n * 2 });
  const parent = sdk.workflow({ name: 'parent', run: async (ctx, n: number) => ctx.schedule(double, n) });
  const client = await w.client([parent, double]);
  expect(await client.executeWorkflow(parent, 2)).toBe(4);
});

test('handles of tasks have their id, result and then', async () => {
  const w = world();
  const double = sdk.task({ name: 'double', run: async (_ctx, n: number) => n * 2 });
  const parent = sdk.workflow({
    name: 'parent',
    run: async (ctx, n: number) => {
      const handle = ctx.schedule(double, n, {
        queue: 'default',
        timeout: sdk.Duration.seconds(5),
        retry: { maxRetries: 0 },
      });
      return [
        typeof handle.taskExecutionId,
        await handle.result(),
        await handle.then((result) => result + 1),
      ];
    },
  });
  const client = await w.client([parent, double]);
  expect(await client.executeWorkflow(parent, 2)).toEqual(['string', 4, 5]);
});

test('the context of a task has its members, and refuses progress outside 0 to 1', async () => {
  const methods = [
    'reportProgress',
    'heartbeat',
    'checkCancellation',
    'cancellationError',
    'stream',
    'streamToken',
    'streamProgress',
    'streamData',
    'streamError',
  ];
  const w = world();
  const looking = sdk.task({
    name: 'looking',
    run: async (ctx) => {
      const error = ctx.cancellationError();
      await ctx.heartbeat();
      await ctx.reportProgress(0.5);
      await ctx.stream({ type: 'token', text: 'a' });
      return {
        isOurs: ctx instanceof sdk.TaskContextImpl,
        missing: methods.filter((name) => typeof Reflect.get(ctx, name) !== 'function'),
        isError: error instanceof sdk.TaskCancelled,
        facts: [typeof ctx.taskExecutionId, ctx.taskKind, ctx.attempt, ctx.isCancelled],
        refused: [await refusal(ctx.reportProgress(1.1)), await refusal(ctx.streamProgress(-0.1))],
      };
    },
  });
  const parent = sdk.workflow({ name: 'parent', run: async (ctx) => ctx.task(looking) });
  const client = await w.client([parent, looking]);
  expect(await client.executeWorkflow(parent)).toEqual({
    isOurs: true,
    missing: [],
    isError: true,
    facts: ['string', 'looking', 1, false],
    refused: ['Progress must be between 0 and 1', 'Progress must be between 0 and 1'],
  });
});

test('every optional property of the public types takes undefined', () => {
  const source = new URL('../src/', import.meta.url);
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
  const optional = files
    .filter((file) => file.endsWith('.ts') && !file.startsWith('generated') && !file.startsWith('runtime'))
    .flatMap((file) => {
      const lines = readFileSync(new URL(file, source), 'utf8').split('\n');
      return lines
        .map((line) => `${file}: ${line.trim()}`)
        .filter((line) => /: (?:readonly )?\w+\?(?::.*;|\()/.test(line));
    });
  expect(optional.length).toBeGreaterThan(50);
  const strict = optional.filter((line) => !/\b(?:undefined|unknown);$/.test(line));
  expect(strict).toEqual([]);
});

async function refusal(promise: Promise<unknown>): Promise<string> {
  return (await failureOf(promise)).message;
}
