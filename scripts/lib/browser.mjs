import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';

import { killGroup } from './run.mjs';

/** What keeps Chromium quiet on a machine without a screen and without the internet. */
const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];
const CONTENT_TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
const SDK = JSON.stringify({ imports: { '@flovyn/sdk': '/node_modules/@flovyn/sdk/dist/entry/browser.js' } });
const PAGE = `<!doctype html>
<title>conformance</title>
<script type="importmap">${SDK}</script>
<script type="module" src="/browser.mjs"></script>`;

/**
 * Opens a page in Chromium that runs `browser.mjs` of a folder, with the modules as they are, without a bundler. The page
 * may GET `/options` and POST lines to `/report`; a POST to `/end`, empty or with what went wrong, closes it.
 *
 * @param {string} folder
 * @param {{ options: object, onLine: (line: string) => void, limitMs: number }} page
 * @returns {Promise<{ code: number, output: string }>}
 */
export async function runPage(folder, { options, onLine, limitMs }) {
  let end;
  const ended = new Promise((resolve) => {
    end = resolve;
  });
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      const body = await text(request);
      response.end();
      if (request.url === '/end') end(body);
      else onLine(body);
    } else {
      serve(folder, request.url, options, response);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const profile = mkdtempSync(join(tmpdir(), 'flovyn-chromium-'));
  const url = `http://127.0.0.1:${server.address().port}/`;
  const chromium = spawn('chromium', [...CHROMIUM_FLAGS, `--user-data-dir=${profile}`, url], {
    stdio: 'ignore',
    detached: true,
  });
  const exited = once(chromium, 'close');
  const limit = setTimeout(() => end(`not finished after ${limitMs} ms`), limitMs);
  chromium.once('exit', (code) => end(`Chromium ended with code ${code}`));
  chromium.once('error', (error) => end(error.message));
  try {
    const problem = await ended;
    return { code: problem === '' ? 0 : 1, output: problem };
  } finally {
    clearTimeout(limit);
    killGroup(chromium.pid);
    await exited;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

function serve(folder, url, options, response) {
  if (url === '/') return response.setHeader('content-type', 'text/html').end(PAGE);
  if (url === '/options') return response.end(JSON.stringify(options));
  const extension = extname(url);
  try {
    const content = readFileSync(join(folder, url));
    return response.setHeader('content-type', CONTENT_TYPES[extension] ?? 'text/plain').end(content);
  } catch {
    return response.writeHead(404).end();
  }
}

async function text(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
