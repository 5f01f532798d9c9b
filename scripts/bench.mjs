import { cpus } from 'node:os';

import { bold } from './lib/paint.mjs';
import { inRoot } from './lib/paths.mjs';
import { ensureBuilt, ensurePackages, ensureWasmTarget } from './lib/prepare.mjs';
import { main, mustRun, run } from './lib/run.mjs';

const PROGRAMS = ['replay', 'continue', 'suspended', 'cold-start', 'latency', 'throughput', 'transports'];

/** Runs the benchmark programs of tests/bench one after the other, against a release build of the server. */
await main(async () => {
  await ensureWasmTarget();
  await ensurePackages('demo');
  await ensureBuilt();
  await mustRun('cargo', ['build', '--locked', '--release', '-p', 'flovyn-server'], {
    label: 'flovyn-server',
  });
  const targetDir = process.env.CARGO_TARGET_DIR ?? inRoot('target');
  process.env.FLOVYN_SERVER_BIN = `${targetDir}/release/flovyn-server`;
  const processors = cpus();
  console.log(
    bold(`\nNode ${process.version}, ${processors.length} x ${processors[0]?.model ?? 'unknown processor'}`),
  );
  for (const program of PROGRAMS) {
    const { stdout } = await run(process.execPath, [inRoot(`tests/bench/${program}.mjs`)]);
    process.stdout.write(stdout);
  }
});
