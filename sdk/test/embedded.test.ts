import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CoreTrapped, EngineFailed, NotFoundError, RpcError, Unsupported } from '../src/errors.js';
import { silentLogger } from '../src/logger.js';
import { EMBEDDED_ORG_ID, EmbeddedTransport } from '../src/transport/embedded.js';
import type { CallOptions } from '../src/transport/transport.js';
import { failureOf } from './support/failure.js';
import { ManualClock } from './support/manual-clock.js';

interface Attempt {
  readonly method: string;
  readonly text: string;
  readonly extended: boolean;
  readonly claim: string | undefined;
  readonly attempt: { firstAttemptMs: number; expired: boolean };
  readonly nowMs: number;
}

/**
 * An engine of a few lines in the place of the real one, so that each test decides what it answers: `put` makes work,
 * `poll` takes some or waits 60 s for it, `timer` makes work come later.
 */
const engine = vi.hoisted(() => {
  const state = {
    opened: [] as object[],
    closed: 0,
    attempts: [] as Attempt[],
    work: [] as string[],
    wakes: [] as string[],
    took: false,
    warnings: [] as string[],
    dueMs: undefined as number | undefined,
    onReset: undefined as ((trap: CoreTrapped) => void) | undefined,
    fault: undefined as Error | undefined,
    tickFault: undefined as Error | undefined,
    trapIn: undefined as string | undefined,
  };
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const put = (text: string): void => {
    state.work.push(text);
    state.wakes.push('work');
  };
  return {
    state,
    engineOpen: (options: object) => state.opened.push(options),
    engineClose: () => void (state.closed += 1),
    engineHandle(
      _id: number,
      method: string,
      body: Uint8Array,
      extended: boolean,
      claim: string | undefined,
      attempt: Attempt['attempt'],
      nowMs: number,
    ): Uint8Array | { park: string[]; deadlineMs: number } {
      const text = new TextDecoder().decode(body);
      state.attempts.push({ method, text, extended, claim, attempt, nowMs });
      if (state.fault !== undefined) throw state.fault;
      if (state.trapIn === method) throw new CoreTrapped('unreachable');
      if (method === 'put') put(text);
      if (method === 'timer') state.dueMs = nowMs + Number(text);
      if (method !== 'poll') return encode('done');
      const isOver = attempt.expired || nowMs >= attempt.firstAttemptMs + 60_000;
      const work = isOver && !attempt.expired ? undefined : state.work.shift();
      state.took = work !== undefined;
      if (work !== undefined) return encode(work);
      if (isOver) return encode('nothing');
      return { park: ['work', 'more'], deadlineMs: attempt.firstAttemptMs + 60_000 };
    },
    engineTook: (_id: number, key: string) => key === 'work' && state.took,
    engineTick(_id: number, nowMs: number): number | undefined {
      if (state.tickFault !== undefined) throw state.tickFault;
      if (state.dueMs !== undefined && state.dueMs <= nowMs) {
        state.dueMs = undefined;
        put('from a timer');
      }
      return state.dueMs;
    },
    engineTakeWakes() {
      const one = state.wakes.splice(0).map((key) => [key]);
      return one.length > 0 ? { one, all: [] } : undefined;
    },
    engineTakeWarnings: () => state.warnings.splice(0),
    onCoreReset(listener: (trap: CoreTrapped) => void) {
      state.onReset = listener;
      return () => void (state.onReset = undefined);
    },
    install: () => {},
  };
});
vi.mock('../src/core.js', () => engine);

const { state } = engine;
let clock: ManualClock;
let transport: EmbeddedTransport;

beforeEach(() => {
  Object.assign(state, {
    opened: [],
    closed: 0,
    attempts: [],
    work: [],
    wakes: [],
    dueMs: undefined,
    fault: undefined,
    tickFault: undefined,
    trapIn: undefined,
  });
  clock = new ManualClock();
  transport = new EmbeddedTransport({ clock });
});

afterEach(() => transport.close());

async function call(method: string, text = '', options?: CallOptions): Promise<string> {
  const { body } = await transport.unary(method, new TextEncoder().encode(text), options);
  return new TextDecoder().decode(body);
}

test('the engine is opened at the first call, once', async () => {
  expect(state.opened).toEqual([]);
  await call('put', 'a');
  await call('put', 'b');
  expect(state.opened).toEqual([{ orgId: EMBEDDED_ORG_ID, orgSlug: 'default', leaseMs: undefined }]);
});

