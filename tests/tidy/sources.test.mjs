import assert from 'node:assert/strict';
import { test } from 'node:test';

import { occurrences, read, withExtension, written } from './repository.mjs';

const LINES_MAX = 500;
const SELF = 'tests/tidy/sources.test.mjs';
const code = withExtension('.rs', '.ts', '.mjs', '.js', '.proto').filter((path) => path !== SELF);
const prose = withExtension('.md');

test(`no source file is longer than ${LINES_MAX} lines`, () => {
  const wireContract = 'core/protocol/proto/flovyn.proto'; // one contract, one file, as its readers expect
  const long = code
    .filter((path) => path !== wireContract)
    .map((path) => [path, read(path).split('\n').length - 1])
    .filter(([, lines]) => lines > LINES_MAX);
  assert.deepEqual(long, []);
});

test('nothing is left to do in a comment', () => {
  assert.deepEqual(
    occurrences([...code, ...prose], /\b(TODO|FIXME|XXX|HACK)\b|\b(todo|unimplemented)!\(/),
    [],
  );
});

test('no path of one machine', () => {
  const config = withExtension('.json', '.toml', '.yml', '.sh');
  assert.deepEqual(
    occurrences([...code, ...prose, ...config], /(^|[\s"'`(=])(\/work\/|\/root\/|\/home\/\w)|\.\.\/shared\b/),
    [],
  );
});

test('no debugging is left behind', () => {
  const isProgram = (path) => /^(scripts|tests|examples)\//.test(path) || path.startsWith('sdk/src/cli/');
  const library = code.filter(
    (path) => path.endsWith('.ts') && !isProgram(path) && path !== 'sdk/src/logger.ts',
  );
  assert.deepEqual(occurrences(library, /\bconsole\.\w+\(|\bdebugger\b/), []);
});

test('no words that mean something else elsewhere', () => {
  // Left: the word of another product; right: ours, as the glossary has it.
  const words = {
    'activit(y|ies)': 'task',
    'workflow task': 'activation',
    'decision task': 'activation',
    isolate: 'worker',
  };
  const ours = [...code, ...prose].filter((path) => /^(core|wasm|sdk|examples)\//.test(path));
  for (const [word, better] of Object.entries(words)) {
    assert.deepEqual(occurrences(ours, new RegExp(`\\b${word}\\b`, 'i')), [], `say "${better}"`);
  }
});

test('text files end with one newline and have no trailing blanks', () => {
  const texts = [...code, ...prose, ...withExtension('.toml', '.json')].filter(
    (path) => !path.startsWith('tests/histories/'),
  );
  assert.deepEqual(occurrences(texts, /[ \t]+$/), []);
  assert.deepEqual(
    texts.filter((path) => read(path) !== '' && !/[^\n]\n$/.test(read(path))),
    [],
  );
});

test('file names are lower case, apart from those that the world writes in capitals', () => {
  const capitals = /(^|\/)(README|ARCHITECTURE|CONTRIBUTING|CHANGELOG)\.md$|(^|\/)Cargo\.toml$/;
  assert.deepEqual(
    written.filter((path) => /[A-Z]/.test(path) && !capitals.test(path)),
    [],
  );
});
