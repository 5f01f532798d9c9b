import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { InstanceGone } from '../src/core.js';
import { ConnectionError, CoreTrapped, EngineFailed, NotFoundError, RpcError } from '../src/errors.js';
import { pauseBefore, retryPlan } from '../src/retry.js';
import { isClaimLost, isRefusal, isTransient } from '../src/rpc/failures.js';
import { retrying } from '../src/rpc/retrying.js';
import type { Logger } from '../src/logger.js';
import { type Clock, systemClock } from '../src/runtime/clock.js';
import { Stop } from '../src/runtime/stop.js';
import { Backoff } from '../src/worker/backoff.js';
import { Connectivity } from '../src/worker/connectivity.js';
import { Lease } from '../src/worker/lease.js';
import { Parking } from '../src/worker/parking.js';
import { repeating } from '../src/worker/repeating.js';
import { PollCounts } from '../src/worker/poll-counts.js';
import { PollLoop, type PollLoopParts, type PollWatcher } from '../src/worker/poll-loop.js';
import { failureOf } from './support/failure.js';
import { ManualClock } from './support/manual-clock.js';
import { gate, MemoryLogger, until } from './support/world.js';

const longest = () => 1;

test('polls back off from 1 s to 60 s with full jitter, and begin anew after a success', () => {
  const backoff = new Backoff(undefined, undefined, longest);
  const pauses = Array.from({ length: 8 }, () => backoff.nextMs());
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  backoff.reset();
  expect(backoff.nextMs()).toBe(1_000);
  expect(new Backoff(undefined, undefined, () => 0).nextMs()).toBe(0);
});

test('parks grow to 5 minutes per execution, and are forgotten when it goes on', () => {
  const parking = new Parking(longest);
  const pauses = Array.from({ length: 11 }, () => parking.nextMs('a'));
  expect(pauses.slice(0, 3)).toEqual([1_000, 2_000, 4_000]);
  expect(pauses.at(-1)).toBe(300_000);
  expect(parking.nextMs('b')).toBe(1_000);
  parking.forget('a');
  expect(parking.nextMs('a')).toBe(1_000);
});

test('only so many parked executions are remembered, the latest ones', () => {
  const parking = new Parking(longest);
  parking.nextMs('first');
  parking.nextMs('second');
  parking.nextMs('first');
  for (let n = 0; n < 9_999; n += 1) parking.nextMs(`other-${n}`);
  expect(parking.nextMs('first')).toBe(4_000);
  expect(parking.nextMs('second')).toBe(1_000);
});

test('the pauses of a retry policy', () => {
  const plan = retryPlan('x', { initialDelay: Duration.seconds(2), maxDelay: Duration.seconds(9) });
  expect([1, 2, 3, 4, 2_000].map((retry) => pauseBefore(plan, retry))).toEqual([
    2_000, 4_000, 8_000, 9_000, 9_000,
  ]);
  const none = retryPlan('x', { initialDelay: Duration.milliseconds(0) });
  expect(pauseBefore(none, 2_000)).toBe(0);
});

test('what may be tried again, what never, and what means that the work is another worker has it', () => {
  const errors = {
    connection: new ConnectionError('x', 'here'),
    deadline: new RpcError('DEADLINE_EXCEEDED', 'x'),
    internal: new RpcError('INTERNAL', 'x'),
    argument: new RpcError('INVALID_ARGUMENT', 'x'),
    size: new RpcError('RESOURCE_EXHAUSTED', 'x'),
    precondition: new RpcError('FAILED_PRECONDITION', 'x'),
    missing: new NotFoundError('x', 'y'),
    // The answer was being read when something else made the core trap.
    gone: new InstanceGone('x'),
    trap: new CoreTrapped('x'),
  };
  const names = (test: (error: unknown) => boolean) =>
    Object.entries(errors).flatMap(([name, error]) => (test(error) ? [name] : []));
  expect(names(isTransient)).toEqual(['connection', 'deadline', 'internal', 'gone']);
  expect(names(isRefusal)).toEqual(['argument', 'size']);
  expect(names(isClaimLost)).toEqual(['precondition', 'missing']);
});

