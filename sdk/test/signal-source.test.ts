import { expect, test } from 'vitest';
import { SignalSource } from '../src/runtime/signal-source.js';

test('every piece of work has a signal of its own, and all fire together', async () => {
  const source = new SignalSource();
  const seen: AbortSignal[] = [];
  const works = [1, 2].map((value) =>
    source.with(async (signal) => {
      seen.push(signal);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      return value;
    }),
  );
  expect(seen[0]).not.toBe(seen[1]);
  expect(seen.map(({ aborted }) => aborted)).toEqual([false, false]);
  source.fire();
  expect(await Promise.all(works)).toEqual([1, 2]);
  expect(await source.with(async (signal) => signal.aborted)).toBe(true);
});