test('options of the engine are handed on', async () => {
  transport = new EmbeddedTransport({ clock, orgId: 'id', orgSlug: 'slug', leaseMs: 5 });
  await call('put');
  expect(state.opened).toEqual([{ orgId: 'id', orgSlug: 'slug', leaseMs: 5 }]);
});

test('a call hands on its bytes, its claim and the time, and announces the extension', async () => {
  expect(transport.extended).toBe(true);
  const { metadata } = await transport.unary('put', new TextEncoder().encode('a'), {
    metadata: { 'flovyn-claim': 'c' },
  });
  expect(metadata).toEqual({ 'flovyn-ext': '1' });
  expect(state.attempts).toEqual([
    {
      method: 'put',
      text: 'a',
      extended: true,
      claim: 'c',
      attempt: { firstAttemptMs: clock.nowMs(), expired: false },
      nowMs: clock.nowMs(),
    },
  ]);
});

test('a poll waits until another call makes work', async () => {
  const poll = call('poll');
  clock.advance(1_000);
  await call('put', 'work');
  expect(await poll).toBe('work');
  const again = state.attempts.at(-1);
  expect(again).toMatchObject({ method: 'poll', attempt: { expired: false }, nowMs: clock.nowMs() });
  expect(again?.attempt.firstAttemptMs).toBe(clock.nowMs() - 1_000);
  expect(clock.scheduled.all).toBe(0);
});

test('polls are served in the order they came, and what finds no work waits on', async () => {
  const served: string[] = [];
  const polls = ['first', 'second', 'third'].map(async (name) =>
    served.push(`${name}: ${await call('poll')}`),
  );
  await call('put', 'a');
  await call('put', 'b');
  await Promise.all(polls.slice(0, 2));
  expect(served).toEqual(['first: a', 'second: b']);
  await call('put', 'c');
  await Promise.all(polls);
  expect(served.at(-1)).toBe('third: c');
  // Each was asked when it came and once more: one piece of work is no reason to ask the others.
  expect(state.attempts.filter(({ method }) => method === 'poll')).toHaveLength(6);
});

test('a poll whose deadline passes is asked a last time', async () => {
  const poll = call('poll');
  clock.advance(60_000);
  expect(await poll).toBe('nothing');
  expect(state.attempts.map(({ attempt }) => attempt.expired)).toEqual([false, true]);
});

test('a due time of the engine wakes a poll', async () => {
  const poll = call('poll');
  await call('timer', '500');
  clock.advance(499);
  expect(state.attempts.filter(({ method }) => method === 'poll')).toHaveLength(1);
  clock.advance(1);
  expect(await poll).toBe('from a timer');
});

test('a poll whose time is over leaves what woke it to the next one', async () => {
  await call('timer', '60000');
  const over = call('poll');
  clock.advance(10);
  const next = call('poll');
  // Both are due now, and the timer is first.
  clock.advance(59_990);
  expect(await over).toBe('nothing');
  expect(await next).toBe('from a timer');
});

test('an earlier due time replaces a later one, and a later one does not replace an earlier', async () => {
  await call('timer', '5000');
  await call('timer', '100');
  await call('timer', '300');
  clock.advance(299);
  expect(state.work).toEqual([]);
  clock.advance(1);
  expect(state.work).toEqual(['from a timer']);
});

test('a process stays for calls that wait, not for due times', async () => {
  await call('timer', '5000');
  expect(clock.scheduled).toEqual({ all: 1, keepAlive: 0 });
  const poll = failureOf(call('poll'));
  expect(clock.scheduled).toEqual({ all: 2, keepAlive: 1 });
  await transport.close();
  expect(clock.scheduled).toEqual({ all: 0, keepAlive: 0 });
  expect(await poll).toMatchObject({ code: 'CANCELLED' });
});

test('an abort takes a poll out: no work goes to it', async () => {
  const controller = new AbortController();
  const poll = failureOf(call('poll', '', { signal: controller.signal }));
  const other = call('poll');
  controller.abort('enough');
  expect(await poll).toMatchObject({ code: 'CANCELLED', cause: 'enough' });
  await call('put', 'work');
  expect(await other).toBe('work');
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
});

test('a call with a signal that was aborted before does not reach the engine', async () => {
  expect(await failureOf(call('poll', '', { signal: AbortSignal.abort() }))).toMatchObject({
    code: 'CANCELLED',
  });
  expect(state.attempts).toEqual([]);
});