test('a call is repeated until it succeeds, fails for good, or is given up', async () => {
  const backoff = new Backoff(1, 1, () => 0);
  const passing = new ConnectionError('x', 'here');
  const answers = (...errors: Error[]) => {
    let calls = 0;
    return async () => {
      const error = errors[calls];
      calls += 1;
      if (error !== undefined) throw error;
      return calls;
    };
  };
  const options = { clock: systemClock, backoff };
  expect(await retrying(options, answers(passing, passing))).toBe(3);
  const refused = new RpcError('INVALID_ARGUMENT', 'x');
  expect(await failureOf(retrying(options, answers(passing, refused)))).toBe(refused);
  expect(await failureOf(retrying({ ...options, maxAttempts: 2 }, answers(passing, passing)))).toBe(passing);
  const signal = AbortSignal.abort();
  expect(await failureOf(retrying({ ...options, signal }, answers(passing)))).toBe(passing);
});

test('a fault of the server is met only so often, an outage for as long as it takes', async () => {
  const backoff = new Backoff(1, 1, () => 0);
  const calls = { fault: 0, outage: 0 };
  const fault = new RpcError('INTERNAL', 'x');
  const always = () => {
    calls.fault += 1;
    return Promise.reject(fault);
  };
  const options = { clock: systemClock, backoff, maxFaults: 3 };
  expect(await failureOf(retrying(options, always))).toBe(fault);
  expect(calls.fault).toBe(3);
  const out = async () => {
    calls.outage += 1;
    if (calls.outage < 20) throw new ConnectionError('x', 'here');
  };
  await retrying(options, out);
  expect(calls.outage).toBe(20);
});

test('a lease is renewed each third of its time, survives failures, and ends with the claim', async () => {
  const clock = new ManualClock();
  const logger = new MemoryLogger();
  let answer: () => Promise<number> = async () => 300;
  let renewals = 0;
  const renew = () => {
    renewals += 1;
    return answer();
  };
  const lease = new Lease({ what: 'it', leaseMs: 900, renew, clock, logger });
  clock.advance(299);
  expect(renewals).toBe(0);
  clock.advance(1);
  expect(renewals).toBe(1);
  await until(() => clock.scheduled.all === 1);
  answer = () => Promise.reject(new ConnectionError('out', 'here'));
  clock.advance(100);
  await until(() => clock.scheduled.all === 1);
  expect(lease.stop.signal.aborted).toBe(false);
  answer = () => Promise.reject(new RpcError('FAILED_PRECONDITION', 'another has it'));
  clock.advance(100);
  await until(() => lease.stop.signal.aborted);
  expect(lease.stop.signal.reason).toMatchObject({
    code: 'CLAIM_LOST',
    message: 'The claim of it is lost: another has it',
  });
  clock.advance(10_000);
  expect(renewals).toBe(3);
});

