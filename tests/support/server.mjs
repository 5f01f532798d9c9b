import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';

import { serverProgram } from '../../scripts/lib/prepare.mjs';

/** A port that was free a moment ago. */
export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts `flovyn-server dev` and waits until it is ready.
 *
 * Gives its url, organisation and keys; `stop()` ends it in order, `kill()` with SIGKILL.
 */
export async function startServer({ port = 0, data, leaseMs, args = [] }) {
  const options = ['dev', '--port', String(port), '--data', data, '--ready-json', ...args];
  if (leaseMs !== undefined) options.push('--lease-ms', String(leaseMs));
  const program = process.env.FLOVYN_SERVER_BIN ?? serverProgram();
  const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const end = async (signal) => {
    child.kill(signal);
    await exited;
  };
  const ready = await Promise.race([firstJsonLine(child.stdout), exited.then(([code]) => ({ code }))]);
  if (!ready.url) throw new Error(`${program} ended with exit code ${ready.code} before it was ready`);
  return { ...ready, pid: child.pid, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

async function firstJsonLine(stream) {
  return new Promise((resolve) => {
    createInterface({ input: stream }).on('line', (line) => {
      if (line.startsWith('{')) resolve(JSON.parse(line));
    });
  });
}
