import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { ConfigurationError } from '../src/errors.js';

test.each([
  [Duration.milliseconds(0), 0, '0ms'],
  [Duration.milliseconds(500), 500, '500ms'],
  [Duration.milliseconds(1_000), 1_000, '1s'],
  [Duration.milliseconds(1_500), 1_500, '1500ms'],
  [Duration.milliseconds(1.5), 1.5, '1.5ms'],
  [Duration.seconds(30), 30_000, '30s'],
  [Duration.seconds(90), 90_000, '90s'],
  [Duration.minutes(5), 300_000, '5m'],
  [Duration.hours(2), 7_200_000, '2h'],
  [Duration.hours(36), 129_600_000, '36h'],
  [Duration.days(1), 86_400_000, '1d'],
  [Duration.minutes(-5), -300_000, '-5m'],
  [Duration.milliseconds(-1), -1, '-1ms'],
  [Duration.seconds(-0), 0, '0ms'],
])('%s is %d ms and reads %s', (duration, ms, text) => {
  expect(duration.toMilliseconds()).toBe(ms);
  expect(String(duration)).toBe(text);
});

test('converts to every unit, fractions included', () => {
  const duration = Duration.hours(36);
  expect(duration.toMilliseconds()).toBe(129_600_000);
  expect(duration.toSeconds()).toBe(129_600);
  expect(duration.toMinutes()).toBe(2_160);
  expect(duration.toHours()).toBe(36);
  expect(duration.toDays()).toBe(1.5);
});

test('calculates without changing its operands', () => {
  const minute = Duration.minutes(1);
  expect(minute.add(Duration.seconds(30)).toString()).toBe('90s');
  expect(minute.subtract(Duration.seconds(90)).toString()).toBe('-30s');
  expect(minute.multiply(2.5).toString()).toBe('150s');
  expect(minute.divide(4).toString()).toBe('15s');
  expect(minute.toString()).toBe('1m');
});

test('compares', () => {
  const short = Duration.seconds(59);
  const long = Duration.minutes(1);
  expect([short.isLessThan(long), short.isGreaterThan(long), short.equals(long)]).toEqual([
    true,
    false,
    false,
  ]);
  expect([short.compareTo(long), long.compareTo(short), long.compareTo(Duration.seconds(60))]).toEqual([
    -1, 1, 0,
  ]);
  expect(long.equals(Duration.seconds(60))).toBe(true);
  expect([long, short].sort((a, b) => a.compareTo(b))).toEqual([short, long]);
});

test.each([
  [Duration.seconds(-1), { negative: true, zero: false, positive: false }],
  [Duration.seconds(0), { negative: false, zero: true, positive: false }],
  [Duration.seconds(1), { negative: false, zero: false, positive: true }],
])('the sign of %s', (duration, sign) => {
  expect({
    negative: duration.isNegative(),
    zero: duration.isZero(),
    positive: duration.isPositive(),
  }).toEqual(sign);
});

test.each([
  [Duration.milliseconds(1.2), 2],
  [Duration.milliseconds(0.001), 1],
  [Duration.milliseconds(-1.2), -1],
  [Duration.milliseconds(-0.2), 0],
  [Duration.seconds(0.1 + 0.2), 300],
  [Duration.seconds(4.35), 4_350],
  [Duration.milliseconds(1_000_000_000_000.5), 1_000_000_000_001],
  [Duration.days(30), 2_592_000_000],
])('%s is sent as %d whole milliseconds', (duration, ms) => {
  expect(duration.toWholeMilliseconds()).toBe(ms);
});

test.each([
  ['NaN', () => Duration.seconds(Number.NaN)],
  ['infinity', () => Duration.days(Number.POSITIVE_INFINITY)],
  ['more than a safe integer', () => Duration.days(1e12)],
  ['division by zero', () => Duration.days(1).divide(0)],
])('%s is refused', (_name, make) => {
  expect(make).toThrow(ConfigurationError);
  expect(make).toThrow(/must be a finite number of at most 9007199254740991 milliseconds, got/);
});
