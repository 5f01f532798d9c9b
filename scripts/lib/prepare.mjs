import { existsSync, readFileSync } from 'node:fs';

import { dim, green } from './paint.mjs';
import { inRoot } from './paths.mjs';
import { StepFailed, hasProgram, mustRun, run } from './run.mjs';
import { Stamp } from './stamp.mjs';

const ANNOUNCE_AFTER_MS = 300;
const LOCK_FILES = ['package-lock.json', 'package.json', 'sdk/package.json', 'tests/package.json'];

/** Lines of the build: that it goes on, and that it did something. */
const PROGRESS = /^\s*\d+ s |\bbuilt\b/;
const WORK_DONE = /\bbuilt\b/;

/**
 * The steps that bring a fresh clone to where a program can run. Each looks first whether it was done, so calling
 * them again costs milliseconds, and each says what it does while it does it.
 */
export async function ensureWasmTarget() {
  await step('Rust target wasm32-unknown-unknown', async () => {
    const installed = await run('rustup', ['target', 'list', '--installed']);
    if (installed.code !== 0) {
      throw new StepFailed(
        `rustup is needed (https://rustup.rs), the core is Rust source: ${installed.output}`,
      );
    }
    if (installed.stdout.split('\n').includes('wasm32-unknown-unknown')) return 'there';
    await mustRun('rustup', ['target', 'add', 'wasm32-unknown-unknown']);
    return 'added';
  });
}

/**
 * Installs the npm packages exactly as locked.
 *
 * @param {'demo' | 'all'} extent `demo` leaves out the runtimes of the conformance suite, which weigh 400 MB.
 */
export async function ensurePackages(extent) {
  await step('npm packages', async () => {
    const all = new Stamp('packages-all', LOCK_FILES);
    const demo = new Stamp('packages-demo', LOCK_FILES);
    const present = existsSync(inRoot('node_modules', '.package-lock.json'));
    if (present && (all.isFresh || (extent === 'demo' && demo.isFresh))) return 'there';

    // Install scripts are run by some versions of npm and not by others: none is run here, and the one package
    // that needs its script gets it below.
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const scope = extent === 'all' ? [] : [...demoWorkspaces(), '--include-workspace-root'];
    await mustRun('npm', ['ci', ...flags, ...scope], { label: 'npm ci' });
    all.remove();
    (extent === 'all' ? all : demo).write();
    return 'installed';
  });
  if (extent === 'all') await ensureBun();
}

/** Bun's package holds no program until its install script has put it there. */
async function ensureBun() {
  const { code } = await run(inRoot('node_modules/.bin/bun'), ['--version']);
  if (code === 0) return;
  await step('Bun', async () => {
    await mustRun('node', [inRoot('node_modules/bun/install.js')]);
    return 'installed';
  });
}

/** Builds the wasm core and the SDK, unless that was done for these very sources. */
export async function ensureBuilt() {
  await step('wasm core and SDK', async () => {
    const onLine = (line) => PROGRESS.test(line) && console.log(dim(`    ${line.trim()}`));
    const { output } = await mustRun('node', [inRoot('scripts/build.mjs')], { onLine });
    return WORK_DONE.test(output) ? 'built' : 'there';
  });
}

/** Builds `flovyn-server` (debug profile) and returns the path of the program. */
export async function ensureServer() {
  await step('flovyn-server', async () => {
    await mustRun('cargo', ['build', '--locked', '-p', 'flovyn-server'], { label: 'cargo build' });
    return 'built';
  });
  return serverProgram();
}

/** The path at which cargo leaves the server program. */
export function serverProgram() {
  const targetDir = process.env.CARGO_TARGET_DIR ?? inRoot('target');
  return `${targetDir}/debug/flovyn-server${process.platform === 'win32' ? '.exe' : ''}`;
}

/**
 * Makes Chromium and its driver available to the browser tests.
 *
 * @returns {Promise<string | undefined>} the reason why they are not there, or undefined when they are.
 */
export async function ensureBrowser() {
  let reason;
  await step('Chromium and its driver', async () => {
    if ((await hasProgram('chromium')) && (await hasProgram('chromedriver'))) return 'there';
    reason = await installBrowser();
    return reason ? `not there: ${reason}` : 'installed';
  });
  return reason;
}

async function installBrowser() {
  if (process.getuid?.() !== 0) return 'installing Chromium takes root; install chromium and chromium-driver';
  if (!(await hasProgram('apt-get'))) return 'no apt-get here; install Chromium and ChromeDriver by hand';
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env, label: 'apt-get update' });
  const packages = ['chromium', 'chromium-driver'];
  const flags = ['install', '-y', '-qq', '--no-install-recommends'];
  const installed = await run('apt-get', [...flags, ...packages], { env, label: 'apt-get install' });
  return installed.code === 0 ? undefined : `apt-get failed: ${installed.output.trim().split('\n').at(-1)}`;
}

function demoWorkspaces() {
  const { workspaces } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
  return workspaces.filter((path) => path !== 'tests').map((path) => `--workspace=${path}`);
}

async function step(title, action) {
  const started = performance.now();
  const announce = setTimeout(() => console.log(dim(`  ${title} ...`)), ANNOUNCE_AFTER_MS);
  try {
    const outcome = await action();
    const seconds = (performance.now() - started) / 1000;
    console.log(`  ${title}: ${green(outcome)}${seconds > 1 ? dim(` (${seconds.toFixed(1)} s)`) : ''}`);
  } finally {
    clearTimeout(announce);
  }
}
