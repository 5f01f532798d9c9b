import { expect, test } from 'vitest';
import { RpcError } from '../src/errors.js';
import { Outbox, type OutboxParts } from '../src/worker/outbox.js';
import { ReportChannel } from '../src/worker/report-channel.js';
import { ReportCounters } from '../src/worker/report-counters.js';
import { ManualClock } from './support/manual-clock.js';
import { gate, MemoryLogger } from './support/world.js';

/** Everything that can go on without time, another push or an answer does. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** An outbox of texts that writes down what it sends. */
function outbox(parts: Partial<OutboxParts<string>> = {}) {
  const clock = new ManualClock();
  const sent: string[][] = [];
  let dropped = 0;
  const box = new Outbox<string>({
    send: async (batch) => sent.push(batch) > 0,
    dropped: (count) => (dropped += count),
    sizeOf: (text) => text.length,
    clock,
    ...parts,
  });
  return { box, clock, sent, dropped: () => dropped };
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

test('the first batch goes out at once, what comes within the window waits for its end', async () => {
  const { box, clock, sent } = outbox();
  for (const text of ['a', 'b']) box.push(text);
  await settled();
  expect(sent).toEqual([['a', 'b']]);
  box.push('c');
  clock.advance(20);
  box.push('d');
  clock.advance(29);
  await settled();
  expect(sent).toHaveLength(1);
  clock.advance(1);
  await settled();
  expect(sent).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  clock.advance(50);
  await settled();
  box.push('e');
  await settled();
  expect(sent).toHaveLength(3);
  clock.advance(50);
  await settled();
  expect(clock.scheduled.all).toBe(0);
});

test('a full batch does not wait, and none is larger', async () => {
  const { box, sent } = outbox();
  box.push('first');
  await settled();
  for (const text of numbers(0, 250)) box.push(text);
  await settled();
  expect(sent.slice(1)).toEqual([numbers(0, 100), numbers(100, 200)]);
  await box.flush();
  expect(sent[3]).toEqual(numbers(200, 250));
});

test('a batch is bounded by its size too, but takes one item in any case', async () => {
  const { box, sent } = outbox();
  const [half, whole] = ['h'.repeat(150_000), 'w'.repeat(600_000)];
  for (const text of [half, half, whole, 'x']) box.push(text);
  await box.flush();
  expect(sent.map((batch) => batch.map((text) => text[0]).join(''))).toEqual(['h', 'h', 'w', 'x']);
});

test('one batch is under way at a time, and all keep their order', async () => {
  const answers = [gate(), gate()];
  const sent: string[] = [];
  let under = 0;
  const { box } = outbox({
    send: async (batch) => {
      under += 1;
      expect(under).toBe(1);
      sent.push(batch.join(''));
      await answers.shift()?.promise;
      under -= 1;
      return true;
    },
  });
  const [first, second] = answers;
  box.push('a');
  await settled();
  for (const text of ['b', 'c']) box.push(text);
  const flushed = box.flush();
  await settled();
  expect(sent).toEqual(['a']);
  first?.open();
  await settled();
  box.push('d');
  second?.open();
  await flushed;
  expect(sent).toEqual(['a', 'bc', 'd']);
});

test('what comes too fast is dropped, the newest first, and counted', async () => {
  const answer = gate();
  const sent: string[][] = [];
  const { box, dropped } = outbox({
    send: async (batch) => {
      sent.push(batch);
      await answer.promise;
      return true;
    },
  });
  box.push('first');
  await settled();
  for (const text of numbers(0, 1_500)) box.push(text);
  expect(dropped()).toBe(500);
  answer.open();
  await box.flush();
  expect(sent.flat()).toEqual(['first', ...numbers(0, 1_000)]);
  for (const text of ['x'.repeat(1024 * 1024), 'y']) box.push(text);
  expect(dropped()).toBe(501);
  await box.flush();
});

test('nothing is sent after the close, and what is left is told', async () => {
  const { box, sent } = outbox();
  box.push('a');
  await settled();
  for (const text of ['b', 'c']) box.push(text);
  expect(box.close()).toBe(2);
  box.push('d');
  await box.flush();
  expect(sent).toEqual([['a']]);
});

test('of what only counts when it is new, nothing old is sent', async () => {
  const { box, clock, sent, dropped } = outbox({ onlyNewest: true });
  for (const text of ['a', 'b']) box.push(text);
  await settled();
  for (const text of ['c', 'd']) box.push(text);
  clock.advance(50);
  await settled();
  expect([sent, dropped()]).toEqual([[['b'], ['d']], 0]);
});

/** Whether a promise has been resolved, once everything that can go on has. */
async function isResolved(promise: Promise<void>): Promise<boolean> {
  let resolved = false;
  void promise.then(() => (resolved = true));
  await settled();
  return resolved;
}

test('who waits for room gets it when a batch is sent', async () => {
  const answer = gate();
  let calls = 0;
  const { box, dropped } = outbox({
    send: async () => {
      calls += 1;
      if (calls === 1) await answer.promise;
      return true;
    },
  });
  for (const text of numbers(0, 499)) box.push(text);
  expect(await isResolved(box.room())).toBe(true);
  for (const text of numbers(0, 600)) box.push(text);
  const room = box.room();
  expect(await isResolved(room)).toBe(false);
  answer.open();
  await room;
  expect(dropped()).toBe(0);
});

test('who waits for room does not wait for long, and not again while nothing arrives', async () => {
  const answer = gate();
  const { box, clock } = outbox({ send: () => answer.promise.then(() => true) });
  for (const text of numbers(0, 700)) box.push(text);
  const room = box.room();
  clock.advance(999);
  expect(await isResolved(room)).toBe(false);
  clock.advance(1);
  expect(await isResolved(room)).toBe(true);
  expect(await isResolved(box.room())).toBe(true);
  expect(clock.scheduled.all).toBe(0);
});

test('nobody waits for room where nothing arrives, or nothing is sent any more', async () => {
  const answer = gate();
  let calls = 0;
  const { box } = outbox({
    send: async () => {
      calls += 1;
      if (calls > 1) await answer.promise;
      return false;
    },
  });
  for (const text of numbers(0, 900)) box.push(text);
  const room = box.room();
  expect(await isResolved(room)).toBe(true);
  expect(await isResolved(box.room())).toBe(true);
  const other = outbox({ send: () => answer.promise.then(() => true) }).box;
  for (const text of numbers(0, 900)) other.push(text);
  const waiting = other.room();
  expect(await isResolved(waiting)).toBe(false);
  other.close();
  expect(await isResolved(waiting)).toBe(true);
  expect(await isResolved(other.room())).toBe(true);
});

/** A channel whose calls fail as told. */
function channel(fail: (items: string[]) => Error | undefined, inBatches = true) {
  const logger = new MemoryLogger();
  const counters = new ReportCounters(logger);
  const calls: string[] = [];
  const made = new ReportChannel<string>({
    kind: 'streamEvents',
    send: async (items) => {
      calls.push(items.join(''));
      const error = fail(items);
      if (error !== undefined) throw error;
    },
    inBatches: () => inBatches,
    sizeOf: () => 1,
    counters,
    clock: new ManualClock(),
  });
  const push = async (text: string): Promise<void> => {
    for (const item of text) made.push(item);
    await made.flush();
  };
  const counts = () => [counters.metrics.streamEventsSent, counters.metrics.streamEventsDropped];
  return { push, calls, counts, logger, made };
}

test('a loss is counted, and logged once until something comes through again', async () => {
  let isDown = true;
  const { push, counts, logger } = channel(() => (isDown ? new Error('no server') : undefined));
  for (const text of ['ab', 'c']) await push(text);
  expect(counts()).toEqual([0, 3]);
  expect(logger.lines).toEqual([
    'warn stream events of tasks are lost, which changes nothing else: no server',
  ]);
  isDown = false;
  await push('de');
  isDown = true;
  await push('f');
  expect(counts()).toEqual([2, 4]);
  expect(logger.lines).toHaveLength(2);
});

test('one event that the server refuses takes no other with it', async () => {
  const refused = new RpcError('INVALID_ARGUMENT', 'too large');
  const { push, calls, counts } = channel((items) => (items.includes('b') ? refused : undefined));
  await push('abc');
  expect([calls, counts()]).toEqual([
    ['abc', 'a', 'b', 'c'],
    [2, 1],
  ]);
});

test('a server that takes none of a batch is left alone', async () => {
  const { push, calls, counts, logger } = channel(() => new RpcError('RESOURCE_EXHAUSTED', 'enough'));
  for (const text of ['ab', 'cd']) await push(text);
  expect([calls, counts()]).toEqual([
    ['ab', 'a', 'b'],
    [0, 4],
  ]);
  expect(logger.lines).toHaveLength(1);
});

test('a server that takes one at a time gets one at a time', async () => {
  const { push, calls, counts } = channel(() => undefined, false);
  await push('abc');
  expect([calls, counts()]).toEqual([
    ['a', 'b', 'c'],
    [3, 0],
  ]);
});

test.each([
  ['UNIMPLEMENTED', 1],
  ['FAILED_PRECONDITION', 0],
] as const)('after %s nothing more is sent', async (code, warnings) => {
  for (const inBatches of [true, false]) {
    const { push, calls, counts, logger } = channel(() => new RpcError(code, 'not here'), inBatches);
    for (const text of ['ab', 'c']) await push(text);
    expect([calls, counts()]).toEqual([[inBatches ? 'ab' : 'a'], [0, 3]]);
    expect(logger.lines).toHaveLength(warnings);
  }
});

test('what is left when a channel closes counts as lost', async () => {
  const { made, counts, logger } = channel(() => undefined);
  made.push('a');
  made.close('too late');
  expect(counts()).toEqual([0, 1]);
  expect(logger.lines).toEqual([
    'warn stream events of tasks are lost, which changes nothing else: too late',
  ]);
});
