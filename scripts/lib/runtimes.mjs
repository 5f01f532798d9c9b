import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';

import { runPage } from './browser.mjs';
import { inRoot } from './paths.mjs';
import { mustRun, run } from './run.mjs';

const LIMIT_MS = 5 * 60_000;
const START_LIMIT_MS = 20_000;
const installed = (program) => inRoot('node_modules', '.bin', program);

/**
 * How each runtime runs the conformance suite that lies in a folder, with the options of the client given. Every line
 * that it reports goes to `onLine`; the answer is what else it printed, and its exit code.
 *
 * @typedef {(folder: string, options: object, onLine: (line: string) => void) => Promise<{ code: number, output: string }>} Runtime
 * @type {Record<string, Runtime>}
 */
export const runtimes = {
  node: (folder, ...rest) => runProcess(folder, process.execPath, [], ...rest),
  // Nothing is allowed but what the package needs: to read its wasm file and to reach the server.
  deno: (folder, ...rest) =>
    runProcess(
      folder,
      installed('deno'),
      ['run', '--no-prompt', '--cached-only', `--allow-read=${folder}`, '--allow-net=127.0.0.1'],
      ...rest,
    ),
  bun: (folder, ...rest) => runProcess(folder, installed('bun'), ['run'], ...rest),
  workerd: runWorkerd,
  browser: runBrowser,
};

function runProcess(folder, command, args, options, onLine) {
  return run(command, [...args, 'process.mjs', JSON.stringify(options)], {
    cwd: folder,
    limitMs: LIMIT_MS,
    onLine,
  });
}

async function runWorkerd(folder, options, onLine) {
  await bundleForWorkerd(folder);
  // The program itself: the command of the npm package is a script around it, which would leave it running when killed.
  const { default: workerd } = createRequire(import.meta.url)('workerd');
  const child = spawn(workerd, ['serve', 'workerd.capnp', '--control-fd=1'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (text) => {
    output += text;
  });
  try {
    const port = await listeningPort(child.stdout);
    const signal = AbortSignal.timeout(LIMIT_MS);
    const body = JSON.stringify(options);
    const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, signal });
    for await (const line of createInterface({ input: Readable.fromWeb(answer.body) })) onLine(line);
    return { code: answer.ok ? 0 : 1, output };
  } catch (error) {
    return { code: 1, output: `${output}${error}\n` };
  } finally {
    child.kill('SIGKILL');
  }
}

function runBrowser(folder, options, onLine) {
  return runPage(folder, { options, onLine, limitMs: LIMIT_MS });
}

/** One file for all code, as people deploy to workerd; the wasm beside it stays a module, which workerd compiles. */
async function bundleForWorkerd(folder) {
  const flags = ['--bundle', '--format=esm', '--platform=neutral', '--outfile=worker.js'];
  const wasm = ['--loader:.wasm=copy', '--asset-names=[name]'];
  const args = ['workerd.mjs', ...flags, ...wasm, '--conditions=workerd,worker,browser'];
  await mustRun(installed('esbuild'), args, { cwd: folder });
}

/** The port from workerd's control message; fails if it ends, or says nothing for 20 s. */
async function listeningPort(control) {
  const timer = setTimeout(
    () => control.destroy(new Error('workerd did not begin to listen')),
    START_LIMIT_MS,
  );
  try {
    for await (const chunk of control.iterator({ destroyOnReturn: false })) {
      const found = /"event":"listen".*"port":(\d+)/.exec(chunk);
      if (found) return Number(found[1]);
    }
    throw new Error('workerd ended before it listened');
  } finally {
    clearTimeout(timer);
    control.resume();
  }
}
