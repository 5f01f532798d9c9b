import { expect, test } from 'vitest';
import type { FlovynClientOptions } from '../src/client/options.js';
import { Duration } from '../src/duration.js';
import { ConfigurationError, ConnectionError, RpcError } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import type { TaskContext } from '../src/task/context-types.js';
import { task } from '../src/task/define.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { loggedLines, streamedEvents } from './support/protobuf.js';
import { ManualClock } from './support/manual-clock.js';
import { gate, hastyClock, hidden, until, type World, world } from './support/world.js';

/** A workflow that runs one task, which is tried twice. */
const flow = workflow({
  name: 'flow',
  run: (ctx) =>
    ctx.scheduleByName('telling', null, {
      retry: { maxRetries: 1, initialDelay: Duration.milliseconds(1) },
    }),
});

/** The result of a task that does this. */
async function told<Output>(
  w: World,
  run: (ctx: TaskContext) => Output | Promise<Output>,
  options: Partial<FlovynClientOptions> = {},
): Promise<unknown> {
  const client = await w.client([flow, task({ name: 'telling', run })], options);
  return client.executeWorkflow(flow);
}

/** The stream events of each call that goes out from now on. */
function streamCalls(w: World): ReturnType<typeof streamedEvents>[] {
  const calls: ReturnType<typeof streamedEvents>[] = [];
  const { intercept } = w.engine;
  w.engine.intercept = (method, next, request) => {
    if (method === Method.StreamTaskData) calls.push(streamedEvents(request));
    return intercept(method, next, request);
  };
  return calls;
}

const payloads = (calls: ReturnType<typeof streamCalls>): unknown[] =>
  calls.flat().map(({ payload }) => JSON.parse(payload) as unknown);

test('events of each kind go out as the contract has them, in order, and before the result', async () => {
  const w = world();
  const calls = streamCalls(w);
  const before = Date.now();
  await told(w, async (ctx) => {
    await ctx.streamToken('Hel');
    await ctx.streamProgress(0.5, 'half');
    await ctx.streamProgress(1);
    await ctx.streamData({ at: new Date(0), list: [1] });
    await ctx.streamError('no', 'E1');
    await ctx.streamError('again');
    await ctx.stream({ type: 'token', text: 'lo' });
  });
  const at = { __type: 'Date', value: '1970-01-01T00:00:00.000Z' };
  expect(payloads(calls)).toEqual([
    { type: 'token', text: 'Hel' },
    { type: 'progress', progress: 0.5, details: 'half' },
    { type: 'progress', progress: 1 },
    { type: 'data', data: { at, list: [1] } },
    { type: 'error', message: 'no', code: 'E1' },
    { type: 'error', message: 'again' },
    { type: 'token', text: 'lo' },
  ]);
  const events = calls.flat();
  expect(events.map(({ sequence, type }) => [sequence, type])).toEqual([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 4],
    [6, 4],
    [7, 1],
  ]);
  expect(events.every(({ timestampMs }) => timestampMs >= before && timestampMs <= Date.now())).toBe(true);
  expect(w.engine.calls.lastIndexOf('StreamTaskData')).toBeLessThan(w.engine.calls.indexOf('CompleteTask'));
});

test('tokens share calls', async () => {
  const w = world();
  const calls = streamCalls(w);
  await told(w, async (ctx) => {
    for (let index = 0; index < 500; index += 1) await ctx.streamToken(`${index} `);
  });
  expect(payloads(calls)).toHaveLength(500);
  expect(calls.length).toBeLessThanOrEqual(7);
});

test('a loop that awaits its tokens loses none, however fast it is', async () => {
  const w = world();
  const calls = streamCalls(w);
  await told(w, async (ctx) => {
    for (let index = 0; index < 5_000; index += 1) await ctx.streamToken(`${index} `);
  });
  expect(payloads(calls)).toHaveLength(5_000);
  expect(calls.length).toBeLessThanOrEqual(60);
  expect(w.logger.at('warn')).toEqual([]);
});

test('a loop that does not await them loses what is too much, and the rest keeps its order', async () => {
  const w = world();
  const calls = streamCalls(w);
  await told(w, (ctx) => {
    for (let index = 0; index < 5_000; index += 1) void ctx.streamToken(`${index}`);
  });
  const texts = payloads(calls).map((event) => (event as { text: string }).text);
  expect(texts).toEqual(Array.from({ length: 1_000 }, (_, index) => String(index)));
  expect(w.logger.at('warn')).toEqual([
    'stream events of tasks are lost, which changes nothing else: they came faster than they could be sent',
  ]);
});

