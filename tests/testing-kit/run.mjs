import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { withConsumer } from '../../scripts/lib/packed.mjs';
import { dim, green, red } from '../../scripts/lib/paint.mjs';
import { tallyLine } from '../../scripts/lib/parse.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { ensureBuilt, ensurePackages, ensureServer } from '../../scripts/lib/prepare.mjs';
import { packRelease } from '../../scripts/lib/release.mjs';
import { main, run } from '../../scripts/lib/run.mjs';
import { startServer } from '../support/server.mjs';

/**
 * Runs the testing kit, as it would be published and installed, under the four test runners: the cases of cases.mjs on
 * the embedded engine, and in Node also against a server.
 */
const LIMIT_MS = 3 * 60_000;
const installed = (program) => inRoot('node_modules', '.bin', program);
const CASES = 5;
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
