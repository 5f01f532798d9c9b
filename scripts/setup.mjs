import { bold, yellow } from './lib/paint.mjs';
import { ensureBrowser, ensurePackages, ensureWasmTarget } from './lib/prepare.mjs';

/** Prepares a machine for work on the repository. Running it again changes nothing and takes a second. */
console.log(bold('Setting up'));
await ensureWasmTarget();
await ensurePackages('all');
const noBrowser = await ensureBrowser();
if (noBrowser) {
  console.log(yellow(`Browser tests will be skipped: ${noBrowser}`));
  if (process.env.CI === 'true') process.exit(1);
}