test('a server without our extensions gets one event in a call', async () => {
  const w = world();
  const calls = streamCalls(w);
  const tell = (ctx: TaskContext): void => {
    for (const text of ['a', 'b', 'c']) void ctx.streamToken(text);
  };
  await told(w, tell, { extensions: false });
  expect(calls.map((events) => events.map(({ sequence }) => sequence))).toEqual([[1], [2], [3]]);
});

test('data is written when it is given', async () => {
  const w = world();
  const calls = streamCalls(w);
  await told(w, async (ctx) => {
    const list = [1];
    await ctx.streamData(list);
    list.push(2);
  });
  expect(payloads(calls)).toEqual([{ type: 'data', data: [1] }]);
});

test('progress goes out with its details; the newest stands for those before it', async () => {
  const w = world();
  const reports: { progress: unknown; details: unknown }[] = [];
  const { intercept } = w.engine;
  w.engine.intercept = (method, next, request) => {
    if (method === Method.ReportProgress) reports.push(progressOf(request));
    return intercept(method, next, request);
  };
  await told(w, async (ctx) => {
    for (let index = 0; index <= 1_000; index += 1) await ctx.reportProgress(index / 1_000, `step ${index}`);
  });
  expect(reports.at(-1)).toEqual({ progress: 1, details: 'step 1000' });
  expect(reports.length).toBeLessThanOrEqual(3);
});

function progressOf(request: Uint8Array): { progress: number; details: string } {
  const bytes = Buffer.from(request);
  const at = bytes.indexOf(0x11, 38);
  const rest = bytes.subarray(at + 9);
  return { progress: bytes.readDoubleLE(at + 1), details: rest.subarray(2).toString() };
}

test.each<[string, (ctx: TaskContext) => Promise<void>, string]>([
  ['more than 1', (ctx) => ctx.reportProgress(1.01), 'Progress must be between 0 and 1'],
  ['less than 0', (ctx) => ctx.reportProgress(-0.01), 'Progress must be between 0 and 1'],
  ['no number', (ctx) => ctx.reportProgress(Number.NaN), 'Progress must be between 0 and 1'],
  ['a stream of more than 1', (ctx) => ctx.streamProgress(2), 'Progress must be between 0 and 1'],
  ['details that are no text', (ctx) => ctx.reportProgress(1, 1 as never), 'details: expected a text, got 1'],
  ['a token that is no text', (ctx) => ctx.streamToken(1 as never), 'text: expected a text, got 1'],
  ['an error that is no text', (ctx) => ctx.streamError(1 as never), 'message: expected a text, got 1'],
  ['no event', (ctx) => ctx.stream({ type: 'tokens' } as never), 'type must be "token", "progress", "data"'],
  ['nothing', (ctx) => ctx.stream(undefined as never), 'type must be'],
])('%s is refused, and nothing goes out', async (_name, tell, text) => {
  const w = world();
  let error: Error | undefined;
  await told(w, async (ctx) => {
    error = await failureOf(tell(ctx));
  });
  expect(error).toBeInstanceOf(ConfigurationError);
  expect(error?.message).toContain(text);
  expect([w.engine.count('StreamTaskData'), w.engine.count('ReportProgress')]).toEqual([0, 0]);
});

test('data that cannot be sent is refused by its call, and the task goes on', async () => {
  const w = world();
  const result = await told(w, async (ctx) => (await failureOf(ctx.streamData({ fn: Symbol('s') }))).message);
  expect(result).toContain('$.fn');
});

const down = new ConnectionError('no server', 'here');

test('what is lost fails no task, and is one line in the log', async () => {
  const w = world();
  const told = [Method.StreamTaskData, Method.ReportProgress, Method.LogMessage] as string[];
  w.engine.intercept = (method, next) => (told.includes(method) ? Promise.reject(down) : next());
  const telling = task({
    name: 'telling',
    run: async (ctx) => {
      ctx.log.info('here');
      await ctx.reportProgress(0.5);
      for (let index = 0; index < 20; index += 1) {
        await ctx.streamToken('t');
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return 'done';
    },
  });
  const client = await w.client([flow, telling], hidden({ clock: hastyClock }));
  expect(await client.executeWorkflow(flow)).toBe('done');
  expect(w.logger.at('warn').sort()).toEqual([
    'log messages of tasks are lost, which changes nothing else: no server',
    'progress reports of tasks are lost, which changes nothing else: no server',
    'stream events of tasks are lost, which changes nothing else: no server',
  ]);
});

test('an event that the server does not take does not take others with it', async () => {
  const w = world();
  const calls = streamCalls(w);
  const { intercept } = w.engine;
  w.engine.intercept = (method, next, request) =>
    method === Method.StreamTaskData && Buffer.from(request).includes('too long')
      ? Promise.reject(new RpcError('INVALID_ARGUMENT', 'too long'))
      : intercept(method, next, request);
  await told(w, async (ctx) => {
    await Promise.all(['a', 'too long', 'b'].map((text) => ctx.streamToken(text)));
  });
  expect(payloads(calls)).toEqual(['a', 'b'].map((text) => ({ type: 'token', text })));
});

test('a worker that stops waits for the last lines of an attempt for half a second', async () => {
  const clock = new ManualClock();
  const w = world({ clock });
  const begun = gate();
  w.engine.intercept = (method, next) => (method === Method.LogMessage ? new Promise(() => {}) : next());
  const telling = task({
    name: 'telling',
    run: (ctx) => {
      ctx.log.info('here');
      begun.open();
      return new Promise((_, reject) => {
        ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error));
      });
    },
  });
  const client = await w.client([flow, telling], { shutdownGraceMs: 10, ...hidden({ clock }) });
  await client.startWorkflow(flow);
  await begun.promise;
  const stopped = client.stop();
  clock.advance(10);
  await w.quiet();
  clock.advance(499);
  await w.quiet();
  expect(w.engine.count('ReleaseClaim')).toBe(0);
  clock.advance(1);
  await until(() => w.engine.count('ReleaseClaim') === 1);
  await stopped;
});