test('the deadline of a call ends it, whatever the engine would wait', async () => {
  const poll = failureOf(call('poll', '', { deadlineMs: 100 }));
  clock.advance(100);
  expect(await poll).toMatchObject({ code: 'DEADLINE_EXCEEDED', grpcCode: 4 });
  await call('put', 'work');
  expect(state.work).toEqual(['work']);
  expect(clock.scheduled.all).toBe(0);
});

test('a status of the engine is the error that a server would give', async () => {
  state.fault = Object.assign(new Error('kind must not be empty'), { code: 'INVALID_ARGUMENT', grpcCode: 3 });
  const error = await failureOf(call('put'));
  expect(error.constructor).toBe(RpcError);
  expect(error).toMatchObject({
    code: 'INVALID_ARGUMENT',
    grpcCode: 3,
    message: 'kind must not be empty',
    method: 'put',
  });
  state.fault = Object.assign(new Error('no such execution'), { code: 'NOT_FOUND', grpcCode: 5 });
  const subject = { type: 'Workflow execution', id: 'abc' };
  const missing = await failureOf(call('put', '', { subject }));
  expect(missing.constructor).toBe(NotFoundError);
  expect(missing).toMatchObject({ resourceId: 'abc', message: 'no such execution' });
  state.fault = undefined;
  expect(await call('put')).toBe('done');
});

test.each<[string, (trap: Error) => void]>([
  ['in a call', (trap) => (state.fault = trap)],
  ['in a tick', (trap) => (state.tickFault = trap)],
  ['somewhere else in the core', (trap) => state.onReset?.(trap as CoreTrapped)],
])('a trap %s ends the engine: every call fails, waiting ones and later ones', async (_name, trip) => {
  const polls = [failureOf(call('poll')), failureOf(call('poll'))];
  const trap = new CoreTrapped('unreachable');
  trip(trap);
  const last = call('timer', '9000').catch(() => {});
  for (const error of await Promise.all(polls)) {
    expect(error).toBeInstanceOf(EngineFailed);
    expect(error).toMatchObject({ code: 'ENGINE_FAILED', cause: trap });
    expect(error.message).toContain('unreachable');
  }
  await last;
  Object.assign(state, { fault: undefined, tickFault: undefined });
  expect(await failureOf(call('put'))).toBeInstanceOf(EngineFailed);
  expect(state.onReset).toBeUndefined();
  expect(clock.scheduled.all).toBe(0);
  await transport.close();
  expect(state.closed).toBe(0);
});

test('a trap while woken polls are asked again fails those that come after it too', async () => {
  const polls = [failureOf(call('poll')), failureOf(call('poll'))];
  state.trapIn = 'poll';
  const put = call('put', 'work');
  expect((await Promise.all(polls)).map((error) => error.constructor)).toEqual([EngineFailed, EngineFailed]);
  expect(state.attempts.map(({ method }) => method)).toEqual(['poll', 'poll', 'put', 'poll']);
  expect(await put).toBe('done');
});

test('close ends what waits and refuses what comes, with the engine closed once', async () => {
  const poll = failureOf(call('poll'));
  await transport.close();
  await transport.close();
  expect(state.closed).toBe(1);
  expect(await poll).toMatchObject({
    code: 'CANCELLED',
    message: expect.stringContaining('the transport is closed'),
  });
  expect(await failureOf(call('put'))).toMatchObject({ code: 'CANCELLED' });
});

test('close before any call opens nothing', async () => {
  await transport.close();
  expect([state.opened.length, state.closed]).toEqual([0, 0]);
});

test('warnings of the engine are logged', async () => {
  const warn = vi.fn();
  transport = new EmbeddedTransport({ clock, logger: { ...silentLogger, warn } });
  state.warnings.push('half full');
  await call('put');
  await call('put');
  expect(warn.mock.calls).toEqual([['half full']]);
});

test('streams are refused with what to do', () => {
  expect(() => transport.serverStream('/a/Subscribe')).toThrow(Unsupported);
  expect(() => transport.serverStream('/a/Subscribe')).toThrow(/run flovyn-server/);
});

test('a loop of calls that are answered at once lets everything else happen', async () => {
  const timer = { hasFired: false };
  setTimeout(() => {
    timer.hasFired = true;
  }, 0);
  let calls = 0;
  for (; !timer.hasFired && calls < 100_000; calls += 1) await call('done');
  expect(calls).toBeLessThan(100_000);
});
