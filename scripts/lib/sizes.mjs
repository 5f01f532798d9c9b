import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { inRoot } from './paths.mjs';

/** The entries for programs; those of the testing kit are not loaded by them. */
export const ENTRIES = ['node', 'file', 'workerd', 'browser', 'inline'];

/**
 * What the wasm weighs, and for each entry all that it loads.
 *
 * @param {string} [dist] the built package
 * @returns {Record<string, { raw: number, gzip: number }>}
 */
export function measure(dist = inRoot('sdk/dist')) {
  const sizes = { wasm: weigh([join(dist, 'generated/core_bg.wasm')]) };
  for (const entry of ENTRIES) sizes[`entry ${entry}`] = weigh(loadedBy(join(dist, 'entry', `${entry}.js`)));
  return sizes;
}

/** `152.3 KB (64.1 KB gzip)`; a KB is 1,000 bytes. */
export function sizeText({ raw, gzip }) {
  return `${kilobytes(raw).padStart(9)} ${`(${kilobytes(gzip)} gzip)`.padStart(16)}`;
}

export function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} KB`;
}

function weigh(files) {
  const contents = [...files].map((file) => readFileSync(file));
  const total = (of) => contents.reduce((sum, content) => sum + of(content), 0);
  return {
    raw: total((content) => content.length),
    gzip: total((content) => gzipSync(content, { level: 9 }).length),
  };
}

/** Every file of the package that comes along when one is loaded: what it imports, and the wasm it reads. */
export function loadedBy(file, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  if (!file.endsWith('.js')) return seen;
  const text = readFileSync(file, 'utf8');
  const named = [...text.matchAll(/(?:\bfrom|\bimport|new URL\()\s*['"](\.[^'"]+)['"]/g)];
  for (const [, path] of named) {
    const target = join(dirname(file), path);
    if (existsSync(target)) loadedBy(target, seen);
  }
  return seen;
}
