import { afterEach, expect, test, vi } from 'vitest';

const CHAIN = 100_000;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A fresh copy of the module, which chooses for the globals as they are now. */
async function load(): Promise<() => Promise<void>> {
  vi.resetModules();
  return (await import('../src/runtime/run-dry.js')).runDry;
}

async function awaitOften(count: { done: number }): Promise<void> {
  for (; count.done < CHAIN; count.done++) await Promise.resolve();
}

test.each([
  ['setImmediate', {}],
  [
    'setTimeout',
    { setImmediate: undefined, navigator: { userAgent: 'Cloudflare-Workers' }, importScripts: () => {} },
  ],
  ['MessageChannel', { setImmediate: undefined, navigator: { userAgent: 'Mozilla' }, document: {} }],
  ['setTimeout where nothing else is known', { setImmediate: undefined, navigator: undefined }],
])('a chain of 100,000 awaits has ended after one yield through %s', async (_name, globals) => {
  for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
  const runDry = await load();
  const count = { done: 0 };
  const chain = awaitOften(count);
  await runDry();
  expect(count.done).toBe(CHAIN);
  await chain;
});

test('MessageChannel is not used in workerd', async () => {
  const channel = vi.fn();
  vi.stubGlobal('setImmediate', undefined);
  vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' });
  vi.stubGlobal('MessageChannel', channel);
  await (await load())();
  expect(channel).not.toHaveBeenCalled();
});

test('fake timers do not stop it', async () => {
  const runDry = await load();
  vi.useFakeTimers();
  await runDry();
});

test('each waiter is answered once, in order', async () => {
  vi.stubGlobal('setImmediate', undefined);
  vi.stubGlobal('document', {});
  const runDry = await load();
  const order: number[] = [];
  await Promise.all([1, 2, 3].map((number) => runDry().then(() => order.push(number))));
  expect(order).toEqual([1, 2, 3]);
});
