import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { cacheDir, inRoot } from './paths.mjs';

const MINUTE_MS = 60_000;
const DEFAULT_LIMIT_MS = 10 * MINUTE_MS;

/**
 * What `npm test` runs, in order: cheap and telling first. `parse` names the parser of parse.mjs; `quick` suites
 * also run for `npm run verify`; `needs` names what a machine may lack.
 *
 * @typedef {{ name: string, command: string, args: string[], parse: string, quick?: boolean, needs: ('browser' | 'server')[],
 *   limitMs: number, reportFile?: string, env?: Record<string, string> }} Suite
 * @type {Suite[]}
 */
export const suites = [
  tapSuite('tidy', 'tests/tidy', { quick: true }),
  script('lint', 'scripts/lint.mjs', { parse: 'tally', quick: true }),
  suite('rust', 'cargo', ['test', '--workspace', '--locked'], {
    parse: 'cargo',
    quick: true,
    limitMs: 20 * MINUTE_MS,
  }),
  suite('simulation', 'cargo', ['run', '--locked', '--profile', 'simulation', '-p', 'flovyn-simulation'], {
    parse: 'tally',
    limitMs: 20 * MINUTE_MS,
  }),
  script('fuzz', 'scripts/fuzz.mjs', { parse: 'tally', limitMs: 20 * MINUTE_MS }),
  suite('generated code', 'cargo', ['run', '--locked', '-q', '-p', 'flovyn-proto-gen', '--', '--check'], {}),
  script('no_std', 'scripts/check-no-std.mjs', {}),
  script('wasm imports', 'scripts/check-wasm-imports.mjs', {}),
  script('sizes', 'scripts/check-size.mjs', {}),
  vitestSuite('sdk', 'sdk', { quick: true }),
  script('random workflows', 'tests/random-workflows/run.mjs', { parse: 'tally' }),
  script('semantics', 'tests/semantics/run.mjs', { parse: 'tally', needs: ['server'] }),
  script('wasm in node', 'scripts/test-wasm.mjs', {
    args: ['node'],
    parse: 'cargo',
    limitMs: 20 * MINUTE_MS,
  }),
  script('wasm in chrome', 'scripts/test-wasm.mjs', { args: ['chrome'], parse: 'cargo', needs: ['browser'] }),
  script('public API', 'scripts/api-report.mjs', { parse: 'tally', quick: true }),
  script('package', 'scripts/check-package.mjs', {}),
  tapSuite('packaging', 'tests/packaging', {}),
  ...['node', 'deno', 'bun', 'workerd'].map((runtime) => conformanceSuite(runtime, ['server'])),
  conformanceSuite('browser', ['server', 'browser']),
  script('testing kit', 'tests/testing-kit/run.mjs', { parse: 'tally', needs: ['server'] }),
  vitestSuite('bad input', 'tests/bad-input', { needs: ['server'] }),
  tapSuite('streams', 'tests/streams', { needs: ['server'] }),
  tapSuite('traps', 'tests/traps', { needs: ['server'] }),
  script('kills', 'tests/kills/run.mjs', { parse: 'tally', limitMs: 20 * MINUTE_MS, needs: ['server'] }),
  tapSuite('worker', 'tests/worker', { needs: ['server'] }),
  script('load', 'tests/load/run.mjs', { args: ['--smoke'], parse: 'tally', needs: ['server'] }),
  tapSuite('examples', 'tests/examples', { needs: ['server'] }),
  tapSuite('docs', 'tests/docs', {}),
];

function suite(name, command, args, options) {
  return { name, command, args, parse: 'check', needs: [], limitMs: DEFAULT_LIMIT_MS, ...options };
}

function script(name, path, { args = [], ...options }) {
  return suite(name, process.execPath, [path, ...args], options);
}

function conformanceSuite(runtime, needs) {
  return script(`conformance ${runtime}`, 'scripts/conformance.mjs', {
    args: [runtime],
    parse: 'tally',
    needs,
  });
}

/** The files are named one by one: what a folder means to `node --test` changes from version to version. */
function tapSuite(name, folder, options) {
  const names = existsSync(inRoot(folder)) ? readdirSync(inRoot(folder)) : [];
  const files = names.filter((file) => file.endsWith('.test.mjs')).map((file) => `${folder}/${file}`);
  return suite(name, process.execPath, ['--test', '--test-concurrency=1', '--test-reporter=tap', ...files], {
    parse: 'tap',
    ...options,
  });
}

function vitestSuite(name, folder, options) {
  const reportFile = join(cacheDir, 'reports', `${name.replaceAll(' ', '-')}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--root', folder, ...reporters];
  return suite(name, process.execPath, args, { parse: 'vitest', reportFile, ...options });
}
