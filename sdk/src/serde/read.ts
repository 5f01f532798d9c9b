import { textOf } from '../errors/base.js';
import { SerializationError } from '../errors.js';
import { MAX_DEPTH, pathText, type Step } from './path.js';

/** The value of a payload; `deserialize` says the rules. */
export function read(payload: string): unknown {
  if (payload === '') return null;
  const value = parse(payload);
  return mayHoldTags(payload) ? new Reader().revive(value) : value;
}

function parse(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch (error) {
    throw new SerializationError(
      `expected a payload of JSON text, got ${excerpt(payload)}: ${textOf(error)}`,
      '$',
      error,
    );
  }
}

/** JSON may write the underscores of a tag's key as `\u005f`. */
function mayHoldTags(payload: string): boolean {
  return payload.includes('__type') || payload.includes('\\u005');
}

/** Puts back, inside a freshly parsed value, what tags stand for. */
class Reader {
  readonly #steps: Step[] = [];

  revive(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (this.#steps.length >= MAX_DEPTH * 2) this.#fail(`expected a payload of at most ${MAX_DEPTH} levels`);
    const record = value as Record<string, unknown>;
    const tag = Array.isArray(value) ? undefined : tagOf(record);
    return tag === undefined ? this.#inPlace(record) : this.#untag(tag, record['value'], record);
  }

  #inPlace<T extends Record<string, unknown> | unknown[]>(container: T): T {
    const record = container as Record<string, unknown>;
    const isArray = Array.isArray(container);
    for (const key of Object.keys(record)) {
      const inside = record[key];
      if (typeof inside !== 'object' || inside === null) continue;
      this.#steps.push(isArray ? Number(key) : key);
      const revived = this.revive(inside);
      if (revived !== inside) record[key] = revived;
      this.#steps.pop();
    }
    return container;
  }

  #untag(tag: string, value: unknown, whole: Record<string, unknown>): unknown {
    switch (tag) {
      case 'Date':
        return this.#date(value);
      case 'BigInt':
        return typeof value === 'string' && /^-?\d+$/.test(value)
          ? BigInt(value)
          : this.#misfit(tag, 'digits', value);
      case 'Uint8Array':
        return isBytes(value) ? Uint8Array.from(value) : this.#misfit(tag, 'an array of bytes', value);
      case 'Number':
        return NUMBERS.get(value) ?? this.#misfit(tag, '"NaN", "Infinity", "-Infinity" or "-0"', value);
      case 'Map':
        return Array.isArray(value) && value.every(isPair)
          ? new Map(this.#inPlace(value) as [unknown, unknown][])
          : this.#misfit(tag, 'an array of pairs', value);
      case 'Set':
        return Array.isArray(value) ? new Set(this.#inPlace(value)) : this.#misfit(tag, 'an array', value);
      case 'Object':
        return isRecord(value) ? this.#inPlace(value) : this.#misfit(tag, 'an object', value);
      default:
        return this.#inPlace(whole);
    }
  }

  #date(value: unknown): Date {
    const date = typeof value === 'string' ? new Date(value) : undefined;
    return date !== undefined && !Number.isNaN(date.getTime())
      ? date
      : this.#misfit('Date', 'an ISO 8601 time', value);
  }

  #misfit(tag: string, expected: string, got: unknown): never {
    this.#fail(
      `expected the value of a ${tag} to be ${expected}, got ${excerpt(JSON.stringify(got) ?? 'nothing')}`,
    );
  }

  #fail(problem: string): never {
    throw new SerializationError(problem, pathText(this.#steps));
  }
}

const NUMBERS: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
]);

/** The tag of `{"__type": tag, "value": ..}`; undefined for any other object. */
function tagOf(record: Record<string, unknown>): string | undefined {
  if (!Object.hasOwn(record, '__type') || !Object.hasOwn(record, 'value')) return undefined;
  const tag = record['__type'];
  return typeof tag === 'string' && Object.keys(record).length === 2 ? tag : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2;
}

function isBytes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255);
}

function excerpt(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}... (${text.length} characters)`;
}
