import { bold, yellow } from './lib/paint.mjs';
import { ensureBrowser, ensurePackages, ensureWasmTarget } from './lib/prepare.mjs';
import { main } from './lib/run.mjs';

/** Prepares a machine for work on the repository. Running it again changes nothing and takes a second. */
await main(async () => {
  console.log(bold('Setting up'));
  await ensureWasmTarget();
  await ensurePackages('all');
  const noBrowser = await ensureBrowser();
  if (!noBrowser) return;
  console.log(yellow(`Browser tests will be skipped: ${noBrowser}`));
  if (process.env.CI === 'true') process.exitCode = 1;
});
