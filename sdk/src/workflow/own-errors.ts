import type { HandleName } from './pending.js';

/** Errors that the SDK gave to workflow code, and the handle that each came from. */
const own = new WeakMap<object, string>();

/** Remembers that `error` was made here, for `from`. Gives it back. */
export function markOwn<E extends object>(error: E, from: HandleName | string): E {
  own.set(error, typeof from === 'string' ? from : `${from.type} "${from.name}"`);
  return error;
}

/** What an error that the SDK gave to workflow code came from; undefined for any other value. */
export function originOf(reason: unknown): string | undefined {
  return typeof reason === 'object' && reason !== null ? own.get(reason) : undefined;
}
