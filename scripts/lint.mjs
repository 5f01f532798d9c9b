import { existsSync, readdirSync } from 'node:fs';

import { green, red } from './lib/paint.mjs';
import { tallyLine } from './lib/parse.mjs';
import { inRoot } from './lib/paths.mjs';
import { ensureBuilt } from './lib/prepare.mjs';
import { main, run } from './lib/run.mjs';

/** Incremental builds of the compiler overlook changed globals. */
const FRESH = ['--noEmit', '--composite', 'false', '--incremental', 'false'];

/** Checks formatting, lint and types of both languages; a warning counts as a failure. */
await main(async () => {
  await ensureBuilt();
  const count = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, command, args] of checks()) {
    const { code, output } = await run(command, args, { label: name });
    console.log(`${name}: ${code === 0 ? green('ok') : red('failed')}`);
    if (code !== 0) console.log(output);
    count[code === 0 ? 'passed' : 'failed'] += 1;
  }
  console.log(tallyLine(count));
  if (count.failed > 0) process.exitCode = 1;
});

function checks() {
  return [
    ['rustfmt', 'cargo', ['fmt', '--all', '--check']],
    ['clippy', 'cargo', ['clippy', '--locked', '--workspace', '--all-targets', '--', '--deny=warnings']],
    node('biome', '@biomejs/biome/bin/biome', ['format', '--error-on-warnings', '.']),
    node('oxlint', 'oxlint/bin/oxlint', ['--type-aware', '--deny-warnings', '.']),
    ...projects().map((path) => node(`tsc ${path}`, 'typescript/bin/tsc', ['--project', path, ...FRESH])),
  ];
}

/** Every TypeScript project of the repository that has files of its own. */
function projects() {
  const examples = readdirSync(inRoot('examples')).map((name) => `examples/${name}/tsconfig.json`);
  const sdk = ['portable', 'node', 'test'].map((name) => `sdk/tsconfig.${name}.json`);
  return [
    ...sdk,
    'tests/conformance/program/tsconfig.json',
    ...examples.filter((path) => existsSync(inRoot(path))),
  ];
}

function node(name, program, args) {
  return [name, process.execPath, [inRoot('node_modules', program), ...args]];
}
