import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { ConfigurationError, FlovynError, Unsupported } from '../errors.js';
import { environmentVariable } from '../runtime/environment-variables.js';
import { onShutdownSignal } from '../runtime/process-signals.js';
import type { HarnessConfig } from '../testing/options.js';
import type { ServerProcess, TestHarnessConfig } from '../testing/test-harness.js';

const PROGRAM = 'flovyn-server';
const STOP_MS = 10_000;

/** What the server prints when it can be called. */
interface Ready {
  readonly url: string;
  readonly orgId: string;
  readonly orgSlug: string;
  readonly apiKey: string | null;
  readonly workerKey: string | null;
}

/** Starts `flovyn-server dev`. It ends with this process, unless that is killed at once, as by SIGKILL. */
export async function startServerProcess({
  serverBin,
  port = 0,
  dataDir,
}: TestHarnessConfig): Promise<ServerProcess> {
  const program = serverBin === undefined ? foundProgram() : named('serverBin', serverBin);
  const data = dataDir ?? (await mkdtemp(join(tmpdir(), 'flovyn-test-')));
  const removeData = (): void => {
    if (dataDir === undefined) rmSync(data, { recursive: true, force: true, maxRetries: 5 });
  };
  const child = spawn(program, ['dev', '--port', String(port), '--data', data, '--ready-json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  const forget = atEndOfProcess(() => {
    kill();
    removeData();
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    const ready = await firstLine(child, program);
    letExit(child);
    const stop = async (): Promise<void> => {
      forget();
      child.kill('SIGTERM');
      const late = setTimeout(kill, STOP_MS);
      await exited;
      clearTimeout(late);
      removeData();
    };
    return { config: configOf(ready), stop };
  } catch (error) {
    forget();
    kill();
    removeData();
    throw error;
  }
}

/** A process that has nothing else to do need not stay for the server, nor for what that prints. */
function letExit(child: ChildProcess): void {
  child.unref();
  (child.stdout as Partial<Socket> | null)?.unref?.();
}

/** Calls `end` when this process ends by itself or is asked to. Returns how to call that off. */
function atEndOfProcess(end: () => void): () => void {
  process.once('exit', end);
  const stopListening = onShutdownSignal((signal) => {
    end();
    // What the signal does when nobody listens; other listeners have it already.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  });
  return () => {
    process.removeListener('exit', end);
    stopListening();
  };
}

async function firstLine(child: ChildProcess, program: string): Promise<Ready> {
  const failed = once(child, 'error').then(([error]) => {
    throw new FlovynError(`${program} cannot be started: ${(error as Error).message}`, error);
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new FlovynError(
      `${program} ended with exit code ${String(code)} before it was ready: run "${program} dev" to see why`,
    );
  });
  for (const rejected of [failed, ended]) rejected.catch(() => {});
  const ready = new Promise<Ready>((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) resolve(JSON.parse(line) as Ready);
    });
  });
  return Promise.race([ready, failed, ended]);
}

function configOf({ url, orgId, orgSlug, apiKey, workerKey }: Ready): HarnessConfig {
  const { hostname, port } = new URL(url);
  const place = { grpcHost: hostname, grpcPort: Number(port), httpHost: hostname, httpPort: Number(port) };
  return { ...place, orgId, orgSlug, apiKey: apiKey ?? '', workerToken: workerKey ?? '' };
}

function foundProgram(): string {
  const variable = environmentVariable('FLOVYN_SERVER_BIN');
  if (variable !== undefined) return named('FLOVYN_SERVER_BIN', variable);
  const folders = (environmentVariable('PATH') ?? '').split(delimiter);
  const found = folders
    .flatMap((folder) => [join(folder, PROGRAM), join(folder, `${PROGRAM}.exe`)])
    .find(existsSync);
  if (found !== undefined) return found;
  throw new Unsupported(
    `TestHarness needs the program ${PROGRAM}, and it is not on the PATH: build it with "cargo install --path ` +
      'core/server" in the repository of Flovyn, and name it by the option serverBin or the environment variable ' +
      'FLOVYN_SERVER_BIN; or test on the engine in this process, new FlovynTestEnvironment()',
  );
}

function named(what: string, path: string): string {
  if (existsSync(path)) return path;
  throw new ConfigurationError(`TestHarness: ${what} names a program that is not there: ${path}`);
}
