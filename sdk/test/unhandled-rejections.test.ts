import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('./fixtures/unhandled.mjs', import.meta.url));
const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });

test('a failed branch that nobody awaits does not end the process, and is named', () => {
  const { status, stdout, stderr } = run();
  expect(stderr).toContain('nobody handled the rejection of task "failing": TaskFailed: no funds');
  for (const verb of ['ctx.schedule', 'ctx.requestCancellation', 'ctx.set', 'ctx.scope'])
    expect(stderr).toContain(`nobody handled the rejection of ${verb}: `);
  expect(stdout).toContain('alive');
  expect(status).toBe(0);
});

test('other rejections keep the default of the runtime', () => {
  const { status, stdout, stderr } = run('own-error-too');
  expect(stderr).toContain('Error: of the program');
  expect(stdout).not.toContain('alive');
  expect(status).not.toBe(0);
});
