import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = path.join(root, 'sdk/src');
const run = promisify(execFile);

/** What examples may take for granted: things that a reader has, or can imagine. */
const GIVEN = {
  client: 'sdk.FlovynClient',
  ctx: 'sdk.WorkflowContext',
  order: '{ id: string }',
  reminder: 'sdk.WorkflowDefinition<{ to: string }, string>',
  sendMail: 'sdk.TaskDefinition<{ id: string }, string>',
  ...Object.fromEntries(
    ['reserve', 'release', 'charge'].map((name) => [name, 'sdk.TaskDefinition<{ id: string }, string>']),
  ),
};
const COMPILER_OPTIONS = {
  strict: true,
  noEmit: true,
  target: 'es2022',
  module: 'nodenext',
  lib: ['es2023'],
  types: ['node'],
  skipLibCheck: false,
};

test('the code of docstrings compiles', async () => {
  // Inside the tests package, so that the import of the SDK resolves as it does for a user.
  const folder = await mkdtemp(path.join(root, 'tests/docs/.docstrings-'));
  try {
    const files = [];
    for (const { file, line, code } of await codeBlocks()) {
      files.push(`${file.replaceAll(/\W/g, '-')}-${line}.ts`);
      await writeFile(path.join(folder, files.at(-1)), await complete(code));
    }
    assert.notEqual(files.length, 0);
    await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
    const config = { compilerOptions: COMPILER_OPTIONS, files };
    await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    await run(process.execPath, [tsc, '-p', folder]).catch((error) => assert.fail(error.stdout));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** Every block of TypeScript in a docstring of the SDK. */
async function codeBlocks() {
  const blocks = [];
  for (const file of await readdir(sources, { recursive: true })) {
    if (!file.endsWith('.ts') || file.startsWith('generated')) continue;
    const text = await readFile(path.join(sources, file), 'utf8');
    for (const found of text.matchAll(/^ *\* ```ts\n(.*?)^ *\* ```$/gms)) {
      const line = text.slice(0, found.index).split('\n').length;
      blocks.push({ file, line, code: found[1].replaceAll(/^ *\* ?/gm, '') });
    }
  }
  return blocks;
}

/** A module of a block: with the imports that it leaves to the reader, and what it takes for granted. */
async function complete(code) {
  const entries = code.includes("from '@flovyn/sdk") ? [] : ['@flovyn/sdk', ...(await testing())];
  const imports = [];
  for (const entry of entries) {
    const names = Object.keys(await import(entry)).filter((name) => isUsed(code, name));
    const taken = names.filter((name) => !imports.some(([, others]) => others.includes(name)));
    if (taken.length > 0) imports.push([entry, taken]);
  }
  const given = Object.entries(GIVEN).filter(([name]) => isUsed(code, name) && !isDeclared(code, name));
  return [
    "import type * as sdk from '@flovyn/sdk';",
    ...imports.map(([entry, names]) => `import { ${names.join(', ')} } from '${entry}';`),
    ...(isUsed(code, 'readFile') ? ["import { readFile } from 'node:fs/promises';"] : []),
    ...(isUsed(code, 'assert') ? ["import assert from 'node:assert/strict';"] : []),
    ...given.map(([name, type]) => `declare const ${name}: ${type};`),
    code,
    'export type { sdk };',
  ].join('\n');
}

async function testing() {
  const { exports } = JSON.parse(await readFile(path.join(root, 'sdk/package.json'), 'utf8'));
  return './testing' in exports ? ['@flovyn/sdk/testing'] : [];
}

const isUsed = (code, name) => new RegExp(`(?<![.\\w])${name}\\b(?!\\s*:)`).test(code);
const isDeclared = (code, name) =>
  new RegExp(`^(?:export )?(?:const|let|function) ${name}\\b`, 'm').test(code);
