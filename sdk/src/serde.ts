import { read } from './serde/read.js';
import { write } from './serde/write.js';

/** Turns values into payloads and back. A payload is JSON text. */
export interface Serializer {
  /** The payload of `value`. Throws `SerializationError` naming the path of what cannot be written. */
  serialize(value: unknown): string;
  /** The value of a payload; `null` for the empty text. Throws `SerializationError` for text that cannot be read. */
  deserialize<T = unknown>(payload: string): T;
}

/**
 * The payload of `value`: JSON, with `{"__type":..,"value":..}` around what JSON lacks: Date, BigInt, Uint8Array, Map,
 * Set, NaN, the infinities and -0. A class instance becomes what its `toJSON` gives, else its own enumerable
 * properties. `undefined` is null by itself and in arrays, and left out as a property; so are function properties.
 *
 * Throws `SerializationError`, naming the path, for a circular reference, a symbol, a function that is not a property,
 * an invalid Date, and for nesting deeper than 500 levels.
 */
export function serialize(value: unknown): string {
  return write(value);
}

/**
 * The value of a payload, the opposite of `serialize`; `null` for the empty text. A tag that is not known stays a plain
 * object. `T` is taken on trust.
 *
 * Throws `SerializationError` for text that is no JSON and for a known tag whose value does not fit it.
 */
export function deserialize<T = unknown>(payload: string): T {
  return read(payload) as T;
}

/** `serialize` and `deserialize` as a `Serializer`: the default one. */
export class JsonSerializer implements Serializer {
  /** See the function `serialize`. */
  serialize(value: unknown): string {
    return serialize(value);
  }

  /** See the function `deserialize`. */
  deserialize<T = unknown>(payload: string): T {
    return deserialize<T>(payload);
  }
}
