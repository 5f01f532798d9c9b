import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConfigurationError, FlovynError, Unsupported } from '../src/errors.js';
import { startServerProcess } from '../src/node/server-process.js';
import { cleanupTestHarness, getTestHarness, TestHarness } from '../src/testing/index.js';
import { installStartServer } from '../src/testing/test-harness.js';
import { failureOf } from './support/failure.js';

// Tests import modules one by one, past the entry that does this in Node. A server itself is started in
// tests/testing-kit; here programs stand in for it that do what no server does.
installStartServer(startServerProcess);

const READY = JSON.stringify({
  url: 'http://127.0.0.1:4711',
  orgId: 'id',
  orgSlug: 'dev',
  apiKey: 'key',
  workerKey: null,
});
let folder: string;

/** A program that is called like the server. */
function program(script: string): string {
  const path = join(folder, 'flovyn-server');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flovyn-harness-'));
  vi.stubEnv('FLOVYN_SERVER_BIN', '');
});

afterEach(async () => {
  await cleanupTestHarness();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test('a server that is ready says where it is, and ends with stop', async () => {
  const pidFile = join(folder, 'pid');
  const harness = new TestHarness({
    serverBin: program(`echo $$ > ${pidFile}; echo "starting"; echo '${READY}'; exec sleep 60`),
  });
  expect(harness.isStarted).toBe(false);
  expect(() => harness.grpcPort).toThrow('TestHarness is not started');
  await harness.start();
  await harness.start();
  expect(harness.config).toEqual({
    grpcHost: '127.0.0.1',
    grpcPort: 4711,
    httpHost: '127.0.0.1',
    httpPort: 4711,
    orgId: 'id',
    orgSlug: 'dev',
    apiKey: 'key',
    workerToken: '',
  });
  expect([harness.grpcHost, harness.httpPort, harness.orgId, harness.apiKey]).toEqual([
    '127.0.0.1',
    4711,
    'id',
    'key',
  ]);
  await harness.stop();
  await harness.stop();
  expect(harness.isStarted).toBe(false);
  expect(spawnSync('sh', ['-c', `kill -0 $(cat ${pidFile})`]).status).not.toBe(0);
});

test('the program is looked for in the environment and on the PATH', async () => {
  const path = program(`echo '${READY}'; exec sleep 60`);
  vi.stubEnv('FLOVYN_SERVER_BIN', path);
  expect((await getTestHarness()).isStarted).toBe(true);
  expect(await getTestHarness()).toBe(await getTestHarness());
  await cleanupTestHarness();
  vi.stubEnv('FLOVYN_SERVER_BIN', '');
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
  expect((await getTestHarness()).orgSlug).toBe('dev');
});

test('without a program it says how to get one', async () => {
  vi.stubEnv('PATH', folder);
  const error = await failureOf(new TestHarness().start());
  expect(error).toBeInstanceOf(Unsupported);
  expect(error.message).toMatch(/not on the PATH.*serverBin.*FLOVYN_SERVER_BIN/);
  expect(await failureOf(new TestHarness({ serverBin: '/nowhere' }).start())).toBeInstanceOf(
    ConfigurationError,
  );
});

test('a server that ends before it is ready is an error, and its data is removed', async () => {
  const harness = new TestHarness({ serverBin: program('exit 3') });
  const error = await failureOf(harness.start());
  expect(error).toBeInstanceOf(FlovynError);
  expect(error.message).toMatch(/ended with exit code 3 before it was ready/);
  expect(harness.isStarted).toBe(false);
});

test('with a config it stands for a server that is there', async () => {
  const config = {
    ...JSON.parse(READY),
    grpcHost: 'h',
    grpcPort: 1,
    httpHost: 'h',
    httpPort: 2,
    workerToken: '',
  };
  const harness = await getTestHarness(config);
  expect(await getTestHarness({ ...config })).toBe(harness);
  expect((await failureOf(getTestHarness({ ...config, grpcPort: 5 }))).message).toMatch(
    /a harness of the server at h:1 already, and not the one that was asked for, h:5/,
  );
  expect([harness.isStarted, harness.grpcPort, harness.httpPort]).toEqual([true, 1, 2]);
  await harness.stop();
  expect(() => TestHarness.of({ ...config, grpcPort: 0 })).toThrow(/grpcPort must be a port/);
  expect(() => new TestHarness({ port: -1 })).toThrow(/port must be from 0/);
});
