import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { cacheDir, inRoot } from './paths.mjs';
import { mustRun } from './run.mjs';
import { Stamp } from './stamp.mjs';

const CRATES = ['core/protocol', 'core/replay', 'core/orchestrator', 'wasm'];
const INPUTS = [
  ...CRATES,
  'scripts/bindgen',
  'Cargo.toml',
  'Cargo.lock',
  'rust-toolchain.toml',
  'scripts/lib/wasm.mjs',
];
const TARGET = 'wasm32-unknown-unknown';
/** Of CARGO_ENCODED_RUSTFLAGS, so that a path may hold spaces. */
const SEPARATOR = '\u001f';
const BINDGEN = ['run', '--locked', '-p', 'flovyn-bindgen', '--'];

/** Where the glue, its types, the wasm and the wasm as text are put. */
export const generatedDir = inRoot('sdk/src/generated');
const OUTPUTS = ['core.js', 'core.d.ts', 'core_bg.wasm', 'core_inline.js', 'core_inline.d.ts'];

/** Builds the core for wasm and its glue, unless that was done for these very sources. True if there was work. */
export async function buildWasm() {
  const stamp = new Stamp('wasm', INPUTS);
  if (stamp.isFresh && OUTPUTS.every((name) => existsSync(`${generatedDir}/${name}`))) return false;
  stamp.remove();
  const crate = ['build', '--locked', '--profile', 'wasm', '--target', TARGET, '-p', 'flovyn-wasm', '--lib'];
  await mustRun('cargo', crate, { label: 'core for wasm', env: { CARGO_ENCODED_RUSTFLAGS: withoutPaths() } });
  const targetDir = process.env.CARGO_TARGET_DIR ?? inRoot('target');
  const wasm = `${targetDir}/${TARGET}/wasm/flovyn_wasm.wasm`;
  await mustRun('cargo', [...BINDGEN, wasm, generatedDir], { label: 'glue of the core' });
  writeInline(readFileSync(`${generatedDir}/core_bg.wasm`), `${generatedDir}/core_inline.js`);
  writeFileSync(`${generatedDir}/core_inline.d.ts`, 'export declare const wasmGzipBase64: string;\n');
  stamp.write();
  return true;
}

/**
 * Builds a core in which the name `trap-test` traps, as a task kind or as a method, and a copy of `sdk/dist` with it.
 * Gives the folder of that copy.
 */
export async function buildTrapping() {
  const folder = join(cacheDir, 'trapping');
  const stamp = new Stamp('trapping', [...INPUTS, 'sdk/src']);
  if (stamp.isFresh && existsSync(folder)) return folder;
  stamp.remove();
  const crate = [
    'build',
    '--locked',
    '--target',
    TARGET,
    '-p',
    'flovyn-wasm',
    '--lib',
    '--features',
    'trap-test',
  ];
  await mustRun('cargo', crate, { label: 'core that traps' });
  cpSync(inRoot('sdk/dist'), folder, { recursive: true });
  const targetDir = process.env.CARGO_TARGET_DIR ?? inRoot('target');
  const wasm = `${targetDir}/${TARGET}/debug/flovyn_wasm.wasm`;
  await mustRun('cargo', [...BINDGEN, wasm, `${folder}/generated`], { label: 'glue of the core that traps' });
  writeFileSync(`${folder}/package.json`, '{ "type": "module" }\n');
  stamp.write();
  return folder;
}

/** Panic texts name source files: as they are called here, the wasm would differ from machine to machine. */
function withoutPaths() {
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), '.cargo');
  const prefixes = { [`${cargoHome}/registry/src`]: '', [inRoot('.')]: '' };
  return Object.entries(prefixes)
    .map(([from, to]) => `--remap-path-prefix=${from}=${to}`)
    .join(SEPARATOR);
}

/** Writes a module that holds the wasm as text, gzip inside base64, for places where nothing can be read or fetched. */
function writeInline(wasm, file) {
  mkdirSync(dirname(file), { recursive: true });
  const text = gzipSync(wasm, { level: 9 }).toString('base64');
  writeFileSync(file, `export const wasmGzipBase64 = '${text}';\n`);
}