test('renewals that fail or hang leave time for others before the lease is over', async () => {
  const clock = new ManualClock();
  const leaseMs = 60_000;
  const deadlines: number[] = [];
  const startMs = clock.nowMs();
  const times: number[] = [];
  const lease = new Lease({
    what: 'it',
    leaseMs,
    renew: (deadlineMs) => {
      times.push(clock.nowMs() - startMs);
      deadlines.push(deadlineMs);
      // The first hangs until its deadline, the others fail at once.
      const { promise, fail } = gate<number>();
      clock.schedule(times.length === 1 ? deadlineMs : 0, () => fail(new ConnectionError('out', 'here')));
      return promise;
    },
    clock,
    logger: new MemoryLogger(),
  });
  for (let ms = 0; ms < leaseMs; ms += 1_000) {
    clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  lease.end();
  expect(deadlines[0]).toBe(20_000);
  expect(times.filter((ms) => ms < leaseMs).length).toBeGreaterThanOrEqual(3);
});

test('a server that answers slowly is heard all the same: that it has renewed, and that the claim is lost', async () => {
  const clock = new ManualClock();
  const slow = (answerMs: number, settle: () => void) => clock.schedule(answerMs, settle);
  const limits: number[] = [];
  let isLost = false;
  const lease = new Lease({
    what: 'it',
    leaseMs: 900,
    renew: (deadlineMs) => {
      limits.push(deadlineMs);
      const { promise, open, fail } = gate<number>();
      // Each answer takes 500 ms, which is more than a third of the lease.
      if (deadlineMs < 500) slow(deadlineMs, () => fail(new ConnectionError('out', 'here')));
      else
        slow(500, () => (isLost ? fail(new RpcError('FAILED_PRECONDITION', 'another has it')) : open(900)));
      return promise;
    },
    clock,
    logger: new MemoryLogger(),
  });
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 25) {
      clock.advance(25);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await pass(1_700);
  expect(limits.slice(0, 3)).toEqual([300, 900, 300]);
  expect(lease.stop.signal.aborted).toBe(false);
  isLost = true;
  await pass(2_000);
  expect(lease.stop.signal.reason).toMatchObject({ code: 'CLAIM_LOST' });
  expect(clock.scheduled.all).toBe(0);
});

test('a claim without a lease is never renewed', () => {
  const clock = new ManualClock();
  const lease = new Lease({
    what: 'it',
    leaseMs: 0,
    renew: async () => 1,
    clock,
    logger: new MemoryLogger(),
  });
  expect(clock.scheduled.all).toBe(0);
  lease.lose(new Error('stopped'));
  expect(lease.stop.signal.reason).toEqual(new Error('stopped'));
});

const ONE_AT_A_TIME = {
  maxConcurrent: 1,
  maxPolls: () => 1,
  emptyPauseMs: 100,
  settleMs: 0,
  work: async () => undefined,
  giveBack: async () => {},
};

/** Logs as a worker does. */
function watcher(clock: Clock, logger: Logger): PollWatcher {
  const connectivity = new Connectivity(clock, logger, () => {});
  return {
    failed: (what, error) => connectivity.failed(what, error),
    succeeded: (what) => connectivity.succeeded(what),
    ended: (what, error) => logger.error(`${what} ended: ${error.message}`),
  };
}

/** A loop whose polls and pieces of work end when the test says so. */
function handLoop(parts: Partial<PollLoopParts<string>> = {}) {
  const clock = new ManualClock();
  const logger = new MemoryLogger();
  const polls: ReturnType<typeof gate<string | undefined>>[] = [];
  const works: { name: string; end: (next: string | undefined) => void }[] = [];
  const givenBack: string[] = [];
  const loop = new PollLoop<string>({
    what: 'tasks',
    maxConcurrent: 6,
    maxPolls: () => 4,
    emptyPauseMs: 100,
    settleMs: 0,
    poll: (signal) => {
      const poll = gate<string | undefined>();
      signal.addEventListener('abort', () => poll.fail(new Error('stopped')));
      polls.push(poll);
      return poll.promise;
    },
    work: (name) => {
      const { promise, open } = gate<string | undefined>();
      works.push({ name, end: open });
      return promise;
    },
    giveBack: async (work) => void givenBack.push(work),
    clock,
    counts: new PollCounts(),
    watcher: watcher(clock, logger),
    ...parts,
  });
  return { loop, polls, works, givenBack, clock, logger };
}

test('several polls wait while nothing is under way, and one while much is and there is room', async () => {
  const { loop, polls, works } = handLoop();
  loop.start();
  expect(polls).toHaveLength(4);
  polls[0]?.open('work');
  await until(() => works.length === 1);
  await settled();
  expect(polls).toHaveLength(4);
  for (const poll of polls) poll.open('work');
  await until(() => works.length === 4);
  await until(() => polls.length === 5);
  polls[4]?.open('work');
  await until(() => polls.length === 6);
  polls[5]?.open('work');
  await until(() => works.length === 6);
  await settled();
  // No more may be under way.
  expect(polls).toHaveLength(6);
  works[0]?.end(undefined);
  await until(() => polls.length === 7);
  const stopped = loop.stop();
  for (const { end } of works) end(undefined);
  await stopped;
  await loop.drain();
  expect(polls).toHaveLength(7);
});

test('work whose end brings the next piece hands its place on, without a poll', async () => {
  const { loop, polls, works, givenBack } = handLoop({ maxConcurrent: 1 });
  loop.start();
  polls[0]?.open('a');
  await until(() => works.length === 1);
  works[0]?.end('b');
  await until(() => works.length === 2);
  await settled();
  expect(polls).toHaveLength(1);
  works[1]?.end(undefined);
  await until(() => polls.length === 2);
  expect(works.map(({ name }) => name)).toEqual(['a', 'b']);
  await loop.stop();
  expect(givenBack).toEqual([]);
});

test('the next piece that comes while stopping is given back, and drain waits for that', async () => {
  const returned = gate();
  const { loop, polls, works } = handLoop({ maxConcurrent: 1, giveBack: () => returned.promise });
  loop.start();
  polls[0]?.open('a');
  await until(() => works.length === 1);
  await loop.stop();
  works[0]?.end('b');
  let hasDrained = false;
  const drained = loop.drain().then(() => (hasDrained = true));
  await settled();
  expect([works.length, hasDrained]).toEqual([1, false]);
  returned.open();
  await drained;
});

test('while there is much to do, polls may be answered for a moment when nothing more is to be claimed', async () => {
  const { loop, polls, works, givenBack, clock } = handLoop({ settleMs: 250 });
  loop.start();
  polls[0]?.open('a');
  await until(() => works.length === 1);
  let hasStopped = false;
  const stopped = loop.stop().then(() => (hasStopped = true));
  polls[1]?.open('b');
  await until(() => givenBack.length === 1);
  clock.advance(249);
  await settled();
  expect([hasStopped, works.length, givenBack]).toEqual([false, 1, ['b']]);
  clock.advance(1);
  await stopped;
  expect(loop.waiting).toBe(0);
});

test('a loop waits no longer than its polls, and not at all when it has had nothing to do', async () => {
  const { loop, polls, works, clock } = handLoop({ settleMs: 250, maxPolls: () => 2 });
  loop.start();
  for (const poll of polls) poll.open('a');
  await until(() => works.length === 2);
  await settled();
  expect(loop.waiting).toBe(1);
  polls[2]?.open(undefined);
  await settled();
  // It pauses now, as after each empty answer that came at once.
  expect([loop.waiting, clock.scheduled.all]).toEqual([1, 1]);
  await loop.stop();
  for (const { end } of works) end(undefined);

  const idle = handLoop({ settleMs: 250 });
  idle.loop.start();
  idle.polls[0]?.open('a');
  await until(() => idle.works.length === 1);
  idle.works[0]?.end(undefined);
  await idle.loop.drain();
  idle.clock.advance(1_000);
  await idle.loop.stop();
  expect([clock.scheduled.all, idle.clock.scheduled.all]).toEqual([0, 0]);
});

test('during an outage one poll goes on, and all of them after it', async () => {
  const { loop, polls, clock, logger } = handLoop();
  loop.start();
  for (const poll of polls) poll.fail(new ConnectionError('out', 'here'));
  await until(() => clock.scheduled.all === 1);
  expect(polls).toHaveLength(4);
  clock.advance(60_000);
  await until(() => polls.length === 5);
  await settled();
  expect(polls).toHaveLength(5);
  polls[4]?.open('work');
  await until(() => polls.length === 8);
  expect(logger.at('warn')).toHaveLength(1);
  expect(logger.at('info')).toEqual(['the server can be polled again, after 60 s']);
  await loop.stop();
});

/** Everything that can move without time has moved. */
async function settled(): Promise<void> {
  for (let task = 0; task < 3; task += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('an empty answer that came at once is followed by a pause, one after a long poll is not', async () => {
  const clock = new ManualClock();
  const polls: { open: (work: undefined) => void }[] = [];
  const loop = new PollLoop<never>({
    what: 'tasks',
    ...ONE_AT_A_TIME,
    poll: (signal) => {
      const { promise, open } = gate<undefined>();
      signal.addEventListener('abort', () => open(undefined));
      polls.push({ open });
      return promise;
    },
    clock,
    counts: new PollCounts(),
    watcher: watcher(clock, new MemoryLogger()),
  });
  loop.start();
  polls[0]?.open(undefined);
  await until(() => clock.scheduled.all === 1);
  expect(polls).toHaveLength(1);
  clock.advance(100);
  await until(() => polls.length === 2);
  clock.advance(30_000);
  polls[1]?.open(undefined);
  await until(() => polls.length === 3);
  expect(clock.scheduled.all).toBe(0);
  await loop.stop();
});

test('a loop ends with the embedded engine instead of asking it for ever', async () => {
  const logger = new MemoryLogger();
  const loop = new PollLoop<never>({
    what: 'tasks',
    ...ONE_AT_A_TIME,
    maxPolls: () => 4,
    maxConcurrent: 10,
    poll: () => Promise.reject(new EngineFailed('it trapped')),
    clock: new ManualClock(),
    counts: new PollCounts(),
    watcher: watcher(new ManualClock(), logger),
  });
  loop.start();
  await until(() => logger.lines.length > 0);
  await loop.stop();
  expect(logger.lines).toEqual(['error tasks ended: it trapped']);
});

test('a call under a claim is given up after some faults, so that the claim is not held for ever', async () => {
  const atOnce: Clock = {
    nowMs: () => 0,
    schedule(_delayMs, callback) {
      queueMicrotask(callback);
      return () => {};
    },
  };
  const fault = new RpcError('INTERNAL', 'x');
  let calls = 0;
  const call = (): Promise<never> => {
    calls += 1;
    return Promise.reject(fault);
  };
  expect(await failureOf(repeating(atOnce, new Stop(), call))).toBe(fault);
  expect(calls).toBe(6);
});