test('a call that fails once is made again, and nothing is told twice', async () => {
  const w = world();
  let calls = 0;
  w.engine.intercept = async (method, next) => {
    const answer = await next();
    if (method !== Method.StreamTaskData) return answer;
    calls += 1;
    // The server has it, and the worker does not know.
    if (calls === 1) throw down;
    return answer;
  };
  const client = await w.client([flow, task({ name: 'telling', run: (ctx) => ctx.streamToken('a') })]);
  const { handle } = await client.startWorkflow(flow);
  await handle;
  const events: unknown[] = [];
  for await (const event of handle.stream()) events.push(event);
  expect(calls).toBe(2);
  expect(events).toMatchObject([{ type: 'token', text: 'a' }]);
  expect(w.logger.at('warn')).toEqual([]);
});

test('what was told and what was lost is in the metrics of the worker', async () => {
  const w = world();
  let isRefused = false;
  const refused = new RpcError('INVALID_ARGUMENT', 'not this');
  w.engine.intercept = (method, next) =>
    isRefused && method === Method.StreamTaskData ? Promise.reject(refused) : next();
  const telling = task({
    name: 'telling',
    run: async (ctx) => {
      for (const text of ['a', 'b', 'c']) await ctx.streamToken(text);
      await ctx.reportProgress(0.5);
      ctx.log.info('here');
    },
  });
  const client = await w.client([flow, telling]);
  await client.executeWorkflow(flow);
  isRefused = true;
  await client.executeWorkflow(flow);
  expect(client.worker?.metrics().tasks.reports).toEqual({
    streamEventsSent: 3,
    streamEventsDropped: 3,
    logMessagesSent: 2,
    logMessagesDropped: 0,
    progressReportsSent: 2,
    progressReportsDropped: 0,
  });
});

test('a call that never ends holds the result up for a short time only', async () => {
  const w = world();
  w.engine.intercept = (method, next) => (method === Method.StreamTaskData ? new Promise(() => {}) : next());
  const client = await w.client(
    [flow, task({ name: 'telling', run: (ctx) => ctx.streamToken('a').then(() => 'done') })],
    hidden({ clock: hastyClock }),
  );
  expect(await client.executeWorkflow(flow)).toBe('done');
});

test('nothing goes out for an attempt that counts no more', async () => {
  const w = world();
  const calls = streamCalls(w);
  const client = await w.client([
    flow,
    task({
      name: 'telling',
      run: async (ctx) => {
        await ctx.streamToken(`attempt ${ctx.attempt}`);
        if (ctx.attempt === 1) throw new Error('again');
        return ctx.attempt;
      },
    }),
  ]);
  expect(await client.executeWorkflow(flow)).toBe(2);
  // Each attempt counts anew.
  expect(calls.flat().map(({ sequence, payload }) => [sequence, payload])).toEqual([
    [1, '{"type":"token","text":"attempt 1"}'],
    [1, '{"type":"token","text":"attempt 2"}'],
  ]);
});

test('what is streamed after the end of the attempt goes nowhere', async () => {
  const w = world();
  let late: TaskContext | undefined;
  await told(w, (ctx) => {
    late = ctx;
  });
  await late?.streamToken('late');
  await late?.reportProgress(1);
  late?.log.info('late');
  await new Promise((resolve) => void setImmediate(resolve));
  expect(w.engine.calls.filter((call) => /StreamTaskData|ReportProgress|LogMessage/.test(call))).toEqual([]);
});

