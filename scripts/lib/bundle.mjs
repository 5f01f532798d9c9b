import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, transform } from 'esbuild';

const TARGET = 'es2022';

/**
 * Joins the modules of a built package, in place, into one file per entry and few that entries share: to find and read
 * a hundred files costs a program more at its start than what is in them. What entries share stays shared, so that an
 * error thrown by one is an instance of the class that another exports. Declarations stay one per module, as far as an
 * entry leads to them.
 *
 * @param {string} folder of the package, with its package.json and `dist`
 */
export async function bundlePackage(folder) {
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const dist = join(folder, 'dist');
  const scripts = [...new Set(scriptsOf(exports))];
  const { outputFiles, warnings } = await build({
    absWorkingDir: folder,
    entryPoints: scripts,
    outbase: 'dist',
    outdir: 'dist',
    // Beside the entries: a file that is read at run time is named by its place relative to the code that reads it.
    chunkNames: 'entry/shared-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    target: TARGET,
    external: ['node:*', '*.wasm'],
    write: false,
    logLevel: 'silent',
  });
  if (warnings.length > 0) throw new Error(`esbuild warns: ${warnings.map(({ text }) => text).join('; ')}`);
  for (const path of readdirSync(dist, { recursive: true }))
    if (path.endsWith('.js')) rmSync(join(dist, path));
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, await withoutComments(text));
  }
  const declared = declarationsFrom(scripts.map((script) => join(folder, declarationOf(script))));
  for (const path of readdirSync(dist, { recursive: true }))
    if (path.endsWith('.d.ts') && !declared.has(join(dist, path))) rmSync(join(dist, path));
}

/**
 * The same code, still in lines that a debugger can show. The comments are an eighth of what a program loads, and the
 * declarations have those that are for users.
 */
async function withoutComments(code) {
  const options = { format: 'esm', target: TARGET };
  // Only code without white space is written without comments.
  const { code: dense } = await transform(code, { ...options, minifyWhitespace: true });
  return (await transform(dense, options)).code;
}

/** These declarations and all that they lead to. */
function declarationsFrom(entries) {
  const found = new Set(entries);
  for (const path of found) {
    for (const [, module] of readFileSync(path, 'utf8').matchAll(
      /(?:from|import|import\() ?'(\.[^']+\.js)'/g,
    ))
      found.add(join(dirname(path), declarationOf(module)));
  }
  return found;
}

const declarationOf = (script) => script.replace(/\.js$/, '.d.ts');

/** Every script that `exports` of a package.json leads to. */
function scriptsOf(target) {
  if (typeof target === 'string') return target.endsWith('.js') ? [target] : [];
  return Object.values(target).flatMap(scriptsOf);
}
