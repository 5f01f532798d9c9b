import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const documents = ['README.md'];
const run = promisify(execFile);

/** The TypeScript blocks of a document, each with what its `console.log(..); // text` lines promise to print. */
function codeBlocks(markdown) {
  return [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => ({
    code,
    promised: [...code.matchAll(/^\s*console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text),
  }));
}

for (const document of documents) {
  const blocks = codeBlocks(await readFile(path.join(root, document), 'utf8'));
  test(`${document} has code`, () => assert.notEqual(blocks.length, 0));
  for (const [index, { code, promised }] of blocks.entries()) {
    test(`${document}, block ${index + 1} compiles, runs and prints what it says`, async () => {
      // Inside the tests package, so that the import of the SDK resolves as it does for a user.
      const folder = await mkdtemp(path.join(root, 'tests/docs/.block-'));
      try {
        await writeFile(path.join(folder, 'block.ts'), code);
        await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
        await compile(folder);
        const { stdout } = await run(process.execPath, [path.join(folder, 'block.js')], { timeout: 30_000 });
        const lines = stdout.split('\n');
        for (const text of promised)
          assert.ok(lines.includes(text), `expected the line ${text} in:\n${stdout}`);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
}

async function compile(folder) {
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    target: 'es2022',
    module: 'nodenext',
    lib: ['es2022'],
    types: ['node'],
    skipLibCheck: false,
  };
  await writeFile(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['block.ts'] }),
  );
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [tsc, '-p', folder]).catch((error) => assert.fail(error.stdout));
}
