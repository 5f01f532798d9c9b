import assert from 'node:assert/strict';
import { test } from 'node:test';

import { occurrences, read, written } from './repository.mjs';

const SKIP =
  /#\[ignore|\b(it|test|describe)\.(skip|todo|only|fails)\b|\b(it|test|describe)\.(skipIf|runIf)\(|\bskip: /;
const tests = written.filter(
  (path) => /(^|\/)(tests?|conformance)\//.test(path) && /\.(rs|ts|mjs)$/.test(path),
);
const places = occurrences(
  tests.filter((path) => path !== 'tests/tidy/skips.test.mjs'),
  SKIP,
);

/** tests/skips.json: `[{ "file": path, "text": part of the skipping line, "why": the reason }]`. */
const allowed = JSON.parse(read('tests/skips.json'));
const covers = (entry, place) => place.startsWith(`${entry.file}:`) && place.includes(entry.text);

test('every test that may be skipped is listed with its reason', () => {
  assert.deepEqual(
    places.filter((place) => !allowed.some((entry) => covers(entry, place))),
    [],
  );
});

test('the list holds no reason that is no longer needed', () => {
  assert.deepEqual(
    allowed.filter((entry) => !places.some((place) => covers(entry, place))),
    [],
  );
  for (const entry of allowed) assert.ok(entry.why.length > 20, `${entry.file}: say why`);
});
