import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { inRoot } from '../../scripts/lib/paths.mjs';
import { run } from '../../scripts/lib/run.mjs';

const LIMIT_MS = 180_000;
const ESCAPE = '\u001b[';

for (const example of ['basic', 'order-processing', 'subscription']) {
  test(`${example}: npm start prints what its README says`, async () => {
    const readme = readFileSync(inRoot('examples', example, 'README.md'), 'utf8');
    const promised = readme.match(/^```text\n(.*?)^```$/ms)?.[1];
    const { code, stdout, output } = await run('npm', ['start', '--silent'], {
      cwd: inRoot('examples', example),
      limitMs: LIMIT_MS,
    });
    assert.equal(code, 0, output);
    assert.equal(stdout, promised);
  });
}

for (const flags of [[], ['--server']]) {
  test(`the demo ${flags.join(' ')} kills its worker and every step has one effect`, async () => {
    const env = { NO_COLOR: '1' };
    const { code, output } = await run(process.execPath, ['scripts/demo.mjs', ...flags], {
      env,
      limitMs: LIMIT_MS,
    });
    assert.equal(code, 0, output);
    assert.match(output, /KILLED in the middle of/);
    assert.match(output, /TAKES OVER the workflow; it runs again/);
    assert.match(output, /"status":"shipped"/);
    assert.match(output, /"status":"cancelled"/);
    assert.match(output, /had exactly one effect; [1-9] of them took more than one attempt/);
    assert.ok(!output.includes(ESCAPE), 'NO_COLOR is respected');
  });
}

test('the demo is coloured where colours are asked for', async () => {
  const env = { FORCE_COLOR: '1', NO_COLOR: undefined };
  const { output } = await run(process.execPath, ['scripts/demo.mjs'], { env, limitMs: LIMIT_MS });
  assert.ok(output.includes(ESCAPE));
});
