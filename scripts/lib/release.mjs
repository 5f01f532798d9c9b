import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { bundlePackage } from './bundle.mjs';
import { packSdk } from './packed.mjs';
import { cacheDir, inRoot } from './paths.mjs';
import { mustRun } from './run.mjs';
import { contentHash } from './stamp.mjs';
import { writeInline } from './wasm.mjs';

/** What every runtime the package supports can read; wasm-opt would otherwise use more. */
const FEATURES = [
  'bulk-memory',
  'mutable-globals',
  'nontrapping-float-to-int',
  'sign-ext',
  'reference-types',
  'multivalue',
];
const WASM = 'generated/core_bg.wasm';

/**
 * Writes the tarball to publish. The package is put together in a folder of its own, because its wasm is smaller than
 * the one that people work with, since wasm-opt takes longer than everything else together; and its modules are joined,
 * while tests look into single ones. Gives what `packSdk` gives.
 */
export async function packRelease() {
  const stage = join(cacheDir, 'release', 'package');
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  const paths = ['package.json', 'dist', 'README.md', 'LICENSE'];
  for (const path of paths) cpSync(inRoot('sdk', path), join(stage, path), { recursive: true });
  const small = readFileSync(await optimised());
  writeFileSync(join(stage, 'dist', WASM), small);
  writeInline(small, join(stage, 'dist/generated/core_inline.js'));
  await bundlePackage(stage);
  return packSdk(stage, join(cacheDir, 'release'));
}

/** The path of the wasm after wasm-opt; the work is done once for each wasm. */
async function optimised() {
  const output = join(
    cacheDir,
    'release',
    `${contentHash([`sdk/dist/${WASM}`, 'scripts/lib/release.mjs'])}.wasm`,
  );
  if (existsSync(output)) return output;
  const features = FEATURES.map((name) => `--enable-${name}`);
  const input = inRoot('sdk/dist', WASM);
  const program = inRoot('node_modules/binaryen/bin/wasm-opt');
  await mustRun(process.execPath, [program, input, '-Os', '--mvp-features', ...features, '-o', output], {
    label: 'wasm-opt',
  });
  return output;
}
