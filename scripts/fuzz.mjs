import { mkdirSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

import { tallyLine } from './lib/parse.mjs';
import { cacheDir, inRoot } from './lib/paths.mjs';
import { hasProgram, main, mustRun, run } from './lib/run.mjs';

const FOLDER = 'tests/fuzz';
const TARGETS = readdirSync(inRoot(FOLDER, 'fuzz_targets')).map((file) => basename(file, '.rs'));

/** As cargo-fuzz sets them. None of them needs a nightly compiler; without unsafe code no sanitizer is needed either. */
const INSTRUMENTATION = [
  '-Cpasses=sancov-module',
  '-Cllvm-args=-sanitizer-coverage-level=4',
  '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Cllvm-args=-sanitizer-coverage-pc-table',
  '-Cllvm-args=-sanitizer-coverage-trace-compares',
  '--cfg=fuzzing',
].join(' ');

/** Longer inputs find nothing that these do not. */
const INPUT_BYTES_MAX = 1024;

/**
 * Runs the fuzz targets of `tests/fuzz`, all or those that are named, `--seconds` each (default 60). Each begins with
 * the committed corpus and with what earlier runs on this machine found. A C++ compiler is needed for libFuzzer; where
 * there is none, the same properties run as tests over random bytes for as long.
 */
await main(async () => {
  const { values, positionals } = parseArgs({
    options: { seconds: { type: 'string', default: '60' } },
    allowPositionals: true,
  });
  const seconds = Number(values.seconds);
  const unknown = positionals.filter((name) => !TARGETS.includes(name));
  if (!(seconds > 0) || unknown.length > 0) {
    console.error(`usage: node scripts/fuzz.mjs [--seconds N] [${TARGETS.join('|')} ...]`);
    process.exitCode = 2;
    return;
  }
  const targets = positionals.length > 0 ? positionals : TARGETS;
  if (await hasProgram('c++')) await fuzz(targets, seconds);
  else await runAsTests(seconds);
});

async function fuzz(targets, seconds) {
  const folder = await build();
  const waiting = [...targets];
  let [passed, failed] = [0, 0];
  const lane = async () => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      if (await holds(join(folder, target), target, seconds)) passed += 1;
      else failed += 1;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  console.log(tallyLine({ passed, failed, skipped: 0 }));
  process.exitCode = failed > 0 ? 1 : 0;
}

async function build() {
  const host = (await mustRun('rustc', ['-vV'])).stdout.match(/^host: (.+)$/m)[1];
  const args = ['build', '--locked', '--release', '--target', host];
  const env = { RUSTFLAGS: INSTRUMENTATION, CARGO_TARGET_DIR: join(cacheDir, 'fuzz', 'target') };
  await mustRun('cargo', args, { cwd: inRoot(FOLDER), env, label: 'fuzz targets' });
  return join(env.CARGO_TARGET_DIR, host, 'release');
}

async function holds(program, target, seconds) {
  const found = join(cacheDir, 'fuzz', target);
  mkdirSync(found, { recursive: true });
  const options = [`-max_total_time=${seconds}`, `-max_len=${INPUT_BYTES_MAX}`, `-artifact_prefix=${found}-`];
  const args = [found, inRoot(FOLDER, 'corpus', target), ...options, '-print_final_stats=1'];
  const { code, output } = await run(program, args, { label: target });
  if (code !== 0) {
    console.error(output.split('\n').slice(-60).join('\n'));
    return false;
  }
  const runs = output.match(/^stat::number_of_executed_units: *(\d+)$/m)?.[1];
  console.log(`${target}: ${runs} inputs in ${seconds} s hold the property`);
  return true;
}

async function runAsTests(seconds) {
  console.log('There is no C++ compiler for libFuzzer: the properties run as tests over random bytes.');
  const packages = ['flovyn-protocol', 'flovyn-replay'].flatMap((name) => ['-p', name]);
  const env = { FLOVYN_FUZZ_SECONDS: String(seconds) };
  const { code } = await run('cargo', ['test', '--locked', '--release', ...packages, '--test', 'fuzz'], {
    env,
    onLine: (line) => console.log(line),
  });
  console.log(
    tallyLine(code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 }),
  );
  process.exitCode = code;
}
