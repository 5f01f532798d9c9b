import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const GENERATED = [
  /(^|\/)generated\//,
  /^(package-lock\.json|Cargo\.lock)$/,
  /^LICENSE$/,
  /^tests\/fuzz\/corpus\//,
  /^tests\/fuzz\/Cargo\.lock$/,
];

/** Paths of all files that are in the repository or are about to be, from its top. */
export const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
})
  .toString()
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)));

/** The files that people write. */
export const written = files.filter((path) => !GENERATED.some((pattern) => pattern.test(path)));

export const read = (path) => readFileSync(join(root, path), 'utf8');

export const withExtension = (...extensions) =>
  written.filter((path) => extensions.some((end) => path.endsWith(end)));

/** Every place where a pattern occurs, as `path:line: text`. */
export function occurrences(paths, pattern) {
  return paths.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}
