import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { SerializationError } from '../src/errors.js';
import { deserialize, JsonSerializer, serialize } from '../src/serde.js';

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

/** Value, its payload, and what comes back where that is not the value itself. */
const both: [name: string, value: unknown, payload: string][] = [
  ['null', null, 'null'],
  ['booleans', [true, false], '[true,false]'],
  ['numbers', [0, 1.5, -1, 1e21, 5e-324], '[0,1.5,-1,1e+21,5e-324]'],
  ['strings', ['', 'ü\u2028"\\\n', '\ud83d\ude00', '\ud800'], '["","ü\u2028\\"\\\\\\n","😀","\\ud800"]'],
  ['key order', { b: 1, a: 2, 10: 3 }, '{"10":3,"b":1,"a":2}'],
  ['nothing inside', [{}, []], '[{},[]]'],
  ['Date', noon, '{"__type":"Date","value":"2026-01-02T12:00:00.123Z"}'],
  ['Date far off', new Date(8.64e15), '{"__type":"Date","value":"+275760-09-13T00:00:00.000Z"}'],
  ['BigInt', -12345678901234567890n, '{"__type":"BigInt","value":"-12345678901234567890"}'],
  ['Uint8Array', new Uint8Array([1, 2, 255]), '{"__type":"Uint8Array","value":[1,2,255]}'],
  ['empty Uint8Array', new Uint8Array(), '{"__type":"Uint8Array","value":[]}'],
  [
    'Map',
    new Map<unknown, unknown>([
      ['a', noon],
      [{ k: 1 }, null],
    ]),
    '{"__type":"Map","value":[["a",{"__type":"Date","value":"2026-01-02T12:00:00.123Z"}],[{"k":1},null]]}',
  ],
  ['Set', new Set([1, 'a', 2n]), '{"__type":"Set","value":[1,"a",{"__type":"BigInt","value":"2"}]}'],
  ['NaN', Number.NaN, '{"__type":"Number","value":"NaN"}'],
  [
    'infinities',
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    '[{"__type":"Number","value":"Infinity"},{"__type":"Number","value":"-Infinity"}]',
  ],
  ['-0', { z: -0 }, '{"z":{"__type":"Number","value":"-0"}}'],
  [
    'a key __type',
    { __type: 'Date', value: 'x' },
    '{"__type":"Object","value":{"__type":"Date","value":"x"}}',
  ],
  [
    'a key __type inside',
    [{ __type: 1, n: 1n }],
    '[{"__type":"Object","value":{"__type":1,"n":{"__type":"BigInt","value":"1"}}}]',
  ],
  [
    'a key __type of our own',
    { __type: 'Object', value: { __type: 'Object', value: 1 } },
    '{"__type":"Object","value":{"__type":"Object","value":{"__type":"Object","value":{"__type":"Object","value":1}}}}',
  ],
  [
    'a key __proto__',
    [JSON.parse('{"__proto__":{"a":1}}'), 1n],
    '[{"__proto__":{"a":1}},{"__type":"BigInt","value":"1"}]',
  ],
  [
    'the same object twice',
    (() => {
      const o = { n: 1n };
      return [o, o];
    })(),
    '[{"n":{"__type":"BigInt","value":"1"}},{"n":{"__type":"BigInt","value":"1"}}]',
  ],
];

test.each(both)('%s goes there and back', (_name, value, payload) => {
  expect(serialize(value)).toBe(payload);
  const back = deserialize(payload);
  expect(back).toStrictEqual(value);
  expect(serialize(back)).toBe(payload);
});

const oneWay: [name: string, value: unknown, payload: string][] = [
  ['undefined', undefined, 'null'],
  ['undefined in an array', [undefined, 1n], '[null,{"__type":"BigInt","value":"1"}]'],
  ['a hole in an array', Array(1), '[null]'],
  ['an undefined property', { a: undefined, b: 1 }, '{"b":1}'],
  ['an undefined property beside a tag', { a: undefined, b: 1n }, '{"b":{"__type":"BigInt","value":"1"}}'],
  ['a function property', { a: () => 1, b: 1 }, '{"b":1}'],
  ['a function property beside a tag', { a: () => 1, b: 1n }, '{"b":{"__type":"BigInt","value":"1"}}'],
  [
    'undefined in a Map and a Set',
    [new Map([[undefined, undefined]]), new Set([undefined])],
    '[{"__type":"Map","value":[[null,null]]},{"__type":"Set","value":[null]}]',
  ],
  ['a key __type that is left out', { __type: undefined, a: 1 }, '{"a":1}'],
  ['a symbol key', { [Symbol('s')]: 1, a: 1n }, '{"a":{"__type":"BigInt","value":"1"}}'],
  [
    'a class instance',
    new Point(1, noon),
    '{"x":1,"y":{"__type":"Date","value":"2026-01-02T12:00:00.123Z"}}',
  ],
  [
    'an object without a prototype',
    Object.assign(Object.create(null), { a: 1n }),
    '{"a":{"__type":"BigInt","value":"1"}}',
  ],
  [
    'an inherited property',
    Object.create({ inherited: 1 }, { own: { value: 1, enumerable: true } }),
    '{"own":1}',
  ],
  ['toJSON', { toJSON: () => ({ n: 1n }) }, '{"n":{"__type":"BigInt","value":"1"}}'],
  [
    'toJSON with its key',
    { k: { toJSON: (key: string) => key }, l: [{ toJSON: (key: string) => key }] },
    '{"k":"k","l":["0"]}',
  ],
  [
    'toJSON that gives nothing',
    { a: { toJSON: () => undefined }, b: [{ toJSON: () => undefined }] },
    '{"b":[null]}',
  ],
  [
    'toJSON that gives itself',
    {
      toJSON() {
        return this;
      },
      a: 1,
    },
    '{"a":1}',
  ],
  ['a URL', new URL('http://localhost/a'), '"http://localhost/a"'],
  ['an Error', Object.assign(new Error('text'), { code: 1 }), '{"code":1}'],
  ['a Buffer', Buffer.from([1]), '{"__type":"Uint8Array","value":[1]}'],
  [
    'boxed primitives',
    [Object(1), Object('a'), Object(false), Object(-0)],
    '[1,"a",false,{"__type":"Number","value":"-0"}]',
  ],
  [
    'values of another realm',
    runInNewContext('({ d: new Date(0), m: new Map([[1, 2]]), b: new Uint8Array(1), p: { a: 1 } })'),
    '{"d":{"__type":"Date","value":"1970-01-01T00:00:00.000Z"},"m":{"__type":"Map","value":[[1,2]]},' +
      '"b":{"__type":"Uint8Array","value":[0]},"p":{"a":1}}',
  ],
];

test.each(oneWay)('%s is written as a value that JSON or a tag can hold', (_name, value, payload) => {
  expect(serialize(value)).toBe(payload);
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
