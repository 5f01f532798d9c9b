import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { SerializationError } from '../src/errors.js';
import { decodeEvents, encodeGetEvents } from '../src/core.js';
import { Method } from '../src/rpc/methods.js';
import { deserialize, JsonSerializer, serialize } from '../src/serde.js';
import { workflow } from '../src/workflow/define.js';
import { world } from './support/world.js';

const payloads = JSON.parse(
  readFileSync(new URL('../../tests/payloads/values.json', import.meta.url), 'utf8'),
) as Record<'thereAndBack' | 'written', Record<string, string>>;

class Point {
  readonly #secret = 1;
  readonly x: number;
  readonly y: Date;
  constructor(x: number, y: Date) {
    this.x = x;
    this.y = y;
  }
  get sum(): number {
    return this.x + this.#secret;
  }
}

const noon = new Date('2026-01-02T12:00:00.123Z');

/** By the names of `tests/payloads/values.json`, where their payloads are. */
const both: [name: string, value: unknown][] = [
  ['null', null],
  ['booleans', [true, false]],
  ['numbers', [0, 1.5, -1, 1e21, 5e-324]],
  ['strings', ['', 'ü\u2028"\\\n', '\ud83d\ude00', '\ud800']],
  ['key order', { b: 1, a: 2, 10: 3 }],
  ['nothing inside', [{}, []]],
  ['Date', noon],
  ['Date far off', new Date(8.64e15)],
  ['BigInt', -12345678901234567890n],
  ['Uint8Array', new Uint8Array([1, 2, 255])],
  ['empty Uint8Array', new Uint8Array()],
  [
    'Map',
    new Map<unknown, unknown>([
      ['a', noon],
      [{ k: 1 }, null],
    ]),
  ],
  ['Set', new Set([1, 'a', 2n])],
  ['NaN', Number.NaN],
  ['infinities', [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
  ['-0', { z: -0 }],
  ['a key __type', { __type: 'Date', value: 'x' }],
  ['a key __type inside', [{ __type: 1, n: 1n }]],
  ['a key __type of our own', { __type: 'Object', value: { __type: 'Object', value: 1 } }],
  ['a key __proto__', [JSON.parse('{"__proto__":{"a":1}}'), 1n]],
  [
    'the same object twice',
    (() => {
      const o = { n: 1n };
      return [o, o];
    })(),
  ],
];

test('every payload of the file that Rust reads too has its value here', () => {
  expect(both.map(([name]) => name)).toEqual(Object.keys(payloads.thereAndBack));
  expect(oneWay.map(([name]) => name)).toEqual(Object.keys(payloads.written));
});

test.each(both)('%s goes there and back', (name, value) => {
  const payload = payloads.thereAndBack[name] ?? '';
  expect(serialize(value)).toBe(payload);
  const back = deserialize(payload);
  expect(back).toStrictEqual(value);
  expect(serialize(back)).toBe(payload);
});

const oneWay: [name: string, value: unknown][] = [
  ['undefined', undefined],
  ['undefined in an array', [undefined, 1n]],
  ['a hole in an array', Array(1)],
  ['an undefined property', { a: undefined, b: 1 }],
  ['an undefined property beside a tag', { a: undefined, b: 1n }],
  ['a function property', { a: () => 1, b: 1 }],
  ['a function property beside a tag', { a: () => 1, b: 1n }],
  ['undefined in a Map and a Set', [new Map([[undefined, undefined]]), new Set([undefined])]],
  ['a key __type that is left out', { __type: undefined, a: 1 }],
  ['a symbol key', { [Symbol('s')]: 1, a: 1n }],
  ['a class instance', new Point(1, noon)],
  ['an object without a prototype', Object.assign(Object.create(null), { a: 1n })],
  ['an inherited property', Object.create({ inherited: 1 }, { own: { value: 1, enumerable: true } })],
  ['toJSON', { toJSON: () => ({ n: 1n }) }],
  ['toJSON with its key', { k: { toJSON: (key: string) => key }, l: [{ toJSON: (key: string) => key }] }],
  ['toJSON that gives nothing', { a: { toJSON: () => undefined }, b: [{ toJSON: () => undefined }] }],
  [
    'toJSON that gives itself',
    {
      toJSON() {
        return this;
      },
      a: 1,
    },
  ],
  ['a URL', new URL('http://localhost/a')],
  ['an Error', Object.assign(new Error('text'), { code: 1 })],
  ['a Buffer', Buffer.from([1])],
  ['boxed primitives', [Object(1), Object('a'), Object(false), Object(-0)]],
  [
    'values of another realm',
    runInNewContext('({ d: new Date(0), m: new Map([[1, 2]]), b: new Uint8Array(1), p: { a: 1 } })'),
  ],
];

test.each(oneWay)('%s is written as a value that JSON or a tag can hold', (name, value) => {
  expect(serialize(value)).toBe(payloads.written[name]);
});

test('payloads pass through the server to the byte, and what is read from it is what was written', async () => {
  const w = world();
  const echo = workflow({ name: 'echo', run: (_ctx, value: unknown) => value });
  const client = await w.client([echo]);
  for (const [name, value] of both) {
    const { handle } = await client.startWorkflow(echo, value);
    expect(await handle.result(), name).toStrictEqual(value);
    const request = encodeGetEvents({
      workflowExecutionId: handle.workflowId,
      afterSequence: 0,
      pageSize: 0,
    });
    const { events } = decodeEvents((await w.engine.unary(Method.GetEvents, request)).body);
    const payload = payloads.thereAndBack[name];
    expect(events[0]?.data, name).toContain(`"input":${payload}`);
    expect(events.at(-1)?.data, name).toBe(`{"output":${payload}}`);
  }
});

function circular(): unknown {
  const order: { items: unknown[] } = { items: [1, { sku: 'a' }, 2] };
  order.items.push({ parent: order });
  return { order };
}

function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = wrap(value);
  return value;
}

const refused: [name: string, value: unknown, path: string, problem: string][] = [
  ['a circular object', circular(), '$.order.items[3].parent', 'circular reference'],
  [
    'a circular Map',
    (() => {
      const m = new Map();
      m.set('a', [m]);
      return { m };
    })(),
    '$.m[0].value[0]',
    'circular',
  ],
  [
    'a circular toJSON',
    (() => {
      const o = { toJSON: () => ({ o }) };
      return o;
    })(),
    '$.o',
    'circular',
  ],
  ['a function', () => 1, '$', 'function'],
  ['a function in an array', { order: { items: [1, 2, 3, () => 1] } }, '$.order.items[3]', 'function'],
  ['a function in a Set', new Set([() => 1]), '$[0]', 'function'],
  ['a function as key of a Map', new Map([[() => 1, 1]]), '$[0].key', 'function'],
  ['a symbol', Symbol('s'), '$', 'symbol'],
  ['a symbol property', { 'two words': { ok_1: Symbol('s') } }, '$["two words"].ok_1', 'symbol'],
  ['an invalid Date', { at: [new Date(Number.NaN)] }, '$.at[0]', 'invalid Date'],
  ['too deep arrays', nested(501, (inner) => [inner]), `$${'[0]'.repeat(500)}`, 'deeper than 500 levels'],
  [
    'far too deep objects',
    nested(1_000_000, (a) => ({ a })),
    `$${'.a'.repeat(500)}`,
    'deeper than 500 levels',
  ],
  [
    'a getter that throws',
    {
      a: {
        get b(): never {
          throw new Error('not now');
        },
      },
    },
    '$.a.b',
    'not now',
  ],
];

test.each(refused)('%s is refused', (_name, value, path, problem) => {
  const error = thrownBy(() => serialize(value));
  expect(error).toBeInstanceOf(SerializationError);
  expect(error).toMatchObject({ code: 'SERIALIZATION', path });
  expect(error.message).toContain(problem);
  expect(error.message.endsWith(` (at ${path})`)).toBe(true);
});

test.each([
  ['arrays', (inner: unknown) => [inner]],
  ['objects', (inner: unknown) => ({ a: inner, n: 1n })],
  ['maps', (inner: unknown) => new Map([['a', inner]])],
  ['escaped objects', (inner: unknown) => ({ __type: inner })],
])('500 levels of %s go there and back', (_name, wrap) => {
  const value = nested(500, wrap);
  expect(serialize(deserialize(serialize(value)))).toBe(serialize(value));
});

const unreadable: [name: string, payload: string, path: string, problem: string][] = [
  ['no JSON', '{"a":', '$', 'expected a payload of JSON text, got {"a":'],
  ['a long text that is no JSON', 'x'.repeat(1_000), '$', '(1000 characters)'],
  [
    'a Date that is none',
    '{"at":{"__type":"Date","value":"soon"}}',
    '$.at',
    'expected the value of a Date to be an ISO 8601 time, got "soon"',
  ],
  ['a Date of a number', '[{"__type":"Date","value":0}]', '$[0]', 'got 0'],
  ['a BigInt with a fraction', '{"__type":"BigInt","value":"1.5"}', '$', 'got "1.5"'],
  ['bytes as base64', '{"__type":"Uint8Array","value":"AAEC"}', '$', 'an array of bytes, got "AAEC"'],
  ['bytes out of range', '{"__type":"Uint8Array","value":[256]}', '$', 'got [256]'],
  ['an ordinary Number', '{"__type":"Number","value":"1"}', '$', 'got "1"'],
  ['a Map of no pairs', '{"__type":"Map","value":[["a"]]}', '$', 'an array of pairs'],
  ['a Set of no array', '{"__type":"Set","value":{}}', '$', 'an array, got {}'],
  ['an Object of no object', '{"__type":"Object","value":[]}', '$', 'an object, got []'],
  [
    'far too deep',
    `${'['.repeat(5_000)}{"__type":"Set","value":[]}${']'.repeat(5_000)}`,
    `$${'[0]'.repeat(1_000)}`,
    'at most',
  ],
];

test.each(unreadable)('%s cannot be read', (_name, payload, path, problem) => {
  const error = thrownBy(() => deserialize(payload));
  expect(error).toBeInstanceOf(SerializationError);
  expect(error).toMatchObject({ path });
  expect(error.message).toContain(problem);
});

test.each([
  [
    'an unknown tag',
    '{"__type":"Duration","value":{"__type":"BigInt","value":"1"}}',
    { __type: 'Duration', value: 1n },
  ],
  [
    'a tag with more beside it',
    '{"__type":"Date","value":"x","more":1}',
    { __type: 'Date', value: 'x', more: 1 },
  ],
  ['a tag without a value', '{"__type":"Date"}', { __type: 'Date' }],
  ['a tag that is no text', '{"__type":1,"value":2}', { __type: 1, value: 2 }],
  ['a tag whose key is escaped', '{"\\u005f\\u005ftype":"BigInt","value":"1"}', 1n],
  ['the empty text', '', null],
  ['blanks around', ' 1\n', 1],
])('%s is read as it stands', (_name, payload, value) => {
  expect(deserialize(payload)).toStrictEqual(value);
});

test('what was parsed does not reach a prototype', () => {
  const value = deserialize<Record<string, unknown>>('{"__proto__":{"n":{"__type":"BigInt","value":"1"}}}');
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(Object.getOwnPropertyDescriptor(value, '__proto__')?.value).toEqual({ n: 1n });
});

test('JsonSerializer is the two functions', () => {
  const serializer = new JsonSerializer();
  expect(serializer.serialize({ n: 1n })).toBe(serialize({ n: 1n }));
  expect(serializer.deserialize(serialize({ n: 1n }))).toEqual({ n: 1n });
  expect(serializer.deserialize('')).toBeNull();
});

function thrownBy(act: () => unknown): Error {
  try {
    return expect.fail(`expected an error, got ${String(act())}`);
  } catch (error) {
    return error as Error;
  }
}
