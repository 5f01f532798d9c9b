import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { bundlePackage } from './bundle.mjs';
import { packSdk } from './packed.mjs';
import { cacheDir, inRoot } from './paths.mjs';

/**
 * Writes the tarball to publish. The package is put together in a folder of its own, because its modules are joined,
 * while tests look into single ones. Gives what `packSdk` gives, and the folder.
 *
 * The wasm goes in as the compiler left it: wasm-opt makes it 9 % smaller, and 5 % larger once it is compressed.
 */
export async function packRelease() {
  const folder = join(cacheDir, 'release', 'package');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const paths = ['package.json', 'dist', 'README.md', 'LICENSE'];
  for (const path of paths) cpSync(inRoot('sdk', path), join(folder, path), { recursive: true });
  await bundlePackage(folder);
  return { folder, ...(await packSdk(folder, join(cacheDir, 'release'))) };
}
