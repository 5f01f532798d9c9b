import { readFileSync } from 'node:fs';

import { green, red } from './lib/paint.mjs';
import { generatedDir } from './lib/wasm.mjs';

/** Thrown where the glue would make an instance: what it hands over is all that is wanted of it. */
class Stopped extends Error {}

/**
 * Proves that the core asks nothing of its surroundings but its own glue: no WASI, no environment, nothing that some
 * runtime would have to provide. Prints how many imports there are.
 */
const module = new WebAssembly.Module(readFileSync(`${generatedDir}/core_bg.wasm`));
const wanted = WebAssembly.Module.imports(module);
const brought = await importsOfGlue();

const problems = wanted.flatMap(({ module: from, name, kind }) => {
  if (kind !== 'function') return [`the core imports the ${kind} "${name}" from "${from}"`];
  if (brought[from] === undefined) return [`"${name}" is imported from "${from}", which is not the glue`];
  if (typeof brought[from][name] !== 'function') return [`the glue does not define "${name}"`];
  return [];
});
const modules = new Set(wanted.map(({ module: from }) => from));
if (modules.size > 1) problems.push(`the core imports from more than one module: ${[...modules].join(', ')}`);
if (/^\s*import\b/m.test(readFileSync(`${generatedDir}/core.js`, 'utf8')))
  problems.push('the glue imports a module, which would have to be there in every runtime');

for (const problem of problems) console.error(red(problem));
if (problems.length > 0) process.exitCode = 1;
else console.log(green(`${wanted.length} imports, all of them functions of the glue`));

/** What the glue hands to an instance, by module and name; it exports nothing that would say so. */
async function importsOfGlue() {
  const glue = await import(`${generatedDir}/core.js`);
  const { Instance } = WebAssembly;
  let imports = {};
  WebAssembly.Instance = function stop(_module, given) {
    imports = given;
    throw new Stopped();
  };
  try {
    glue.initSync({ module });
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  } finally {
    WebAssembly.Instance = Instance;
  }
  return imports;
}
