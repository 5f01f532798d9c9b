import { ConfigurationError } from './errors.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNITS = [
  [DAY, 'd'],
  [HOUR, 'h'],
  [MINUTE, 'm'],
  [SECOND, 's'],
] as const;

/**
 * A length of time. Immutable; may be negative or a fraction of a millisecond; at most `Number.MAX_SAFE_INTEGER`
 * milliseconds either way. Anything else, NaN included, is a `ConfigurationError`.
 */
export class Duration {
  private readonly ms: number;

  private constructor(ms: number) {
    if (!(Math.abs(ms) <= Number.MAX_SAFE_INTEGER)) {
      throw new ConfigurationError(
        `A Duration must be a finite number of at most ${Number.MAX_SAFE_INTEGER} milliseconds, got ${ms} milliseconds`,
      );
    }
    // -0 and 0 are one duration: without this `equals` and deep comparison would disagree.
    this.ms = ms === 0 ? 0 : ms;
  }

  /** A duration of `value` milliseconds. */
  static milliseconds(value: number): Duration {
    return new Duration(value);
  }

  /** A duration of `value` seconds. */
  static seconds(value: number): Duration {
    return new Duration(value * SECOND);
  }

  /** A duration of `value` minutes. */
  static minutes(value: number): Duration {
    return new Duration(value * MINUTE);
  }

  /** A duration of `value` hours. */
  static hours(value: number): Duration {
    return new Duration(value * HOUR);
  }

  /** A duration of `value` days of 24 hours. */
  static days(value: number): Duration {
    return new Duration(value * DAY);
  }

  /** Length in milliseconds, fractions included. */
  toMilliseconds(): number {
    return this.ms;
  }

  /** Length in seconds, fractions included. */
  toSeconds(): number {
    return this.ms / SECOND;
  }

  /** Length in minutes, fractions included. */
  toMinutes(): number {
    return this.ms / MINUTE;
  }

  /** Length in hours, fractions included. */
  toHours(): number {
    return this.ms / HOUR;
  }

  /** Length in days of 24 hours, fractions included. */
  toDays(): number {
    return this.ms / DAY;
  }

  /**
   * Length in whole milliseconds as it goes on the wire: a fraction rounds up, so that nothing fires early.
   * What only binary floating point added (`0.1 + 0.2` seconds is 300.00000000000006 ms) is no fraction.
   */
  toWholeMilliseconds(): number {
    const nearest = Math.round(this.ms);
    const noise = 4 * Number.EPSILON * Math.abs(this.ms);
    const whole = Math.abs(this.ms - nearest) <= noise ? nearest : Math.ceil(this.ms);
    return whole === 0 ? 0 : whole;
  }

  /** This duration and `other` together. */
  add(other: Duration): Duration {
    return new Duration(this.ms + other.ms);
  }

  /** This duration less `other`; negative when `other` is longer. */
  subtract(other: Duration): Duration {
    return new Duration(this.ms - other.ms);
  }

  /** `factor` times this duration. */
  multiply(factor: number): Duration {
    return new Duration(this.ms * factor);
  }

  /** This duration divided by `divisor`, which must not be 0. */
  divide(divisor: number): Duration {
    return new Duration(this.ms / divisor);
  }

  /** Whether this duration is longer than `other`. */
  isGreaterThan(other: Duration): boolean {
    return this.ms > other.ms;
  }

  /** Whether this duration is shorter than `other`. */
  isLessThan(other: Duration): boolean {
    return this.ms < other.ms;
  }

  /** Whether this is no time at all. */
  isZero(): boolean {
    return this.ms === 0;
  }

  /** Whether this is more than no time. */
  isPositive(): boolean {
    return this.ms > 0;
  }

  /** Whether this is less than no time. */
  isNegative(): boolean {
    return this.ms < 0;
  }

  /** -1 when this is shorter than `other`, 1 when longer, 0 when equal: fit for `Array.prototype.sort`. */
  compareTo(other: Duration): -1 | 0 | 1 {
    if (this.ms === other.ms) return 0;
    return this.ms < other.ms ? -1 : 1;
  }

  /** Whether both have the same length. */
  equals(other: Duration): boolean {
    return this.ms === other.ms;
  }

  /** The length in the largest unit that needs no fraction: `500ms`, `30s`, `5m`, `2h`, `1d`; `-5m`; `0ms`. */
  toString(): string {
    const [size, suffix] = UNITS.find(([size]) => this.ms !== 0 && this.ms % size === 0) ?? [1, 'ms'];
    return `${this.ms / size}${suffix}`;
  }
}
