import { readFileSync } from 'node:fs';

import { green, red } from './lib/paint.mjs';
import { inRoot } from './lib/paths.mjs';

/**
 * Proves that the core asks nothing of its surroundings but its own glue: no WASI, no environment, nothing that some
 * runtime would have to provide. Prints how many imports there are.
 */
const GLUE = './core_bg.js';

const bytes = readFileSync(inRoot('sdk/dist/generated/core_bg.wasm'));
const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
const glue = readFileSync(inRoot('sdk/dist/generated/core.js'), 'utf8');

const problems = imports
  .filter(({ module, name }) => module !== GLUE || !glue.includes(name))
  .map(({ module, name, kind }) => `the wasm imports the ${kind} ${name} of ${module}, which is not of its glue`);
if (/^\s*import\b/m.test(glue)) problems.push('the glue imports a module, which would have to be there in every runtime');

for (const problem of problems) console.error(red(problem));
if (problems.length > 0) process.exit(1);
console.log(green(`${imports.length} imports, all from the glue`));
