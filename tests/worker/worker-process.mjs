import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { inRoot } from '../../scripts/lib/paths.mjs';

const program = fileURLToPath(new URL('./program.mjs', import.meta.url));
const installed = (name) => inRoot('node_modules', '.bin', name);

/** How each runtime runs a file. */
export const RUNTIMES = {
  node: [process.execPath],
  // The program itself, which gets the signals: the command of the npm package is a script around it.
  deno: [
    inRoot('node_modules/deno/deno'),
    'run',
    '--no-prompt',
    '--cached-only',
    '--allow-read',
    '--allow-net',
    '--allow-env',
  ],
  bun: [installed('bun'), 'run'],
};

/** Puts Deno's program there, which its package does at the first use. */
export function prepare() {
  spawnSync(installed('deno'), ['--version']);
}

/**
 * Starts a worker process. `lines` are what it has printed, `says` waits for a line that begins like this, `exit` is what
 * it ended with: its exit code or the name of a signal.
 */
export function startWorker(runtime, options) {
  const [command, ...args] = [...RUNTIMES[runtime], program, JSON.stringify(options)];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = [];
  const waiting = new Set();
  const exit = once(child, 'exit').then(([code, signal]) => signal ?? code);
  const look = () => {
    for (const check of waiting) check();
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    look();
  });
  const says = (start) =>
    new Promise((resolve, reject) => {
      const check = () => {
        if (!lines.some((line) => line.startsWith(start))) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
      exit.then((code) =>
        setTimeout(() => reject(new Error(`ended with ${code} and never said "${start}"`)), 100),
      );
    });
  return { lines, says, exit, signal: (name) => child.kill(name), kill: () => child.kill('SIGKILL') };
}
