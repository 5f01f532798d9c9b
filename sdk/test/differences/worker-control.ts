import { FlovynClient } from '../../src/client/client.js';
import type { FlovynWorkerOptions } from '../../src/client/options.js';
import { silentLogger } from '../../src/logger.js';
import { task } from '../../src/task/define.js';
import { EmbeddedTransport } from '../../src/transport/embedded.js';
import { Worker } from '../../src/worker/worker.js';
import { workflow } from '../../src/workflow/define.js';
import { gate, until, world } from '../support/world.js';
import { serve } from '../support/wire.js';
import { type Observation, type Observations, only } from './difference.js';
import { aborted, child, echo, outcomeOf, withoutIds } from './play.js';

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

const soon = (client: FlovynClient): Promise<unknown> =>
  Promise.race([outcomeOf(client.executeWorkflow(child, 'x')), pause(60)]);

function pause(ms: number): Promise<'still waiting'> {
  return new Promise((resolve) => setTimeout(() => resolve('still waiting'), ms));
}

/** What a worker does. */
export const workerControl: Observations = {
  'Worker.start': working(async (worker, client, given) => {
    if (given) await worker.start();
    return soon(client);
  }),
  'Worker.run': working(async (worker, client, given) => {
    const running = given ? worker.run() : Promise.resolve();
    const outcome = await soon(client);
    await worker.shutdown();
    await running;
    return outcome;
  }),
  'Worker.pause': working(async (worker, client, given) => {
    await worker.start();
    if (given) worker.pause();
    return soon(client);
  }),
  'Worker.resume': working(async (worker, client, given) => {
    await worker.start();
    worker.pause();
    if (given) worker.resume();
    return soon(client);
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
  'Worker.metrics': working(async (worker, client, given) => {
    await worker.start();
    await client.executeWorkflow(child, 'x');
    await until(() => worker.metrics().workflows.completed === 1);
    return given ? worker.metrics().workflows.completed : 0;
  }),
  'RunOptions.signal': working(async (worker, client, given) => {
    const running = worker.run(only(given, 'signal', AbortSignal.abort()));
    const outcome = await soon(client);
    await worker.shutdown();
    await running;
    return outcome;
  }),
  'StartOptions.signal': working(async (worker, _client, given) =>
    outcomeOf(worker.start(only(given, 'signal', AbortSignal.abort(new Error('enough'))))),
  ),
  'ShutdownOptions.graceMs': async (given) => {
    const transport = new EmbeddedTransport();
    const client = new FlovynClient({ transport, logger: silentLogger });
    const begun = gate();
    let reason = '';
    const stubborn = task({
      name: 'stubborn',
      run: async (ctx) => {
        begun.open();
        const heeded = aborted(ctx).catch((error: unknown) => {
          reason = (error as Error).name;
        });
        await Promise.race([heeded, pause(60)]);
      },
    });
    const caller = workflow({ name: 'caller', run: (ctx) => ctx.task(stubborn) });
    const worker = new Worker({ transport, workflows: [caller], tasks: [stubborn], logger: silentLogger });
    await client.start();
    await worker.start();
    await client.startWorkflow(caller);
    await begun.promise;
    await worker.shutdown(only(given, 'graceMs', 1));
    await client.stop();
    await transport.close();
    return reason;
  },
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
