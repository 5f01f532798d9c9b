import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';

import { bold, dim } from './lib/paint.mjs';
import { inRoot } from './lib/paths.mjs';
import { ensurePackages } from './lib/prepare.mjs';
import { packRelease } from './lib/release.mjs';
import { main, mustRun } from './lib/run.mjs';
import { measure, sizeText } from './lib/sizes.mjs';
import { Stamp } from './lib/stamp.mjs';
import { buildWasm, generatedDir } from './lib/wasm.mjs';

const dist = inRoot('sdk/dist');
const PROJECTS = ['sdk/tsconfig.portable.json', 'sdk/tsconfig.node.json'];
/** npm packs them only from the folder of the package. */
const DOCUMENTS = ['README.md', 'LICENSE'];
const SOURCES = ['sdk/src', 'sdk/src/generated', 'sdk/tsconfig.base.json', ...PROJECTS];
const INPUTS = [...SOURCES, ...DOCUMENTS, 'package-lock.json', 'scripts/build.mjs'];
const GENERATED = ['core.js', 'core.d.ts', 'core_bg.wasm', 'core_inline.js', 'core_inline.d.ts'];

/**
 * Builds `sdk/dist`: the core as wasm with its glue, then the TypeScript. What was built from the same sources is not
 * built again.
 *
 * `--pack` also writes the tarball to publish, its modules joined, to `.cache/release`.
 */
await main(async () => {
  await step('core', buildWasm);
  await step('sdk', buildTypeScript);
  for (const [name, size] of Object.entries(measure())) console.log(`  ${name.padEnd(14)}${sizeText(size)}`);
  if (!process.argv.includes('--pack')) return;
  await ensurePackages('all');
  await step('release', packRelease);
});

async function buildTypeScript() {
  const stamp = new Stamp('typescript', INPUTS);
  if (stamp.isFresh && existsSync(`${dist}/entry/node.js`)) return false;
  stamp.remove();
  for (const name of DOCUMENTS) copyFileSync(inRoot(name), inRoot('sdk', name));
  // A file whose source is gone must not stay and be packed.
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(`${dist}/generated`, { recursive: true });
  for (const name of GENERATED) copyFileSync(`${generatedDir}/${name}`, `${dist}/generated/${name}`);
  await mustRun(process.execPath, [inRoot('node_modules/typescript/bin/tsc'), '--build', ...PROJECTS], {
    label: 'tsc',
  });
  stamp.write();
  return true;
}

async function step(name, work) {
  const started = performance.now();
  const outcome = (await work()) ? 'built' : 'current';
  console.log(`${bold(name)} ${outcome} ${dim(`${((performance.now() - started) / 1000).toFixed(1)} s`)}`);
}
