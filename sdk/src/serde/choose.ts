import { ConfigurationError, SerializationError } from '../errors.js';
import { textOf } from '../errors/base.js';
import { JsonSerializer, type Serializer } from '../serde.js';

/** What writes the input and output of a definition: its own serializer, else the one of the client or worker. */
export function serializerFor(
  definition: { readonly serializer?: Serializer | undefined } | undefined,
  settings: { readonly serializer: Serializer },
): Serializer {
  return definition?.serializer ?? settings.serializer;
}

/** Throws `ConfigurationError` for what is no serializer. */
export function checkSerializer(what: string, serializer: unknown): void {
  if (serializer === undefined) return;
  const { serialize, deserialize } = Object(serializer) as Partial<Serializer>;
  if (typeof serialize === 'function' && typeof deserialize === 'function') return;
  throw new ConfigurationError(`${what} must be an object with the methods serialize and deserialize`);
}

const checked = new WeakMap<Serializer, Serializer>();

/**
 * A serializer of a program, held to its promises: what it writes is JSON text, and whatever goes wrong is a
 * `SerializationError`. The same one for the same serializer.
 */
export function trusted(serializer: Serializer): Serializer {
  if (serializer instanceof CheckedSerializer) return serializer;
  // A class that extends ours is the program's.
  if (Object.getPrototypeOf(serializer) === JsonSerializer.prototype) return serializer;
  const known = checked.get(serializer) ?? new CheckedSerializer(serializer);
  checked.set(serializer, known);
  return known;
}

class CheckedSerializer implements Serializer {
  readonly #serializer: Serializer;

  constructor(serializer: Serializer) {
    this.#serializer = serializer;
  }

  serialize(value: unknown): string {
    const payload: unknown = attempt('writing the value', () => this.#serializer.serialize(value));
    if (typeof payload !== 'string')
      throw new SerializationError(`the serializer must give a text, it gave ${typeof payload}`);
    attempt('the serializer must give JSON text, reading it', () => JSON.parse(payload));
    return payload;
  }

  deserialize<T = unknown>(payload: string): T {
    // The empty text is null on the wire, and no JSON.
    const json = payload === '' ? 'null' : payload;
    return attempt('reading the payload', () => this.#serializer.deserialize<T>(json));
  }
}

function attempt<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof SerializationError) throw error;
    throw new SerializationError(`${what} failed: ${textOf(error)}`, '$', error);
  }
}