/** The lines that go to the server from now on. */
function logCalls(w: World): string[] {
  const lines: string[] = [];
  const { intercept } = w.engine;
  w.engine.intercept = (method, next, request) => {
    if (method === Method.LogMessage) lines.push(...loggedLines(request));
    return intercept(method, next, request);
  };
  return lines;
}

test.each([
  [undefined, ['info', 'warn', 'error']],
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['error', ['error']],
  ['silent', []],
] as const)('of what a task logs, the server gets what is at %s or above', async (serverLogLevel, levels) => {
  const w = world();
  const sent = logCalls(w);
  const tell = ({ log }: TaskContext): void => {
    for (const level of ['debug', 'info', 'warn', 'error'] as const)
      log[level](`at ${level}`, { b: [2] }, 'text', 3, undefined, { big: 1n });
  };
  await told(w, tell, { taskWorkerOptions: { serverLogLevel } });
  const rest = '{"b":[2]} text 3 undefined an object that cannot be shown';
  expect(sent).toEqual(levels.map((level) => `${level.toUpperCase()} at ${level} ${rest}`));
  // The logger gets everything, whatever the server gets.
  for (const level of ['debug', 'info', 'warn', 'error'])
    expect(w.logger.at(level).filter((line) => line.endsWith(`: at ${level}`))).toHaveLength(1);
});

test('a line of the log has its errors with their stacks, and an end', async () => {
  const w = world();
  const sent = logCalls(w);
  await told(w, ({ log }) => {
    log.error('broken', new TypeError('no function'));
    log.info('x'.repeat(10_000), { a: [1] });
  });
  expect(sent[0]).toMatch(/^ERROR broken TypeError: no function\n.*task-reports\.test/s);
  expect(sent[1]).toBe(`INFO ${'x'.repeat(8_192)}...`);
});

test('no input, no result and nothing of a stream is logged by itself', async () => {
  const w = world();
  const sent = logCalls(w);
  await told(w, async (ctx) => {
    await ctx.streamToken('secret');
    await ctx.streamData('secret');
    await ctx.reportProgress(0.1, 'secret');
    await ctx.state.set('key', 'secret');
    return 'secret';
  });
  expect(sent).toEqual([]);
  expect(w.logger.lines.filter((line) => line.includes('secret'))).toEqual([]);
});

test.each(['loud', 3])('%j is no level', async (serverLogLevel) => {
  const started = world().client([], { taskWorkerOptions: { serverLogLevel: serverLogLevel as never } });
  expect((await failureOf(started)).message).toContain(
    `taskWorkerOptions.serverLogLevel must be the name of a level, such as "info", got ${JSON.stringify(serverLogLevel)}`,
  );
});

test('everything that a task tells goes through the codec', async () => {
  const w = world();
  const codec = {
    encode: async (texts: readonly string[]) =>
      texts.map((text) => JSON.stringify({ __codec: 'test', data: Buffer.from(text).toString('base64') })),
    decode: async (texts: readonly string[]) =>
      texts.map((text) => {
        const { data } = JSON.parse(text) as { data?: string };
        return data === undefined ? text : Buffer.from(data, 'base64').toString();
      }),
  };
  const seen: Uint8Array[] = [];
  w.engine.intercept = (_method, next, request) => {
    seen.push(request);
    return next();
  };
  const telling = task({
    name: 'telling',
    run: async (ctx) => {
      await ctx.streamToken('secret');
      await ctx.streamData({ a: 'secret' });
      await ctx.streamProgress(0.1, 'secret');
      await ctx.streamError('secret', 'secret');
      await ctx.reportProgress(0.9, 'secret');
      ctx.log.info('secret');
      await ctx.state.set('key', 'secret');
      return ctx.state.get('key');
    },
  });
  const client = await w.client([flow, telling], hidden({ codec }));
  const { handle } = await client.startWorkflow(flow);
  expect(await handle).toBe('secret');
  const events: unknown[] = [];
  for await (const event of handle.stream()) events.push(event);
  // What is reported goes its own way, and may come between any two.
  const reported = events.findIndex((event) => (event as { progress?: number }).progress === 0.9);
  expect(events.splice(reported, 1)).toMatchObject([{ type: 'progress', details: 'secret' }]);
  expect(events).toMatchObject([
    { type: 'token', text: 'secret' },
    { type: 'data', data: { a: 'secret' } },
    { type: 'progress', progress: 0.1, details: 'secret' },
    { type: 'error', message: 'secret', code: 'secret' },
  ]);
  await until(() => client.getActiveTaskExecutions().length === 0);
  expect(seen.filter((request) => Buffer.from(request).includes('secret'))).toEqual([]);
});
