import { textOf } from '../errors/base.js';
import { SerializationError } from '../errors.js';
import { MAX_DEPTH, pathText, type Step } from './path.js';

/** The payload of `value`; `serialize` says the rules. */
export function write(value: unknown): string {
  if (value === undefined) return 'null';
  return plainText(value) ?? new Writer().root(value);
}

/** Nearly all payloads are plain JSON: looking first and leaving the writing to the engine costs half of `Writer`. */
function plainText(value: unknown): string | undefined {
  try {
    if (typeof value !== 'function' && isPlain(value, 0)) return JSON.stringify(value);
  } catch {
    // A getter threw. The writer meets it again, and knows where.
  }
  return undefined;
}

/** Whether `JSON.stringify` writes `value` exactly as the rules want it. Never throws, unless a getter does. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
    case 'function':
      return true;
    case 'number':
      return isPlainNumber(value);
    case 'object':
      return value === null || (depth < MAX_DEPTH && isPlainObject(value, depth + 1));
    default:
      return false;
  }
}

function isPlainNumber(value: number): boolean {
  return value === 0 ? 1 / value > 0 : value - value === 0;
}

function isPlainObject(value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index];
      if (typeof item === 'function' || !isPlain(item, depth)) return false;
    }
    return true;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  const record = value as Record<string, unknown>;
  // Inherited properties only make this stricter than it need be.
  for (const key in record) {
    if (key === '__type' || key === 'toJSON' || !isPlain(record[key], depth)) return false;
  }
  return true;
}

/** Writes one payload piece by piece, knowing at any moment where in the value it is. */
class Writer {
  readonly #steps: Step[] = [];
  readonly #ancestors: object[] = [];

  root(value: unknown): string {
    try {
      return this.#value(value, '') ?? this.#fail('a function cannot be sent');
    } catch (error) {
      if (error instanceof SerializationError) throw error;
      throw new SerializationError(
        `reading the value failed: ${textOf(error)}`,
        pathText(this.#steps),
        error,
      );
    }
  }

  /** The text of `value`; undefined for what an object leaves out. `key` is what `toJSON` is told. */
  #value(value: unknown, key: string): string | undefined {
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value);
      case 'boolean':
        return value ? 'true' : 'false';
      case 'number':
        return isPlainNumber(value)
          ? String(value)
          : tagged('Number', `"${Object.is(value, -0) ? '-0' : value}"`);
      case 'bigint':
        return tagged('BigInt', `"${value}"`);
      case 'object':
        return value === null ? 'null' : this.#object(value, key);
      case 'symbol':
        return this.#fail('a symbol cannot be sent');
      default:
        return undefined;
    }
  }

  #object(value: object, key: string): string | undefined {
    if (this.#ancestors.includes(value))
      this.#fail('a circular reference cannot be sent: this is one of its own parents');
    if (this.#ancestors.length >= MAX_DEPTH)
      this.#fail(`a value nested deeper than ${MAX_DEPTH} levels cannot be sent`);
    this.#ancestors.push(value);
    const text = this.#contents(value, key);
    this.#ancestors.pop();
    return text;
  }

  #contents(value: object, key: string): string | undefined {
    if (Array.isArray(value)) return `[${this.#items(value)}]`;
    switch (Object.prototype.toString.call(value)) {
      case '[object Date]':
        return tagged('Date', `"${this.#isoDate(value as Date)}"`);
      case '[object Uint8Array]':
        return tagged('Uint8Array', `[${(value as Uint8Array).join()}]`);
      case '[object Map]':
        return tagged('Map', `[${this.#entries(value as Map<unknown, unknown>)}]`);
      case '[object Set]':
        return tagged('Set', `[${this.#items([...(value as Set<unknown>)])}]`);
      case '[object Number]':
      case '[object String]':
      case '[object Boolean]':
      case '[object BigInt]':
        return this.#value(value.valueOf(), key);
      default:
        return this.#convertible(value, key);
    }
  }

  #convertible(value: object, key: string): string | undefined {
    const toJSON: unknown = Reflect.get(value, 'toJSON');
    if (typeof toJSON !== 'function') return this.#properties(value as Record<string, unknown>);
    const converted: unknown = Reflect.apply(toJSON, value, [key]);
    return converted === value
      ? this.#properties(value as Record<string, unknown>)
      : this.#value(converted, key);
  }

  #properties(value: Record<string, unknown>): string {
    const members: string[] = [];
    let hasTag = false;
    for (const name of Object.keys(value)) {
      this.#steps.push(name);
      const text = this.#value(value[name], name);
      this.#steps.pop();
      if (text === undefined) continue;
      hasTag ||= name === '__type';
      members.push(`${JSON.stringify(name)}:${text}`);
    }
    const text = `{${members.join()}}`;
    return hasTag ? tagged('Object', text) : text;
  }

  #items(items: readonly unknown[]): string {
    return Array.from(items, (item, index) => this.#item(index, item, String(index))).join();
  }

  #entries(map: Map<unknown, unknown>): string {
    return [...map]
      .map(
        ([key, value], index) =>
          `[${this.#item([index, 'key'], key, '0')},${this.#item([index, 'value'], value, '1')}]`,
      )
      .join();
  }

  /** The text of what stands in a place that cannot be left out. */
  #item(step: Step, value: unknown, key: string): string {
    if (value === undefined) return 'null';
    if (typeof value === 'function') this.#fail('a function cannot be sent', step);
    this.#steps.push(step);
    const text = this.#value(value, key) ?? 'null';
    this.#steps.pop();
    return text;
  }

  #isoDate(date: Date): string {
    if (Number.isNaN(Date.prototype.getTime.call(date))) this.#fail('an invalid Date cannot be sent');
    return Date.prototype.toISOString.call(date);
  }

  #fail(problem: string, step?: Step): never {
    throw new SerializationError(
      problem,
      pathText(step === undefined ? this.#steps : [...this.#steps, step]),
    );
  }
}

function tagged(type: string, valueText: string): string {
  return `{"__type":"${type}","value":${valueText}}`;
}
