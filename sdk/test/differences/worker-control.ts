import { FlovynClient } from '../../src/client/client.js';
import type { FlovynWorkerOptions } from '../../src/client/options.js';
import { silentLogger } from '../../src/logger.js';
import { EmbeddedTransport } from '../../src/transport/embedded.js';
import { Worker } from '../../src/worker/worker.js';
import { workflow } from '../../src/workflow/define.js';
import { until, world } from '../support/world.js';
import { serve } from '../support/wire.js';
import { gives, type Observation, type Observations, only } from './difference.js';
import { child, echo, endsWithin, outcomeOf, outcomeOfUntaken, withoutIds } from './play.js';

/** A worker beside a client of the same server, and what comes of what is done with it. */
const working =
  (use: (worker: Worker, client: FlovynClient, given: boolean) => unknown, options = {}): Observation =>
  async (given) => {
    const transport = new EmbeddedTransport();
    const client = new FlovynClient({ transport, logger: silentLogger });
    const worker = new Worker({
      transport,
      workflows: [child],
      tasks: [echo],
      logger: silentLogger,
      ...options,
    });
    await client.start();
    try {
      return await use(worker, client, given);
    } finally {
      await worker.shutdown({ graceMs: 0 });
      await client.stop();
      await transport.close();
    }
  };

/** What becomes of an execution that a worker takes, or that nobody does. */
async function outcomeWith(client: FlovynClient, isTaken: boolean): Promise<unknown> {
  const { handle } = await client.startWorkflow(child, 'x');
  return isTaken ? outcomeOf(handle) : outcomeOfUntaken(handle);
}

/** A paused worker takes nothing from when its last poll has ended. */
async function pausedFor(worker: Worker): Promise<void> {
  worker.pause();
  await until(() => worker.metrics().workflows.polls.waiting + worker.metrics().tasks.polls.waiting === 0);
}

/** How many executions a worker says it has completed, before and after one. */
async function completed(worker: Worker, client: FlovynClient): Promise<unknown> {
  await worker.start();
  const before = worker.metrics().workflows.completed;
  await client.executeWorkflow(child, 'x');
  await worker.shutdown();
  return [before, worker.metrics().workflows.completed];
}

/** What a worker does. */
export const workerControl: Observations = {
  'Worker.start': working(async (worker, client, given) => {
    if (given) await worker.start();
    return outcomeWith(client, given);
  }),
  'Worker.run': working(async (worker, client, given) => {
    const running = given ? worker.run() : Promise.resolve();
    const outcome = await outcomeWith(client, given);
    await worker.shutdown();
    await running;
    return outcome;
  }),
  'Worker.pause': working(async (worker, client, given) => {
    await worker.start();
    if (given) await pausedFor(worker);
    return outcomeWith(client, !given);
  }),
  'Worker.resume': working(async (worker, client, given) => {
    await worker.start();
    await pausedFor(worker);
    if (given) worker.resume();
    return outcomeWith(client, given);
  }),
  'Worker.shutdown': working(async (worker, _client, given) => {
    await worker.start();
    if (given) await worker.shutdown();
    return worker.status;
  }),
  'Worker.on': working(async (worker, client, given) => {
    const seen: string[] = [];
    if (given) worker.on('workflowCompleted', ({ workflowKind }) => void seen.push(workflowKind));
    await worker.start();
    await client.executeWorkflow(child, 'x');
    await until(() => !given || seen.length > 0);
    return seen;
  }),
  'Worker.metrics': gives([0, 1], () => working(completed)(true)),
  'RunOptions.signal': working(async (worker, client, given) => {
    const running = worker.run(only(given, 'signal', AbortSignal.abort()));
    // One whose signal has fired before does not begin.
    if (given) await running;
    const outcome = await outcomeWith(client, !given);
    await worker.shutdown();
    await running;
    return outcome;
  }),
  'StartOptions.signal': working(async (worker, _client, given) =>
    outcomeOf(worker.start(only(given, 'signal', AbortSignal.abort(new Error('enough'))))),
  ),
  'ShutdownOptions.graceMs': endsWithin((client, given) =>
    client.worker?.shutdown(only(given, 'graceMs', 1)),
  ),
  'FlovynWorkerOptions.workflows': withOptions((given) => ({
    tasks: [echo],
    ...only(given, 'workflows', [child]),
  })),
  'FlovynWorkerOptions.tasks': withOptions((given) => ({
    workflows: [child],
    ...only(given, 'tasks', [echo]),
  })),
  'FlovynWorkerOptions.workerToken': async (given) => {
    const transport = new EmbeddedTransport();
    const server = await serve(transport);
    const worker = new Worker({
      serverUrl: server.url,
      workflows: [child],
      logger: silentLogger,
      ...only(given, 'workerToken', 'a key'),
    });
    await worker.start();
    await worker.shutdown({ graceMs: 0 });
    const keys = new Set(server.seen.map(({ headers }) => headers['authorization']));
    await server.close();
    await transport.close();
    return [...keys];
  },
  'FlovynClientOptions.hooks': async (given) => {
    const seen: string[] = [];
    const hook = { onCompleted: () => void seen.push('completed') };
    const w = world();
    const client = await w.client([child], only(given, 'hooks', hook));
    await client.executeWorkflow(child, 'x');
    await until(() => !given || seen.length > 0);
    return seen;
  },
  'WorkflowHook.onStarted': hooked('onStarted'),
  'WorkflowHook.onCompleted': hooked('onCompleted'),
  'WorkflowHook.onFailed': hooked('onFailed'),
  'FlovynClientOptions.handleSignals': async (given) => {
    const before = process.listenerCount('SIGTERM');
    const w = world();
    const client = await w.client([child], only(given, 'handleSignals', true));
    const during = process.listenerCount('SIGTERM');
    await client.stop();
    return during - before;
  },
};

/** Which kinds of work a worker asks for. */
function withOptions(options: (given: boolean) => Partial<FlovynWorkerOptions>): Observation {
  return async (given) => {
    const w = world();
    const worker = new Worker({ transport: w.engine, logger: silentLogger, ...options(given) });
    await worker.start();
    await until(() => w.engine.calls.some((call) => call.startsWith('Poll')));
    await worker.shutdown({ graceMs: 0 });
    const polls = w.engine.calls.filter((call) => call.startsWith('Poll'));
    return withoutIds([...new Set(polls)].sort());
  };
}

/** How often a hook is called while one execution completes and another one fails. */
function hooked(name: 'onStarted' | 'onCompleted' | 'onFailed'): Observation {
  return async (given) => {
    let calls = 0;
    const count = (): void => {
      calls += 1;
    };
    const failing = workflow({ name: 'failing', run: () => Promise.reject(new Error('no')) });
    const w = world();
    const client = await w.client([child, failing], only(given, 'hooks', { [name]: count }));
    await client.executeWorkflow(child, 'x');
    await outcomeOf(client.executeWorkflow(failing));
    await client.stop();
    return calls;
  };
}
