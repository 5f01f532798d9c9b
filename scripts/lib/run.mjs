import { spawn } from 'node:child_process';
import { clearInterval, setInterval } from 'node:timers';

import { dim } from './paint.mjs';
import { root } from './paths.mjs';

const HEARTBEAT_MS = 10_000;
const LINE_WIDTH = 90;

/** Groups of children that are alive, so that an interrupted program leaves nothing behind. */
const alive = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const pid of alive) killGroup(pid);
    process.exit(130);
  });
}

/**
 * Runs a program to its end and collects what it printed. While it runs, a line every 10 s says how long it has
 * been going and what it printed last, so that a long build never looks like a hang.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, label?: string, limitMs?: number,
 *   onLine?: (line: string) => void }} [options] `limitMs` ends the program and everything it started;
 *   `onLine` is given every line of both streams as it comes, and replaces the heartbeat.
 * @returns {Promise<{ code: number, output: string, stdout: string, ms: number, timedOut: boolean }>}
 */
export function run(command, args, options = {}) {
  const started = performance.now();
  const child = spawn(command, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  if (child.pid !== undefined) alive.add(child.pid);

  let output = '';
  let stdout = '';
  let lastLine = '';
  let timedOut = false;
  const takeLine = (line) => {
    if (line.trim() !== '') lastLine = line.trim();
    options.onLine?.(line);
  };
  for (const stream of [child.stdout, child.stderr]) {
    const takeLines = lineSplitter(takeLine);
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      output += text;
      if (stream === child.stdout) stdout += text;
      takeLines(text);
    });
  }

  const heartbeat = setInterval(() => {
    if (options.onLine) return;
    const seconds = Math.round((performance.now() - started) / 1000);
    console.log(dim(`    ${seconds} s  ${options.label ?? command}: ${lastLine.slice(0, LINE_WIDTH)}`));
  }, HEARTBEAT_MS);
  const limit =
    options.limitMs &&
    setTimeout(() => {
      timedOut = true;
      killGroup(child.pid);
    }, options.limitMs);

  return new Promise((resolve) => {
    const end = (code, extra = '') => {
      clearInterval(heartbeat);
      clearTimeout(limit || undefined);
      if (child.pid !== undefined) {
        alive.delete(child.pid);
        killGroup(child.pid);
      }
      resolve({ code, output: output + extra, stdout, ms: performance.now() - started, timedOut });
    };
    child.once('error', (error) => end(127, `${command}: ${error.message}\n`));
    child.once('close', (code, signal) =>
      end(code ?? 1, signal ? `${command} was ended by ${signal}\n` : ''),
    );
  });
}

/** A step that must succeed did not; the message holds what the program printed. */
export class StepFailed extends Error {}

/** Runs a program that must succeed; throws `StepFailed` with its whole output when it does not. */
export async function mustRun(command, args, options = {}) {
  const result = await run(command, args, options);
  if (result.code === 0) return result;
  throw new StepFailed(`${result.output}\n${command} ${args.join(' ')} ended with code ${result.code}`);
}

/** Runs a program's main function; a failed step ends it with the step's output instead of a stack trace. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  }
}

/** True when a program of that name can be started. */
export async function hasProgram(name) {
  return (await run(name, ['--version'])).code === 0;
}

/** Ends a program that was started detached, with everything that it started. */
export function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is gone already, which is what was wanted.
  }
}

function lineSplitter(onLine) {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  };
}
