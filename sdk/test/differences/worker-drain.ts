import { silentLogger } from '../../src/logger.js';
import { runDry } from '../../src/runtime/run-dry.js';
import { task } from '../../src/task/define.js';
import { EmbeddedTransport } from '../../src/transport/embedded.js';
import { FlovynClient } from '../../src/client/client.js';
import type { DrainOptions } from '../../src/worker/drain-types.js';
import { Worker } from '../../src/worker/worker.js';
import { workflow } from '../../src/workflow/define.js';
import { ManualClock } from '../support/manual-clock.js';
import { gate, hidden, until, world } from '../support/world.js';
import { type Observation, type Observations, only } from './difference.js';
import { aborted, child, echo } from './play.js';

/** Two executions are ready; what a worker that does not poll does with them. */
const ready =
  (use: (worker: Worker, given: boolean) => unknown): Observation =>
  async (given) => {
    const transport = new EmbeddedTransport();
    const client = new FlovynClient({ transport, logger: silentLogger });
    const worker = new Worker({ transport, workflows: [child], tasks: [echo], logger: silentLogger });
    await client.start();
    for (const input of ['a', 'b']) await client.startWorkflow(child, input);
    try {
      await use(worker, given);
      const { completed } = worker.metrics().workflows;
      return { completed, status: worker.status };
    } finally {
      await worker.shutdown({ graceMs: 0 });
      await client.stop();
      await transport.close();
    }
  };

const drained = (options: DrainOptions, name: keyof DrainOptions): Observation =>
  ready((worker, given) => worker.drain(given ? { [name]: options[name] } : {}));

/** A task that waits for its signal is begun at once; what the worker is doing so many milliseconds later. */
const later =
  (ms: number, optionsOf: (given: boolean) => DrainOptions): Observation =>
  async (given) => {
    const [w, clock, begun] = [world(), new ManualClock(), gate()];
    const client = await w.client();
    const waiting = task({
      name: 'waiting',
      run: async (ctx) => {
        begun.open();
        await aborted(ctx);
      },
    });
    const caller = workflow({ name: 'caller', run: (ctx) => ctx.task(waiting) });
    const parts = { transport: w.engine, workflows: [caller], tasks: [waiting], logger: silentLogger };
    const worker = new Worker({ ...parts, ...hidden({ clock }) });
    await client.startWorkflow(caller);
    const draining = worker.drain(optionsOf(given));
    await begun.promise;
    clock.advance(ms);
    await runDry();
    const { status } = worker;
    void worker.shutdown({ graceMs: 0 });
    await until(() => {
      clock.advance(1_000);
      return worker.status === 'stopped';
    });
    return { status, end: (await draining).end };
  };

/** What a worker does that is called now and then. */
export const workerDrain: Observations = {
  'Worker.drain': ready((worker, given) => (given ? worker.drain() : undefined)),
  'Worker.runOnce': ready((worker, given) => (given ? worker.runOnce() : undefined)),
  'DrainOptions.maxActivations': drained({ maxActivations: 1 }, 'maxActivations'),
  'DrainOptions.maxRequests': drained({ maxRequests: 3 }, 'maxRequests'),
  'DrainOptions.signal': drained({ signal: AbortSignal.abort() }, 'signal'),
  'DrainOptions.maxMs': later(10_000, (given) => only(given, 'maxMs', 10_000)),
  'DrainOptions.reserveMs': later(5_000, (given) => ({ maxMs: 10_000, ...only(given, 'reserveMs', 5_000) })),
};
