import { bold } from './lib/paint.mjs';
import { inRoot } from './lib/paths.mjs';
import { ensureBuilt, ensurePackages, ensureServer, ensureWasmTarget } from './lib/prepare.mjs';
import { StepFailed, main, mustRun } from './lib/run.mjs';

/**
 * Shows an order that survives the death of its worker. On a fresh clone it first installs and builds what it needs.
 *
 * `--server` runs it against `flovyn-server` with the worker in a process of its own.
 */
await main(async () => {
  const flags = process.argv.slice(2);
  const onServer = flags.includes('--server');
  if (flags.some((flag) => flag !== '--server')) {
    throw new StepFailed(`The demo knows the flag --server, not ${flags.join(' ')}`);
  }
  console.log(bold('Preparing'));
  await ensureWasmTarget();
  await ensurePackages('demo');
  await ensureBuilt();
  if (onServer) process.env.FLOVYN_SERVER_BIN = await ensureServer();
  await mustRun('node', [
    inRoot('node_modules/typescript/bin/tsc'),
    '-p',
    inRoot('examples/order-processing'),
  ]);

  // Imported only now: what they import has just been built.
  const play = onServer
    ? (await import('./demo/server.mjs')).playOnServer
    : (await import('./demo/embedded.mjs')).playEmbedded;
  if (!(await play())) process.exitCode = 1;
});
