import { onTestFinished } from 'vitest';
import type { FlovynWorkerOptions } from '../../src/client/options.js';
import { EMBEDDED_ORG_ID } from '../../src/transport/embedded.js';
import { Worker } from '../../src/worker/worker.js';
import type { World } from './world.js';

/** A worker of a world that is shut down when the test ends. */
export function workerOf(w: World, options: Partial<FlovynWorkerOptions>): Worker {
  const worker = new Worker({ transport: w.engine, orgId: EMBEDDED_ORG_ID, logger: w.logger, ...options });
  onTestFinished(async () => void (await worker.shutdown({ graceMs: 0 })));
  return worker;
}
