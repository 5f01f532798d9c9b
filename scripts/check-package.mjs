import { cpSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { withConsumer } from './lib/packed.mjs';
import { green, red } from './lib/paint.mjs';
import { inRoot } from './lib/paths.mjs';
import { ensurePackages } from './lib/prepare.mjs';
import { packRelease } from './lib/release.mjs';
import { main, run } from './lib/run.mjs';

const STRICT = { strict: true, skipLibCheck: false, noEmit: true, target: 'ES2022', types: [] };
const NODE = { types: ['node'], typeRoots: [inRoot('node_modules/@types')] };

/** Projects of users whose compiler reads every declaration of the package. */
const CONSUMERS = {
  'types: Node': { ...STRICT, ...NODE, lib: ['ES2022'], module: 'NodeNext' },
  'types: browser': {
    ...STRICT,
    lib: ['ES2022', 'DOM', 'DOM.AsyncIterable'],
    module: 'ESNext',
    moduleResolution: 'bundler',
  },
  'types: strictest': {
    ...STRICT,
    ...NODE,
    lib: ['ES2023'],
    module: 'NodeNext',
    exactOptionalPropertyTypes: true,
  },
};

/** Looks at the packed package as a user's tools would: publint, attw, and the compilers of three projects. */
await main(async () => {
  await ensurePackages('all');
  const { tarball } = await packRelease();
  const results = [
    await check('publint', bin('publint'), ['run', tarball, '--strict', '--pack=false']),
    await check('attw', bin('attw'), [
      tarball,
      '--profile',
      'esm-only',
      '--exclude-entrypoints',
      './core.wasm',
    ]),
  ];
  await withConsumer(tarball, async (folder) => {
    cpSync(inRoot('sdk/test/fixtures/consumer/index.ts'), join(folder, 'index.ts'));
    for (const [name, compilerOptions] of Object.entries(CONSUMERS)) {
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['index.ts'] }));
      results.push(await check(name, inRoot('node_modules/typescript/bin/tsc'), ['-p', folder]));
      results.push(await check(`${name}, older compiler`, olderCompiler(), ['-p', folder]));
    }
  });
  if (results.includes(false)) process.exitCode = 1;
});

async function check(name, program, args) {
  const { code, output } = await run(process.execPath, [program, ...args]);
  console.log(`${name}: ${code === 0 ? green('ok') : red('failed')}`);
  if (code !== 0) console.log(output);
  return code === 0;
}

function bin(name) {
  return inRoot('node_modules/.bin', name);
}

/** The TypeScript 5 that attw brings along: users do not all have the newest. */
function olderCompiler() {
  const fromAttw = createRequire(inRoot('node_modules/@arethetypeswrong/core/package.json'));
  return fromAttw.resolve('typescript/bin/tsc');
}
