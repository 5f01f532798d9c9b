import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { inRoot } from './lib/paths.mjs';
import { ensureServer, ensureWasmTarget } from './lib/prepare.mjs';
import { main, mustRun, run } from './lib/run.mjs';
import { startServer } from '../tests/support/server.mjs';

/** Which test program runs where. The runner finds the settings of Chromium itself, in `wasm/webdriver.json`. */
const PLACES = {
  node: { program: 'node', env: { WASM_BINDGEN_TEST_ONLY_NODE: '1' } },
  chrome: {
    program: 'browser',
    env: {
      WASM_BINDGEN_TEST_ONLY_WEB: '1',
      CHROMEDRIVER: process.env.CHROMEDRIVER ?? '/usr/bin/chromedriver',
    },
  },
};

/** In seconds. The defaults, 5 for the driver and 20 for the tests, are too short for a busy machine. */
const TIMEOUTS = { WASM_BINDGEN_TEST_DRIVER_TIMEOUT: '60', WASM_BINDGEN_TEST_TIMEOUT: '120' };

const RUNNER = ['-p', 'flovyn-bindgen', '--features', 'test-runner', '--bin', 'flovyn-test-runner'];
const TESTS = ['-p', 'flovyn-wasm', '--target', 'wasm32-unknown-unknown'];

/**
 * Runs the tests of the wasm crate in `node` or in `chrome`, with a server of their own for those that compare our
 * gRPC-Web with that of another client.
 */
await main(async () => {
  const place = PLACES[process.argv[2]];
  if (place === undefined) {
    console.error(`usage: node scripts/test-wasm.mjs ${Object.keys(PLACES).join('|')}`);
    process.exitCode = 2;
    return;
  }
  await ensureWasmTarget();
  process.env.FLOVYN_SERVER_BIN ??= await ensureServer();
  const runner = await buildRunner();
  process.exitCode = await withServer((url) => runTests(place, runner, url));
});

/** The runner in the version of our lock file, which has to be that of the crate. */
async function buildRunner() {
  await mustRun('cargo', ['build', '--locked', ...RUNNER], { label: 'test runner' });
  const targetDir = process.env.CARGO_TARGET_DIR ?? inRoot('target');
  return join(targetDir, 'debug', 'flovyn-test-runner');
}

async function runTests({ program, env }, runner, serverUrl) {
  const finished = await run('cargo', ['test', '--locked', ...TESTS, '--test', program], {
    env: {
      ...TIMEOUTS,
      ...env,
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: runner,
      FLOVYN_TEST_SERVER_URL: serverUrl,
    },
    onLine: (line) => console.log(line),
  });
  return finished.code;
}

async function withServer(use) {
  const data = mkdtempSync(join(tmpdir(), 'flovyn-wasm-tests-'));
  const server = await startServer({ data });
  try {
    return await use(server.url);
  } finally {
    await server.stop();
    rmSync(data, { recursive: true, force: true });
  }
}
