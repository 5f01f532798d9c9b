import { expect, test } from 'vitest';
import type { ExecutionCacheLimits } from '../src/worker/cache-metrics.js';
import { ExecutionCache, type Suspended } from '../src/worker/execution-cache.js';

const KIB = 1024;

function cache(limits: Partial<ExecutionCacheLimits> = {}) {
  const closed: string[] = [];
  const kept = new ExecutionCache<Suspended>({ maxCount: 3, maxBytes: 1024 * KIB, ...limits });
  const put = (executionId: string, { isContinuable = true, memoryBytes = 0, as = executionId } = {}) =>
    kept.put(executionId, {
      isContinuable,
      activation: { memoryBytes },
      close: () => void closed.push(as),
    });
  return { kept, put, closed };
}

test('the execution that was used least recently is closed when there are too many', () => {
  const { kept, put, closed } = cache();
  for (const id of ['a', 'b', 'c']) put(id);
  expect(kept.take('a')).toBeDefined();
  put('a');
  put('d');
  expect(closed).toEqual(['b']);
  expect([kept.size, kept.evictions]).toEqual([3, 1]);
  expect(['a', 'b', 'c', 'd'].map((id) => kept.take(id) !== undefined)).toEqual([true, false, true, true]);
  expect([kept.size, kept.bytes]).toEqual([0, 0]);
});

test('as many are closed as it takes to come below the limit of bytes', () => {
  const { kept, put, closed } = cache({ maxCount: 100, maxBytes: 300 * KIB });
  for (const id of ['a', 'b', 'c']) put(id, { memoryBytes: 80 * KIB });
  expect([kept.size, closed]).toEqual([3, []]);
  put('d', { memoryBytes: 150 * KIB });
  expect(closed).toEqual(['a', 'b']);
  expect(kept.bytes).toBeGreaterThan(230 * KIB);
  expect(kept.bytes).toBeLessThan(300 * KIB);
});

test('one that is larger than all the room is closed itself', () => {
  const { kept, put, closed } = cache({ maxBytes: 100 * KIB });
  put('huge', { memoryBytes: 200 * KIB });
  expect([closed, kept.size, kept.bytes]).toEqual([['huge'], 0, 0]);
});

test('what cannot be continued is not kept, and nothing is when nothing may be', () => {
  const { kept, put, closed } = cache();
  put('broken', { isContinuable: false });
  expect([kept.size, closed, kept.evictions]).toEqual([0, ['broken'], 0]);
  const none = cache({ maxCount: 0 });
  none.put('a');
  expect([none.kept.size, none.closed]).toEqual([0, ['a']]);
});

test('a second copy of an execution replaces the first', () => {
  const { kept, put, closed } = cache();
  put('a', { as: 'old' });
  put('a', { as: 'new' });
  expect([kept.size, closed]).toEqual([1, ['old']]);
});

test('clearing closes everything', () => {
  const { kept, put, closed } = cache();
  put('a');
  put('b');
  kept.clear();
  expect([closed, kept.size, kept.bytes]).toEqual([['a', 'b'], 0, 0]);
});
