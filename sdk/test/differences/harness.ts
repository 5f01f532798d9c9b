import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServerProcess } from '../../src/node/server-process.js';
import { cleanupTestHarness, getTestHarness, TestHarness } from '../../src/testing/index.js';
import { installStartServer } from '../../src/testing/test-harness.js';
import { type Observation, type Observations, only } from './difference.js';
import { outcomeOf } from './play.js';

installStartServer(startServerProcess);

const CONFIG = {
  grpcHost: 'h',
  grpcPort: 1,
  httpHost: 'h',
  httpPort: 2,
  orgId: 'id',
  orgSlug: 'dev',
  apiKey: '',
  workerToken: '',
};
const READY = JSON.stringify({
  url: 'http://127.0.0.1:1',
  orgId: 'id',
  orgSlug: 'dev',
  apiKey: null,
  workerKey: null,
});

/** Something that is done with a program that is called as the server is, and writes down how. */
const withServer =
  (use: (program: string, seen: () => string, given: boolean) => unknown): Observation =>
  async (given) => {
    const folder = mkdtempSync(join(tmpdir(), 'flovyn-harness-'));
    const [program, called] = [join(folder, 'flovyn-server'), join(folder, 'called')];
    writeFileSync(program, `#!/bin/sh\necho "$@" > ${called}\necho '${READY}'\nexec sleep 60\n`);
    chmodSync(program, 0o755);
    try {
      const seen = (): string => (existsSync(called) ? readFileSync(called, 'utf8') : '');
      return await use(program, seen, given);
    } finally {
      await cleanupTestHarness();
      rmSync(folder, { recursive: true, force: true });
    }
  };

/** What the harness of the testing kit does. */
export const harness: Observations = {
  'TestHarness.of': (given) => (given ? TestHarness.of(CONFIG) : new TestHarness()).isStarted,
  'TestHarness.start': withServer(async (serverBin, _seen, given) => {
    const started = new TestHarness({ serverBin });
    if (given) await started.start();
    const { isStarted } = started;
    await started.stop();
    return isStarted;
  }),
  'TestHarness.stop': withServer(async (serverBin, _seen, given) => {
    const started = new TestHarness({ serverBin });
    await started.start();
    if (given) await started.stop();
    const { isStarted } = started;
    await started.stop();
    return isStarted;
  }),
  'TestHarnessConfig.serverBin': withServer(async (serverBin, _seen, given) => {
    const before = process.env['PATH'];
    process.env['PATH'] = '';
    const started = new TestHarness(only(given, 'serverBin', serverBin));
    const outcome = await outcomeOf(started.start());
    process.env['PATH'] = before;
    await started.stop();
    return outcome;
  }),
  'TestHarnessConfig.port': withServer(async (serverBin, seen, given) => {
    const started = new TestHarness({ serverBin, dataDir: 'somewhere', ...only(given, 'port', 4_711) });
    await started.start();
    await started.stop();
    return seen();
  }),
  'TestHarnessConfig.dataDir': withServer(async (serverBin, seen, given) => {
    const started = new TestHarness({ serverBin, ...only(given, 'dataDir', 'somewhere') });
    await started.start();
    await started.stop();
    return seen().includes('somewhere');
  }),
  getTestHarness: async (given) => {
    const shared = given ? await getTestHarness(CONFIG) : new TestHarness();
    const { isStarted } = shared;
    await cleanupTestHarness();
    return isStarted;
  },
  cleanupTestHarness: async (given) => {
    const first = await getTestHarness(CONFIG);
    if (given) await cleanupTestHarness();
    const second = await getTestHarness(CONFIG);
    await cleanupTestHarness();
    return first === second;
  },
};
