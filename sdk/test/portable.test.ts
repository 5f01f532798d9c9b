import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const sdk = fileURLToPath(new URL('..', import.meta.url));
const fixtures = join(sdk, 'test/fixtures');
const forbidden = readdirSync(join(fixtures, 'forbidden'));
const allowed = readdirSync(join(fixtures, 'allowed'));

let folder: string;
let output: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flovyn-portable-'));
  const project = {
    extends: join(sdk, 'tsconfig.portable.json'),
    compilerOptions: { noEmit: true, composite: false, rootDir: sdk },
    files: [
      join(sdk, 'src/runtime/globals.d.ts'),
      ...forbidden.map((name) => join(fixtures, 'forbidden', name)),
      ...allowed.map((name) => join(fixtures, 'allowed', name)),
    ],
    include: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project));
  const tsc = join(sdk, '../node_modules/typescript/bin/tsc');
  output = spawnSync(process.execPath, [tsc, '-p', folder], { cwd: sdk, encoding: 'utf8' }).stdout;
});

afterAll(() => rmSync(folder, { recursive: true }));

test.each(forbidden)('%s does not compile as portable code', (name) => {
  expect(output).toMatch(new RegExp(`forbidden/${name}\\(\\d+,\\d+\\): error`));
});

test.each(allowed)('%s compiles as portable code', (name) => {
  expect(output).not.toContain(`allowed/${name}`);
});
