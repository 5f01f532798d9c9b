import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { dim, green, red } from './lib/paint.mjs';
import { tallyLine } from './lib/parse.mjs';
import { cacheDir, inRoot } from './lib/paths.mjs';
import { ensurePackages } from './lib/prepare.mjs';
import { main, mustRun, run, StepFailed } from './lib/run.mjs';

/**
 * Plants each bug of tests/planted-bugs in a copy of what is committed, and requires that the random workflows find it
 * within 2,000 seeds. Arguments are names of bugs. By hand or at night: each bug needs a build of the wasm.
 */
const PATCHES = inRoot('tests/planted-bugs');
const SEEDS_MAX = 2_000;
const LIMIT_MS = 20 * 60_000;
/** Stays between runs, so that not everything is compiled each time. */
const copy = join(cacheDir, 'planted-bugs');

await main(async () => {
  const known = readdirSync(PATCHES).map((file) => file.replace(/\.patch$/, ''));
  const names = process.argv.length > 2 ? process.argv.slice(2) : known;
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new StepFailed(`There is no bug ${unknown}; there are ${known.join(', ')}`);

  await ensurePackages('all');
  await prepareCopy();
  await build();
  const rows = [];
  for (const name of names) rows.push(await findBug(name));
  print(rows);
  const failed = rows.filter(({ seeds }) => seeds === undefined).length;
  console.log(tallyLine({ passed: rows.length - failed, failed, skipped: 0 }));
  if (failed > 0) process.exitCode = 1;
});

/** A worktree with its own link to the SDK in it, and the packages of this one. */
async function prepareCopy() {
  await mustRun('git', ['worktree', 'prune'], { cwd: inRoot() });
  if (existsSync(join(copy, '.git'))) {
    const { stdout } = await mustRun('git', ['rev-parse', 'HEAD'], { cwd: inRoot() });
    await mustRun('git', ['checkout', '--force', '--detach', stdout.trim()], { cwd: copy });
  } else {
    rmSync(copy, { recursive: true, force: true });
    await mustRun('git', ['worktree', 'add', '--detach', copy, 'HEAD'], { cwd: inRoot() });
  }
  const packages = join(copy, 'node_modules');
  rmSync(packages, { recursive: true, force: true });
  mkdirSync(join(packages, '@flovyn'), { recursive: true });
  for (const name of readdirSync(inRoot('node_modules'))) {
    if (name !== '@flovyn') symlinkSync(inRoot('node_modules', name), join(packages, name));
  }
  symlinkSync(join(copy, 'sdk'), join(packages, '@flovyn/sdk'));
}

/** Gives the seed that found it as `seeds`; undefined if none did. */
async function findBug(name) {
  const patch = join(PATCHES, `${name}.patch`);
  const text = readFileSync(patch, 'utf8').split('\n')[0];
  const started = performance.now();
  let seeds;
  try {
    await mustRun('git', ['apply', patch], { cwd: copy });
    await build();
    const args = ['tests/random-workflows/run.mjs', '--seeds', String(SEEDS_MAX), '--stop'];
    const { output } = await run(process.execPath, args, { cwd: copy, limitMs: LIMIT_MS, label: name });
    const found = output.match(/^Seeds that failed: (\d+)/m);
    seeds = found ? Number(found[1]) + 1 : undefined;
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    console.log(error.message);
  } finally {
    await mustRun('git', ['checkout', '--', '.'], { cwd: copy });
  }
  const seconds = (performance.now() - started) / 1000;
  const verdict = seeds === undefined ? red('not found') : green(`found after ${seeds} seeds`);
  console.log(`${name}: ${verdict} ${dim(`${seconds.toFixed(0)} s`)}`);
  return { name, text, seeds };
}

function build() {
  return mustRun(process.execPath, ['scripts/build.mjs'], { cwd: copy, limitMs: LIMIT_MS, label: 'build' });
}

function print(rows) {
  const width = Math.max(...rows.map(({ name }) => name.length));
  console.log(`\n${'bug'.padEnd(width)}  seeds  what it breaks`);
  for (const { name, text, seeds } of rows) {
    console.log(`${name.padEnd(width)}  ${String(seeds ?? '-').padStart(5)}  ${text}`);
  }
}
