import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { cacheDir, inRoot } from './paths.mjs';

const GENERATED = ['node_modules', 'target', 'dist', '.git', '.cache', '.flovyn', 'sdk/src/generated'];

/**
 * One number for the content of files and folders (paths from the top folder). Generated folders below them do
 * not count; what does not exist counts as absent. Dates play no part, so a fresh clone and a checkout agree.
 */
export function contentHash(paths) {
  const hash = createHash('sha256');
  for (const path of paths) addPath(hash, path);
  return hash.digest('hex');
}

/** A note on disk that a step was done for exactly these inputs, so that it is not done again. */
export class Stamp {
  #file;
  #value;

  constructor(name, inputs) {
    this.#file = join(cacheDir, 'stamps', name);
    this.#value = contentHash(inputs);
  }

  get isFresh() {
    return existsSync(this.#file) && readFileSync(this.#file, 'utf8') === this.#value;
  }

  write() {
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, this.#value);
  }

  remove() {
    rmSync(this.#file, { force: true });
  }
}

function addPath(hash, path) {
  const absolute = inRoot(path);
  if (!existsSync(absolute)) {
    hash.update(`absent ${path}\n`);
  } else if (statSync(absolute).isDirectory()) {
    for (const name of readdirSync(absolute).sort()) {
      const child = `${path}/${name}`;
      if (!GENERATED.includes(name) && !GENERATED.includes(child)) addPath(hash, child);
    }
  } else {
    hash.update(`file ${path}\n`);
    hash.update(readFileSync(absolute));
  }
}
