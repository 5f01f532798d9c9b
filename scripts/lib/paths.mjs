import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top folder of the repository. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Joins path segments below the top folder. */
export const inRoot = (...segments) => join(root, ...segments);

/** Scratch space that survives a run and may be deleted at any time: stamps, logs, packed tarballs. */
export const cacheDir = inRoot('.cache');
