import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { dim, green, red } from './lib/paint.mjs';
import { tallyLine } from './lib/parse.mjs';
import { withConsumer } from './lib/packed.mjs';
import { cacheDir, inRoot } from './lib/paths.mjs';
import { ensureBuilt, ensurePackages, ensureServer } from './lib/prepare.mjs';
import { packRelease } from './lib/release.mjs';
import { StepFailed, main, mustRun } from './lib/run.mjs';
import { runtimes } from './lib/runtimes.mjs';

/**
 * Runs the conformance suite in runtimes (all, or those named), each with the SDK as it would be published installed in a fresh folder,
 * embedded and against a `flovyn-server` of its own, both with executions kept in memory between activations and with every
 * one of them replayed each time. Prints one line per case that failed and the total.
 *
 * In Node also with our extensions switched off on either side; and the other transports that it has run one case of each
 * kind. `--transport=NAME` runs all cases over that one, and nothing else.
 */
const ALWAYS_REPLAY = { workflowWorkerOptions: { alwaysReplay: true } };
/** Workers are killed in some cases: what they had claimed must not be out of reach for the usual minute. */
const LEASE_MS = 3_000;
/** Without extensions workers ask again and again. */
const HASTY = { workflowWorkerOptions: { pollIntervalMs: 5 }, taskWorkerOptions: { pollIntervalMs: 5 } };
const OTHER_TRANSPORTS = ['fetch', 'http2'];

const total = { passed: 0, failed: 0, skipped: 0 };

await main(async () => {
  const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  const transport = process.argv.find((argument) => argument.startsWith('--transport='))?.split('=')[1];
  const chosen = names.length > 0 ? names : transport ? ['node'] : Object.keys(runtimes);
  const unknown = chosen.filter((name) => !(name in runtimes));
  if (unknown.length > 0)
    throw new StepFailed(`There is no runtime ${unknown}; there are ${Object.keys(runtimes).join(', ')}`);

  if (transport && chosen.join() !== 'node') throw new StepFailed('Only Node has transports to choose from');

  await ensurePackages('all');
  await ensureBuilt();
  process.env.FLOVYN_SERVER_BIN = await ensureServer();
  for (const project of ['examples/order-processing', 'tests/conformance/program'])
    await mustRun(inRoot('node_modules/.bin/tsc'), ['-p', inRoot(project)]);
  const { tarball } = await packRelease();
  for (const name of chosen) {
    await withConsumer(tarball, async (folder) => {
      cpSync(inRoot('tests/conformance'), folder, { recursive: true });
      cpSync(inRoot('examples/order-processing/dist'), join(folder, 'order'), { recursive: true });
      cpSync(join(cacheDir, 'conformance/program'), join(folder, 'program'), { recursive: true });
      const over = (kind, options) =>
        conform(`${name} over ${kind} against the server`, runtimes[name], folder, {
          ...options,
          transport: kind,
        });
      if (transport) return withServer((options) => over(transport, options));
      await conform(`${name} embedded`, runtimes[name], folder, { embedded: true });
      await conform(`${name} embedded, always replaying`, runtimes[name], folder, {
        embedded: true,
        ...ALWAYS_REPLAY,
      });
      await withServer((options) => conform(`${name} against the server`, runtimes[name], folder, options));
      await withServer((options) =>
        conform(`${name} against the server, always replaying`, runtimes[name], folder, {
          ...options,
          ...ALWAYS_REPLAY,
        }),
      );
      if (name !== 'node') return undefined;
      await withoutExtensions((title, options) =>
        conform(`${name} ${title}`, runtimes[name], folder, { ...options, ...HASTY }),
      );
      for (const kind of OTHER_TRANSPORTS)
        await withServer((options) => over(kind, { ...options, extent: 'one of each' }));
    });
  }
  console.log(tallyLine(total));
  if (total.failed > 0) process.exitCode = 1;
});

/** The extensions switched off on either side, and on both; calls of operators go over REST where there is one. */
async function withoutExtensions(use) {
  await use('embedded, a client without extensions', {
    embedded: true,
    extensions: false,
    lacks: ['extensions', 'operating'],
  });
  const lacks = ['extensions'];
  const overRest = (options) => ({ ...options, lacks, httpUrl: options.serverUrl });
  await withServer((options) =>
    use('against the server, a client without extensions', { ...overRest(options), extensions: false }),
  );
  await withServer(
    (options) => use('against a server without extensions', overRest(options)),
    ['--no-extensions'],
  );
}

async function conform(title, runtime, folder, options) {
  const started = performance.now();
  const outcomes = [];
  let announced;
  const { code, output } = await runtime(folder, options, (line) => {
    const outcome = line.startsWith('{') ? JSON.parse(line) : undefined;
    if (outcome?.done !== undefined) announced = outcome.done;
    else if (outcome) outcomes.push(outcome);
  });
  const failures = outcomes.filter(({ ok }) => !ok);
  for (const { name, error } of failures) console.log(`${red('failed')} ${title}: ${name}\n${indent(error)}`);

  const broken = code !== 0 || announced !== outcomes.length;
  if (broken) {
    console.log(
      `${red('failed')} ${title}: the suite ended early, with code ${code} after ${outcomes.length} cases`,
    );
    console.log(indent(output.split('\n').slice(-40).join('\n')));
  }
  total.passed += outcomes.length - failures.length;
  total.failed += failures.length + (broken ? 1 : 0);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const paint = failures.length > 0 || broken ? red : green;
  console.log(
    paint(`${title}: ${outcomes.length - failures.length} of ${outcomes.length}`),
    dim(`(${seconds} s)`),
  );
}

async function withServer(use, args = []) {
  const { startServer } = await import('../tests/support/server.mjs');
  const data = mkdtempSync(join(tmpdir(), 'flovyn-conformance-'));
  const server = await startServer({ data, leaseMs: LEASE_MS, args });
  try {
    await use({
      serverUrl: server.url,
      orgId: server.orgId,
      workerToken: server.workerKey,
      apiKey: server.apiKey,
    });
  } finally {
    await server.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

function indent(text) {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
