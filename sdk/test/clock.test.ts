import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../src/runtime/clock.js';

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([
  [0, 0],
  [-5, 0],
  [10, 10],
  [1.2, 2],
  [30 * DAY_MS, 30 * DAY_MS],
  [100 * DAY_MS, 100 * DAY_MS],
])('a call in %d ms comes after %d ms, once', (delayMs, expectedMs) => {
  const startMs = systemClock.nowMs();
  const calledAtMs: number[] = [];
  systemClock.schedule(delayMs, () => calledAtMs.push(systemClock.nowMs() - startMs));
  expect(calledAtMs).toEqual([]);
  vi.advanceTimersByTime(200 * DAY_MS);
  expect(calledAtMs).toEqual([expectedMs]);
});

test('no timer is asked for more than a timer can hold', () => {
  const setTimer = vi.spyOn(globalThis, 'setTimeout');
  systemClock.schedule(100 * DAY_MS, () => {});
  vi.advanceTimersByTime(100 * DAY_MS);
  expect(setTimer.mock.calls.length).toBe(5);
  expect(Math.max(...setTimer.mock.calls.map(([, ms]) => ms ?? 0))).toBe(2 ** 31 - 1);
});

test('a call that was called off does not come, before or after a long timer was armed again', () => {
  const callback = vi.fn();
  const early = systemClock.schedule(10, callback);
  const late = systemClock.schedule(30 * DAY_MS, callback);
  early();
  vi.advanceTimersByTime(29 * DAY_MS);
  late();
  vi.advanceTimersByTime(29 * DAY_MS);
  expect(callback).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test('a process need not wait for a call that says so', () => {
  vi.useRealTimers();
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const stops = [systemClock.schedule(1_000, () => {}, { keepAlive: false })];
  expect(timers()).toBe(before);
  stops.push(systemClock.schedule(1_000, () => {}));
  expect(timers()).toBe(before + 1);
  for (const stop of stops) stop();
});
