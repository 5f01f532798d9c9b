import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { cacheDir, inRoot } from './paths.mjs';
import { mustRun } from './run.mjs';

const QUIET = ['--ignore-scripts', '--loglevel=error'];

/**
 * Packs `@flovyn/sdk` as it lies in a folder.
 *
 * @returns {Promise<{ tarball: string, files: { path: string, size: number }[], unpackedSize: number }>}
 */
export async function packSdk(folder = inRoot('sdk'), into = join(cacheDir, 'packed')) {
  mkdirSync(into, { recursive: true });
  const packed = await mustRun('npm', ['pack', folder, '--json', `--pack-destination=${into}`, ...QUIET]);
  const [pack] = JSON.parse(packed.stdout);
  return { tarball: join(into, pack.filename), files: pack.files, unpackedSize: pack.unpackedSize };
}

/**
 * Runs `use` in a fresh folder, far from this repository, that has the packed SDK installed and nothing else, as a
 * user's project would. The folder is removed afterwards.
 *
 * @template T
 * @param {(folder: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withConsumer(tarball, use) {
  const folder = mkdtempSync(join(tmpdir(), 'flovyn-consumer-'));
  try {
    const dependencies = { '@flovyn/sdk': `file:${tarball}` };
    const manifest = { name: 'consumer', version: '1.0.0', private: true, type: 'module', dependencies };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
    await mustRun('npm', ['install', '--offline', '--no-audit', '--no-fund', ...QUIET], { cwd: folder });
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
