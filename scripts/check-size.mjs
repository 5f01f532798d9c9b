import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { green, red } from './lib/paint.mjs';
import { inRoot } from './lib/paths.mjs';
import { packRelease } from './lib/release.mjs';
import { main } from './lib/run.mjs';
import { kilobytes, measure } from './lib/sizes.mjs';

/** Prints what the published package weighs beside what `.size-budget.json` allows, in bytes; fails for anything over it. */
await main(async () => {
  const budget = JSON.parse(readFileSync(inRoot('.size-budget.json'), 'utf8'));
  const { dependencies = {} } = JSON.parse(readFileSync(inRoot('sdk/package.json'), 'utf8'));
  const { folder, unpackedSize } = await packRelease();
  const { wasm, ...entries } = measure(join(folder, 'dist'));

  const rows = [['wasm, gzip', wasm.gzip, budget.wasmGzip, kilobytes]];
  for (const [name, { gzip }] of Object.entries(entries))
    rows.push([`${name}, gzip`, gzip, budget.loadedGzip, kilobytes]);
  rows.push(['package, unpacked', unpackedSize, budget.unpacked, kilobytes]);
  rows.push(['runtime dependencies', Object.keys(dependencies).length, budget.dependencies, String]);
  for (const row of rows) print(...row);
  if (rows.some(([, size, allowed]) => !(size <= allowed))) process.exitCode = 1;
});

function print(name, size, allowed, text) {
  const verdict = size <= allowed ? green('ok') : red('over budget');
  console.log(`${name.padEnd(24)}${text(size).padStart(11)} of ${text(allowed).padStart(11)}  ${verdict}`);
}
