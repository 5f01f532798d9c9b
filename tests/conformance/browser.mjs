import { ready } from '@flovyn/sdk';

import { runConformance } from './suite.mjs';

/** The adapter of browsers: a page that asks where it came from for its options and reports there. */
const post = (path, body) => fetch(path, { method: 'POST', body });
let problem = '';
try {
  await ready();
  const options = await (await fetch('/options')).json();
  const reports = [];
  await runConformance(options, (outcome) => reports.push(post('/report', JSON.stringify(outcome))));
  await Promise.all(reports);
} catch (error) {
  problem = String(error?.stack ?? error);
}
await post('/end', problem);
