import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { withConsumer } from '../../scripts/lib/packed.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { packRelease } from '../../scripts/lib/release.mjs';
import { run } from '../../scripts/lib/run.mjs';
import { ENTRIES, loadedBy } from '../../scripts/lib/sizes.mjs';

const { exports } = JSON.parse(readFileSync(inRoot('sdk/package.json'), 'utf8'));
const entries = Object.keys(exports).filter((entry) => !entry.endsWith('.json') && !entry.endsWith('.wasm'));
const specifier = (entry) => `@flovyn/sdk${entry.slice(1)}`;

let packed;
let folder;
let leave;
let left;

before(async () => {
  packed = await packRelease();
  await new Promise((installed, failed) => {
    left = withConsumer(packed.tarball, (path) => {
      folder = path;
      installed();
      return new Promise((resolve) => {
        leave = resolve;
      });
    }).catch(failed);
  });
});

after(async () => {
  leave?.();
  await left;
});

test('the tarball holds what runs and what describes it, and nothing else', () => {
  const paths = packed.files.map(({ path }) => path);
  const strange = paths.filter(
    (path) => !/^(package\.json|README\.md|LICENSE|dist\/.+\.(js|d\.ts|wasm))$/.test(path),
  );
  assert.deepEqual(strange, []);
  for (const path of ['LICENSE', 'README.md', 'package.json'])
    assert.ok(paths.includes(path), `${path} is missing`);
  const untyped = paths.filter(
    (path) => /(?<!\/shared-\w+)\.js$/.test(path) && !paths.includes(path.replace(/\.js$/, '.d.ts')),
  );
  assert.deepEqual(untyped, []);
  // Of declarations only those that a program can get to.
  assert.ok(paths.includes('dist/workflow/context-types.d.ts') && !paths.includes('dist/core.d.ts'));
});

test('its modules are joined: a program that starts reads few files', () => {
  for (const entry of ENTRIES) {
    const files = [...loadedBy(join(packed.folder, 'dist/entry', `${entry}.js`))];
    const scripts = files.filter((path) => path.endsWith('.js'));
    assert.ok(scripts.length > 0 && scripts.length <= 8, scripts.join(', '));
  }
});

test('its entries share one core and its classes of errors', async () => {
  const names = entries.map((entry) => `await import('${specifier(entry)}')`).join(', ');
  const printed = await runScript(`
    const [main, ...others] = [${names}];
    const shared = others.flatMap((other) => Object.keys(main).filter((name) => name in other).map((name) => [name, other]));
    const different = shared.filter(([name, other]) => name !== 'ready' && main[name] !== other[name]).map(([name]) => name);
    console.log(JSON.stringify({ compared: shared.length > 20, different }));
  `);
  assert.deepEqual(JSON.parse(printed), { compared: true, different: [] });
});

test('what programs load holds nothing of the testing kit', () => {
  const holdsKit = (entry) =>
    [...loadedBy(join(packed.folder, 'dist/entry', `${entry}.js`))].some((file) =>
      /class (FlovynTestEnvironment|VirtualClock|TimeSkipper|MockWorkflowContext)\b|FLOVYN_TEST_/.test(
        readFileSync(file, 'utf8'),
      ),
    );
  assert.deepEqual(
    ENTRIES.filter((entry) => holdsKit(entry)),
    [],
  );
  // The same look finds it where it is.
  assert.deepEqual(
    ENTRIES.filter((entry) => holdsKit(`testing-${entry}`)),
    ENTRIES,
  );
});

test('installing it brings no other package', () => {
  const installed = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
  assert.deepEqual(installed, ['@flovyn']);
  assert.deepEqual(readdirSync(join(folder, 'node_modules/@flovyn')), ['sdk']);
});

test('every entry that package.json exports can be imported', async () => {
  assert.ok(entries.includes('.') && entries.includes('./inline'));
  for (const entry of entries) {
    const printed = await runScript(
      `console.log(Object.keys(await import('${specifier(entry)}')).length > 0)`,
    );
    assert.equal(printed, 'true', entry);
  }
});

test('the testing kit runs on the core and the classes of the main entry', async () => {
  const printed = await runScript(`
    import { Duration, WorkflowFailed, workflow } from '@flovyn/sdk';
    import { Duration as TestDuration, FlovynTestEnvironment } from '@flovyn/sdk/testing';
    const late = workflow({ name: 'late', run: async (ctx) => {
      await ctx.sleep(TestDuration.days(30));
      throw new Error('too late');
    } });
    const env = new FlovynTestEnvironment({ time: 'virtual' }).registerWorkflow(late);
    await env.start();
    const error = await env.startAndAwait(late).catch((thrown) => thrown);
    await env.stop();
    console.log(Duration === TestDuration, error instanceof WorkflowFailed, error.message);
  `);
  assert.equal(printed, 'true true too late');
});

for (const entry of ['.', './inline']) {
  test(`a workflow runs on the entry ${entry}`, async () => {
    const printed = await runScript(`
      import { FlovynClient, task, workflow } from '${specifier(entry)}';
      const greet = task({ name: 'greet', run: async (_ctx, name) => 'Hello, ' + name });
      const hello = workflow({ name: 'hello', run: (ctx, name) => ctx.task(greet, name) });
      const client = new FlovynClient({ embedded: true });
      client.registerWorkflow(hello);
      client.registerTask(greet);
      await client.start();
      console.log(await client.executeWorkflow(hello, 'Ada'));
      await client.stop();
    `);
    assert.equal(printed, 'Hello, Ada');
  });
}

const projects = {
  'of Node': {
    module: 'nodenext',
    lib: ['es2022'],
    types: ['node'],
    typeRoots: [inRoot('node_modules/@types')],
  },
  'of the web': { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: [] },
};
for (const [kind, options] of Object.entries(projects)) {
  test(`its declarations compile in a strict project ${kind}`, async () => {
    copyFileSync(inRoot('tests/packaging/consumer.ts'), join(folder, 'consumer.ts'));
    const strict = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
    };
    const compilerOptions = { ...strict, target: 'es2022', noEmit: true, ...options };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
    const compiled = await run(inRoot('node_modules/.bin/tsc'), ['-p', '.'], { cwd: folder });
    assert.equal(compiled.output, '');
    assert.equal(compiled.code, 0);
  });
}

async function runScript(source) {
  const file = join(folder, 'script.mjs');
  writeFileSync(file, source);
  const finished = await run(process.execPath, [file], { cwd: folder, limitMs: 30_000 });
  assert.equal(finished.code, 0, finished.output);
  return finished.stdout.trim();
}
