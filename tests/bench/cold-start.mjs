import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundlePackage } from '../../scripts/lib/bundle.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';

/** From the start of a process to the end of its first activation, in turns so that a busy machine is busy for all. */
const RUNS = 15;
const program = fileURLToPath(new URL('./cold-start-once.mjs', import.meta.url));

const folder = mkdtempSync(path.join(tmpdir(), 'flovyn-cold-'));
try {
  await measure({
    'a script that does nothing': emptyScript(),
    'package as published': await published(),
    'package in single modules': program,
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(programs) {
  const times = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
  for (let run = 0; run < RUNS; run += 1) {
    for (const [name, file] of Object.entries(programs)) {
      const { stdout } = await promisify(execFile)(process.execPath, [file]);
      times[name].push(Number(stdout));
    }
  }
  console.log(`cold start, process start to first activation done (${RUNS} runs)`);
  for (const [name, all] of Object.entries(times)) {
    all.sort((a, b) => a - b);
    const at = (share) => `${all[Math.floor(share * (all.length - 1))].toFixed(0)} ms`;
    console.log(`  ${name.padEnd(28)} median ${at(0.5)}, min ${at(0)}, max ${at(1)}`);
  }
}

function emptyScript() {
  const file = path.join(folder, 'empty.mjs');
  writeFileSync(file, 'console.log(performance.now());\n');
  return file;
}

/** The same program in a folder that has the package as npm gives it. */
async function published() {
  const sdk = path.join(folder, 'node_modules/@flovyn/sdk');
  mkdirSync(sdk, { recursive: true });
  for (const part of ['package.json', 'dist'])
    cpSync(inRoot('sdk', part), path.join(sdk, part), { recursive: true });
  await bundlePackage(sdk);
  const file = path.join(folder, 'once.mjs');
  copyFileSync(program, file);
  return file;
}
