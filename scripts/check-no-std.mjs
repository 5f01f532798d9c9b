import { readFileSync } from 'node:fs';

import { inRoot } from './lib/paths.mjs';
import { mustRun } from './lib/run.mjs';

/**
 * Proves that the deterministic crates need no standard library. `#![no_std]` says so of a crate itself only, so
 * the features of everything it is built from are looked at too, as they are resolved for the wasm alone. What runs
 * at build time, as procedural macros do, may use what it likes.
 */
const CRATES = ['protocol', 'replay', 'orchestrator'];
const ATTRIBUTES = ['#![no_std]', '#![forbid(unsafe_code)]'];
const TREE = ['tree', '--locked', '--target', 'wasm32-unknown-unknown', '--prefix', 'none'];
const STD_FEATURE = /^(\S+) feature "(std|use_std)"/;

const problems = [];
for (const crate of CRATES) {
  const source = readFileSync(inRoot('core', crate, 'src/lib.rs'), 'utf8');
  for (const attribute of ATTRIBUTES) {
    if (!source.includes(`\n${attribute}\n`)) problems.push(`core/${crate}/src/lib.rs lacks ${attribute}`);
  }
  const edges = ['--edges', 'features,no-dev,no-build,no-proc-macro'];
  const { stdout } = await mustRun('cargo', [...TREE, ...edges, '--package', `flovyn-${crate}`]);
  for (const line of stdout.split('\n')) {
    const found = line.match(STD_FEATURE);
    if (found) problems.push(`flovyn-${crate} is built with the feature "${found[2]}" of ${found[1]}`);
  }
}
for (const problem of new Set(problems)) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`${CRATES.length} crates and what they depend on use no standard library`);
