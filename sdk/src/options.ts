import type { Duration } from './duration.js';
import { ConfigurationError, Unsupported } from './errors.js';
import { textOf } from './errors/base.js';

/**
 * Refuses options that exist in Flovyn but not in this version, and options that do not exist at all: nothing
 * is accepted and ignored. `later` gives, for options of the first kind, what they come with.
 */
export function checkOptions(
  what: string,
  options: object,
  known: readonly string[],
  later: Readonly<Record<string, string>> = {},
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    const reason = later[name];
    if (reason !== undefined) throw comingLater(`${what}: the option "${name}"`, reason);
    throw new ConfigurationError(`${what}: unknown option "${name}", expected one of ${known.join(', ')}`);
  }
}

/**
 * Refuses what is no text. The core takes texts on trust: anything else would make it trap, and every execution
 * with it.
 */
export function checkText(what: string, value: string): void {
  if (typeof value !== 'string')
    throw new ConfigurationError(`${what}: expected a text, got ${shown(value)}`);
}

/** A duration in whole milliseconds. Refuses what is none, such as a number, of which nobody knows the unit. */
export function wholeMs(what: string, duration: Duration): number {
  if (typeof (duration as Partial<Duration> | null)?.toWholeMilliseconds === 'function')
    return duration.toWholeMilliseconds();
  throw new ConfigurationError(
    `${what}: expected a Duration, such as Duration.seconds(5), got ${shown(duration)}`,
  );
}

/** As `wholeMs`, for an option that may be left out. */
export function optionalMs(what: string, duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : wholeMs(what, duration);
}

/** As `optionalMs`, for a limit that there must be some time under. */
export function positiveMs(what: string, duration: Duration | undefined): number | undefined {
  const ms = optionalMs(what, duration);
  if (ms === undefined || ms > 0) return ms;
  throw new ConfigurationError(`${what} must be more than no time, got ${duration}`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : textOf(value);
}

/**
 * The error for a part of the API that another version brings.
 */
export function comingLater(what: string, reason: string): Unsupported {
  return new Unsupported(`${what} is not supported by this version: it comes with ${reason}`);
}
