import { inRoot } from './lib/paths.mjs';
import { main, mustRun } from './lib/run.mjs';

/** Formats Rust and everything that Biome can. */
await main(async () => {
  await mustRun('cargo', ['fmt', '--all']);
  const { output } = await mustRun(process.execPath, [
    inRoot('node_modules/@biomejs/biome/bin/biome'),
    'format',
    '--write',
    '.',
  ]);
  console.log(output.trim());
});
