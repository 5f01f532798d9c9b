import { ConfigurationError, Unsupported } from './errors.js';

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
 * The error for a part of the API that another version brings.
 */
export function comingLater(what: string, reason: string): Unsupported {
  return new Unsupported(`${what} is not supported by this version: it comes with ${reason}`);
}
