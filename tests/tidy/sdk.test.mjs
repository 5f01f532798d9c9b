import assert from 'node:assert/strict';
import { test } from 'node:test';

import { occurrences, written } from './repository.mjs';

const sources = written.filter(
  (path) => path.startsWith('sdk/src/') && path.endsWith('.ts') && !path.endsWith('.d.ts'),
);
const portable = sources.filter(
  (path) => !path.startsWith('sdk/src/node/') && !/^sdk\/src\/entry\/(testing-)?(node|file)\.ts$/.test(path),
);

/** Not a comment: examples in docstrings may use anything. */
const isCode = (place) => !/: (\*|\/\/)/.test(place);

test('portable code imports nothing of Node', () => {
  const found = occurrences(portable, /from '(node:|fs|path|http|crypto)|import\('node:|\brequire\(/);
  assert.deepEqual(found.filter(isCode), []);
});

test('only core.ts and the loaders know that wasm exists', () => {
  const others = sources.filter((path) => path !== 'sdk/src/core.ts' && !path.startsWith('sdk/src/entry/'));
  assert.deepEqual(occurrences(others, /generated\/|\bWebAssembly\b/), []);
});

test('only transports call fetch', () => {
  const others = sources.filter(
    (path) => !path.startsWith('sdk/src/transport/') && !path.startsWith('sdk/src/node/'),
  );
  assert.deepEqual(occurrences(others, /(?<![.\w`])fetch\(/).filter(isCode), []);
});

test('nothing is thrown to suspend a workflow', () => {
  assert.deepEqual(occurrences(sources, /throw new WorkflowSuspended/), []);
});
