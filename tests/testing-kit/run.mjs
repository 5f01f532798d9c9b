import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { withConsumer } from '../../scripts/lib/packed.mjs';
import { dim, green, red } from '../../scripts/lib/paint.mjs';
import { tallyLine } from '../../scripts/lib/parse.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { ensureBuilt, ensurePackages, ensureServer } from '../../scripts/lib/prepare.mjs';
import { packRelease } from '../../scripts/lib/release.mjs';
import { killGroup, main, run } from '../../scripts/lib/run.mjs';
import { startServer } from '../support/server.mjs';

/**
 * Runs the testing kit, as it would be published and installed, under the four test runners: the cases of cases.mjs on
 * the embedded engine, and in Node also against a server.
 */
const LIMIT_MS = 3 * 60_000;
const installed = (program) => inRoot('node_modules', '.bin', program);
const CASES = 7;
const CASES_ON_SERVER = 2;
const total = { passed: 0, failed: 0, skipped: 0 };

await main(async () => {
  await ensurePackages('all');
  await ensureBuilt();
  const FLOVYN_SERVER_BIN = process.env.FLOVYN_SERVER_BIN ?? (await ensureServer());
  const { tarball } = await packRelease();
  await withConsumer(tarball, async (folder) => {
    cpSync(inRoot('tests/testing-kit'), folder, { recursive: true });
    const node = (file) => [process.execPath, ['--test', file]];
    const vitest = [inRoot('node_modules/vitest/vitest.mjs'), 'run', '--root', '.', './vitest.test.mjs'];
    await play('vitest', folder, [process.execPath, vitest], CASES);
    await play('node:test', folder, node('node.test.mjs'), CASES);
    const flags = ['--no-prompt', '--cached-only', '--no-check', `--allow-read=${folder}`];
    await play('Deno.test', folder, [installed('deno'), ['test', ...flags, 'deno.test.mjs']], CASES);
    await play('bun:test', folder, [installed('bun'), ['test', './bun.test.mjs']], CASES);
    for (const [how, end] of Object.entries({ 'by itself': 0, SIGTERM: 'SIGTERM' }))
      await leave(folder, how, end, { FLOVYN_SERVER_BIN });
    await withServer(FLOVYN_SERVER_BIN, (env) =>
      play('node:test against a server', folder, node('node.test.mjs'), CASES_ON_SERVER, env),
    );
  });
  console.log(tallyLine(total));
  if (total.failed > 0) process.exitCode = 1;
});

/** Every case says that it ran: a runner that finds none is none that passes. */
async function play(title, folder, [command, args], cases, env = {}) {
  const { code, output } = await run(command, args, { cwd: folder, limitMs: LIMIT_MS, env });
  const ran = new Set([...output.matchAll(/ran: (.+?)\s*$/gm)].map(([, name]) => name)).size;
  const isGood = code === 0 && ran === cases;
  total[isGood ? 'passed' : 'failed'] += 1;
  console.log(isGood ? green(`${title}: ok`) : red(`${title}: failed`), dim(`(${ran} of ${cases} cases)`));
  if (!isGood) console.log(output);
}

/** A process ends that did not stop its harness: the server is gone too, soon. */
async function leave(folder, how, expected, env) {
  const child = spawn(process.execPath, ['left.mjs', how], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const limit = setTimeout(() => killGroup(child.pid), LIMIT_MS);
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  const [code, signal] = await once(child, 'close');
  clearTimeout(limit);
  const port = Number(/port: (\d+)/.exec(output)?.[1]);
  const isGood = (signal ?? code) === expected && port > 0 && (await isGone(port));
  killGroup(child.pid);
  total[isGood ? 'passed' : 'failed'] += 1;
  const title = `a process that ends (${how}) takes the server of its harness with it`;
  console.log(
    isGood ? green(`${title}: ok`) : red(`${title}: failed`),
    dim(`(${signal ?? code}, port ${port})`),
  );
}

async function isGone(port) {
  const endMs = Date.now() + 20_000;
  while (Date.now() < endMs) {
    const answered = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (!answered) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

async function withServer(FLOVYN_SERVER_BIN, use) {
  process.env.FLOVYN_SERVER_BIN = FLOVYN_SERVER_BIN;
  const data = mkdtempSync(join(tmpdir(), 'flovyn-testing-kit-'));
  const server = await startServer({ data });
  try {
    await use({
      FLOVYN_TEST_SERVER_URL: server.url,
      FLOVYN_TEST_ORG_ID: server.orgId,
      FLOVYN_TEST_ORG_SLUG: server.orgSlug,
      FLOVYN_TEST_API_KEY: server.apiKey,
      FLOVYN_TEST_WORKER_TOKEN: server.workerKey,
    });
  } finally {
    await server.stop();
    rmSync(data, { recursive: true, force: true });
  }
}
