import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { files, occurrences, read, root, withExtension, written } from './repository.mjs';

const TOP_LEVEL_FILES =
  'ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md Cargo.lock Cargo.toml LICENSE README.md package-lock.json package.json rust-toolchain.toml';
const TOP_LEVEL_FOLDERS = 'core examples scripts sdk tests wasm';
const PURE_CRATES = ['core/protocol', 'core/replay', 'core/orchestrator'];
const REGISTRY_VERSION = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

test('the top level holds what was agreed and nothing else', () => {
  const present = new Set(files.map((path) => path.split('/')[0]).filter((name) => !name.startsWith('.')));
  assert.deepEqual([...present].sort(), `${TOP_LEVEL_FILES} ${TOP_LEVEL_FOLDERS}`.split(' ').sort());
});

test('the deterministic crates have no std and no unsafe code', () => {
  for (const crate of PURE_CRATES) {
    const source = read(`${crate}/src/lib.rs`);
    assert.match(source, /^#!\[no_std\]$/m, crate);
    assert.match(source, /^#!\[forbid\(unsafe_code\)\]$/m, crate);
  }
});

test('the deterministic crates use no map that is seeded at random and no clock', () => {
  const sources = withExtension('.rs').filter((path) =>
    PURE_CRATES.some((crate) => path.startsWith(`${crate}/src/`)),
  );
  assert.deepEqual(
    occurrences(sources, /\bHashMap\b|\bHashSet\b|\bSystemTime\b|\bInstant::now\b|\bstd::(?!fmt::Write)/),
    [],
  );
});

test('unsafe code is forbidden for the whole workspace', () => {
  assert.match(read('Cargo.toml'), /^unsafe_code = "forbid"$/m);
  const manifests = written.filter(
    (path) => path.endsWith('Cargo.toml') && path !== 'Cargo.toml' && path !== 'tests/fuzz/Cargo.toml',
  );
  for (const manifest of manifests) assert.match(read(manifest), /^\[lints\]\nworkspace = true$/m, manifest);
});

test('relative links in the documents lead somewhere', () => {
  const broken = withExtension('.md').flatMap((path) =>
    [...read(path).matchAll(/\]\((?!\w+:|#)([^)#\s]+)(#[^)]*)?\)/g)]
      .map((found) => found[1])
      .filter((target) => !existsSync(join(root, dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  );
  assert.deepEqual(broken, []);
});

test('files that ARCHITECTURE.md names are there', () => {
  const named = [
    ...read('ARCHITECTURE.md').matchAll(/`((?:core|wasm|sdk|tests|scripts|examples)\/[\w./-]+)`/g),
  ];
  assert.ok(named.length > 0);
  const built = /^sdk\/(dist|src\/generated)/;
  const missing = named
    .map((found) => found[1])
    .filter((path) => !built.test(path) && !existsSync(join(root, path)));
  assert.deepEqual(missing, []);
});

test('each of the invariants is written down', () => {
  const section = read('ARCHITECTURE.md').split('## Invariants')[1]?.split('\n## ')[0] ?? '';
  const numbers = [...section.matchAll(/^(\d+)\. /gm)].map((found) => Number(found[1]));
  assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('npm packages are named by one version each', () => {
  const loose = files
    .filter((path) => path.endsWith('package.json'))
    .flatMap((path) => {
      const { dependencies, devDependencies } = JSON.parse(read(path));
      return Object.entries({ ...dependencies, ...devDependencies })
        .filter(([, version]) => !REGISTRY_VERSION.test(version))
        .map(([name, version]) => `${path}: ${name} ${version}`);
    });
  assert.deepEqual(loose, []);
});

test('the lock files know every package, with its checksum', () => {
  const { packages } = JSON.parse(read('package-lock.json'));
  const unsure = Object.entries(packages).filter(
    ([path, entry]) => path.includes('node_modules/') && !entry.link && !entry.integrity,
  );
  assert.deepEqual(
    unsure.map(([path]) => path),
    [],
  );
  const crates = read('Cargo.lock').split('[[package]]').slice(1);
  const unchecked = crates.filter(
    (crate) => crate.includes('\nsource = ') && !crate.includes('\nchecksum = '),
  );
  assert.deepEqual(unchecked, []);
});

test('the published package depends on nothing at run time', () => {
  const { dependencies, peerDependencies, optionalDependencies, scripts } = JSON.parse(
    read('sdk/package.json'),
  );
  assert.deepEqual({ ...dependencies, ...peerDependencies, ...optionalDependencies }, {});
  for (const hook of ['preinstall', 'install', 'postinstall']) assert.equal(scripts?.[hook], undefined, hook);
});
