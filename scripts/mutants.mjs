import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { green, red } from './lib/paint.mjs';
import { cacheDir, inRoot } from './lib/paths.mjs';
import { main, mustRun, run, StepFailed } from './lib/run.mjs';

const VERSION = '27.0.0';
const FOLDER = 'core/replay/src';
/** Where commands are matched with events and the cursor moves: a change here that no test notices is dangerous. */
const FILES = [
  'lane',
  'history',
  'intake',
  'inputs',
  'outputs',
  'verbs',
  'cancelling',
  'signalling',
  'patching',
  'tolerance',
  'draft',
  'handles',
  'scopes',
  'machines',
  'machines/*',
];
/** Estimates of memory: a little more or less is as good. */
const ESTIMATES = 'memory_bytes|shrink|replace [>+*] with .* in Handles::remove';
/** The tests that say exactly what comes out. The random ones would only be slower. */
const TESTS = ['--test', 'transcripts', '--test', 'golden'];

/**
 * Changes the matching and cursor code of the replay engine in every small way, one at a time, and runs its tests
 * on each. Fails for a change that no test notices and that `tests/mutants.json` gives no reason for, and for an
 * entry there that is out of date. Names of files (`lane history`) limit the run to those.
 */
await main(async () => {
  const files = chosen(process.argv.slice(2));
  const program = await ensureMutants();
  const output = join(cacheDir, 'mutants');
  rmSync(output, { recursive: true, force: true });
  const only = files.flatMap((file) => ['--file', `${FOLDER}/${file}.rs`]);
  const options = [
    '--package',
    'flovyn-replay',
    '--output',
    output,
    '--timeout',
    '60',
    '--exclude-re',
    ESTIMATES,
  ];
  // 2: some were missed, 3: some ran into an endless loop, which counts as noticed.
  const { code, output: said } = await run(program, ['mutants', ...options, ...only, '--', ...TESTS], {
    label: 'mutants',
  });
  if (![0, 2, 3].includes(code)) throw new StepFailed(`${said}\ncargo mutants ended with code ${code}`);
  report(missed(output), listed(files));
});

function chosen(names) {
  const unknown = names.filter((name) => !existsSync(inRoot(FOLDER, `${name}.rs`)));
  if (unknown.length > 0) throw new StepFailed(`no file of ${FOLDER}: ${unknown.join(', ')}`);
  return names.length > 0 ? names : FILES;
}

async function ensureMutants() {
  const root = join(cacheDir, 'cargo-mutants');
  const program = join(root, 'bin', 'cargo-mutants');
  if (!existsSync(program)) {
    const install = ['install', 'cargo-mutants', '--locked', '--version', VERSION, '--root', root];
    await mustRun('cargo', install, { label: 'cargo-mutants' });
  }
  return program;
}

/** What survived, without the line and column, which change all the time. */
function missed(output) {
  const text = readFileSync(join(output, 'mutants.out', 'missed.txt'), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  return new Set(lines.map((line) => line.replace(/:\d+:\d+:/, ':')));
}

function listed(files) {
  const entries = JSON.parse(readFileSync(inRoot('tests/mutants.json'), 'utf8'));
  const prefixes = files.map((file) => `${FOLDER}/${file.replace('*', '')}`);
  return new Map(
    entries
      .filter(({ mutant }) => prefixes.some((prefix) => mutant.startsWith(prefix)))
      .map(({ mutant, reason }) => [mutant, reason]),
  );
}

function report(survivors, reasons) {
  const unexplained = [...survivors].filter((mutant) => !reasons.has(mutant));
  const outdated = [...reasons.keys()].filter((mutant) => !survivors.has(mutant));
  for (const mutant of unexplained) console.log(`${red('survived')} ${mutant}`);
  for (const mutant of outdated) console.log(`${red('is noticed now')} ${mutant}`);
  console.log(`${survivors.size} survived, ${survivors.size - unexplained.length} of them with a reason`);
  if (unexplained.length + outdated.length > 0) process.exitCode = 1;
  else console.log(green('ok'));
}
