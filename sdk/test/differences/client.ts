import { FlovynClient } from '../../src/client/client.js';
import type { FlovynClientOptions } from '../../src/client/options.js';
import { EmbeddedTransport } from '../../src/transport/embedded.js';
import { task } from '../../src/task/define.js';
import { workflow } from '../../src/workflow/define.js';
import { gate, until, type World, world } from '../support/world.js';
import { gives, type Observation, type Observations, only } from './difference.js';
import {
  child,
  echo,
  ms,
  outcomeOf,
  outcomeOfUntaken,
  play,
  type Stage,
  untilSuspended,
  waiting,
  withoutIds,
} from './play.js';

/** Something that is done from outside to an execution that waits, or is not. */
const done =
  (act: (stage: Stage) => unknown): Observation =>
  (given) =>
    play({
      run: (ctx) =>
        // Time passes only once there is nothing else to do.
        Promise.race([
          ctx.promise('p').then(
            (value) => ['resolved', value],
            (error: unknown) => ['rejected', (error as Error).message],
          ),
          ctx.waitForSignal('s'),
          ctx.sleep(ms(30)),
        ]),
      act: (stage) => (given ? act(stage) : undefined),
    });

/** What a client, for which some workflows are there, says. */
const asked =
  (ask: (client: FlovynClient, given: boolean, world: World) => unknown): Observation =>
  async (given) => {
    const w = world();
    const client = await w.client([child, waiting, echo]);
    return withoutIds(await ask(client, given, w));
  };

/** What a client, for which some workflows are there, is told: exactly this. */
const told = (expected: unknown, ask: (client: FlovynClient, world: World) => unknown): Observation =>
  gives(expected, () => asked((client, _given, w) => ask(client, w))(true));

const promiseId = ({ handle }: Stage): string => `${handle.workflowId}:p`;

/** What a client does. */
export const client: Observations = {
  'FlovynClient.registerWorkflow': async (given) => {
    const own = new FlovynClient({ embedded: true });
    if (given) own.registerWorkflow(child);
    own.registerTask(echo);
    await own.start();
    const { handle } = await own.startWorkflow(child, 'x');
    const outcome = await (given ? outcomeOf(handle) : outcomeOfUntaken(handle));
    await own.stop();
    return outcome;
  },
  'FlovynClient.registerTask': async (given) => {
    const own = new FlovynClient({ embedded: true });
    const caller = workflow({
      name: 'caller',
      run: async (ctx) => {
        const handle = ctx.schedule(echo, 'x');
        return Promise.race([handle, ctx.waitForSignal('enough')]);
      },
    });
    own.registerWorkflow(caller);
    if (given) own.registerTask(echo);
    await own.start();
    const { handle } = await own.startWorkflow(caller);
    if (!given) await handle.signal('enough', 'the task was not taken');
    const outcome = await outcomeOf(handle);
    await own.stop();
    return outcome;
  },
  'FlovynClient.start': async (given) => {
    const own = new FlovynClient({ embedded: true });
    if (given) await own.start();
    const { isStarted } = own;
    await own.stop();
    return isStarted;
  },
  'FlovynClient.stop': async (given) => {
    const own = new FlovynClient({ embedded: true });
    await own.start();
    if (given) await own.stop();
    const { isStarted } = own;
    await own.stop();
    return isStarted;
  },
  'FlovynClient.startWorkflow': asked(async (asking, given) => {
    if (given) await asking.startWorkflow(waiting);
    return (await asking.listWorkflows()).total;
  }),
  'FlovynClient.executeWorkflow': told(['x', 1], async (asking) => {
    const result = await asking.executeWorkflow(child, 'x');
    return [result, (await asking.listWorkflows()).total];
  }),
  'FlovynClient.getWorkflowHandle': told('x', async (asking) => {
    const { handle } = await asking.startWorkflow(child, 'x');
    return asking.getWorkflowHandle(handle.workflowId).result();
  }),
  'FlovynClient.resolvePromise': done((stage) => stage.client.resolvePromise(promiseId(stage), 'yes')),
  'FlovynClient.rejectPromise': done((stage) => stage.client.rejectPromise(promiseId(stage), 'no')),
  'FlovynClient.signalWorkflow': done((stage) =>
    stage.client.signalWorkflow(stage.handle.workflowId, 's', 'come'),
  ),
  'FlovynClient.signalWithStartWorkflow': asked(async (asking, given) => {
    const options = { workflowId: 'key', signalName: 's' };
    if (given) await asking.signalWithStartWorkflow(waiting, options);
    return (await asking.listWorkflows()).total;
  }),
  'FlovynClient.cancelWorkflow': done((stage) =>
    stage.client.cancelWorkflow(stage.handle.workflowId, 'enough'),
  ),
  'FlovynClient.listWorkflows': told(['waiting'], async (asking) => {
    await asking.startWorkflow(waiting);
    return (await asking.listWorkflows()).workflows.map(({ kind }) => kind);
  }),
  'FlovynClient.getActiveWorkflowExecutions': told([1, 0], (_asking, w) => activeDuring(w, 'operation')),
  'FlovynClient.getActiveTaskExecutions': told([1, 0], (_asking, w) => activeDuring(w, 'task')),
  'FlovynClient.getExecutionCacheMetrics': told(1, async (asking, w) => {
    const { handle } = await asking.startWorkflow(waiting);
    await untilSuspended(w, handle.workflowId);
    await until(() => asking.getActiveWorkflowExecutions().length === 0);
    return asking.getExecutionCacheMetrics()?.executions;
  }),
};

/** How many pieces of work a client says it has, while it has one and afterwards. */
async function activeDuring(w: World, type: 'operation' | 'task'): Promise<[during: number, after: number]> {
  const [begun, held] = [gate(), gate()];
  const hold = async (): Promise<void> => {
    begun.open();
    await held.promise;
  };
  const holdTask = task({ name: 'hold', run: hold });
  const holder = workflow({
    name: 'holder',
    run: (ctx) => (type === 'task' ? ctx.task(holdTask) : ctx.run('hold', hold)),
  });
  const own = await w.client([holder, holdTask], { queue: 'held' });
  const { handle } = await own.startWorkflow(holder);
  await begun.promise;
  const active = (): number =>
    (type === 'task' ? own.getActiveTaskExecutions() : own.getActiveWorkflowExecutions()).length;
  const during = active();
  held.open();
  await handle.result();
  await until(() => active() === 0);
  return [during, active()];
}

/** What a handle of a client does. */
export const clientHandles: Observations = {
  'WorkflowHandle.result': told('x', async (asking) => {
    const { handle } = await asking.startWorkflow(child, 'x');
    return handle.result();
  }),
  'WorkflowHandle.then': told(['x'], async (asking) => {
    const { handle } = await asking.startWorkflow(child, 'x');
    return [await handle];
  }),
  'WorkflowHandle.query': told(3, async (_asking, w) => {
    const handlers = { queries: { howMany: () => 3 } };
    const asking = workflow({ name: 'asked', handlers, run: (ctx) => ctx.promise('never') });
    const own = await w.client([asking], { queue: 'asked' });
    const { handle } = await own.startWorkflow(asking);
    await untilSuspended(w, handle.workflowId);
    return handle.query('howMany');
  }),
  'WorkflowHandle.signal': done(({ handle }) => handle.signal('s', 'come')),
  'WorkflowHandle.cancel': done(({ handle }) => handle.cancel('enough')),
  'WorkflowHandle.describe': told('waiting', async (asking, w) => {
    const { handle } = await asking.startWorkflow(waiting);
    await untilSuspended(w, handle.workflowId);
    return (await handle.describe()).kind;
  }),
};

/** An execution of a workflow that ends, or waits, started with an option or without it. */
const started = (option: string, value: unknown, observe: (stage: Stage) => unknown): Observation =>
  asked(async (asking, given, w) => {
    const { handle } = await asking.startWorkflow(waiting, undefined, only(given, option, value));
    return observe({ client: asking, handle, world: w });
  });

const described = async ({ handle }: Stage): Promise<unknown> => {
  const { queue, workflowVersion, timeout } = await handle.describe();
  return { queue, workflowVersion, timeout: timeout?.toString() };
};

/** What options of starts change, whichever call starts. */
const signalStarted = (option: string, value: unknown): Observation =>
  asked(async (asking, given, w) => {
    const options = { workflowId: 'key', signalName: 's', ...only(given, option, value) };
    const { workflowHandle } = await asking.signalWithStartWorkflow(waiting, options);
    const [start, signal] = await w.history(workflowHandle.workflowId);
    return [await described({ client: asking, handle: workflowHandle, world: w }), start?.data, signal?.data];
  });

/** Which of two executions that wait for a worker is taken first. */
const takenFirst: Observation = async (given) => {
  const w = world();
  const outside = await w.client();
  const quick = workflow({ name: 'quick', run: async (_ctx, n: unknown) => n });
  const first = await outside.startWorkflow(quick, 1);
  const second = await outside.startWorkflow(quick, 2, only(given, 'prioritySeconds', 1_000));
  const order: number[] = [];
  for (const [n, { handle }] of [first, second].entries()) void handle.result().then(() => order.push(n + 1));
  await w.client([quick], { workflowWorkerOptions: { maxConcurrent: 1 } });
  await until(() => order.length === 2);
  return order;
};

/** What options of calls change. */
export const callOptions: Observations = {
  'StartWorkflowOptions.queue': started('queue', 'elsewhere', described),
  'StartWorkflowOptions.workflowVersion': started('workflowVersion', '3.1.4', described),
  'StartWorkflowOptions.timeout': started('timeout', ms(60_000), described),
  'StartWorkflowOptions.idempotencyKey': started('idempotencyKey', 'key', async (stage) => {
    const options = { idempotencyKey: 'key' };
    const again = await stage.client.startWorkflow(waiting, undefined, options);
    return again.handle.workflowId === stage.handle.workflowId;
  }),
  'StartWorkflowOptions.prioritySeconds': takenFirst,
  'SignalledStart.signalValue': signalStarted('signalValue', 'come'),
  'SignalledStart.queue': signalStarted('queue', 'elsewhere'),
  'SignalledStart.workflowVersion': signalStarted('workflowVersion', '3.1.4'),
  'SignalledStart.timeout': signalStarted('timeout', ms(60_000)),
  'CancelWorkflowOptions.force': (given) =>
    play({
      run: async (ctx) => {
        await ctx.promise('never').catch(() => {});
        return 'made good';
      },
      act: ({ handle }) => handle.cancel('enough', only(given, 'force', true)),
    }),
  'CancelWorkflowOptions.cascadeToChildren': asked(async (_asking, given, w) => {
    const parent = workflow({
      name: 'parent',
      run: async (ctx) => {
        void ctx.scheduleWorkflow(waiting);
        await ctx.promise('never');
      },
    });
    const own = await w.client([parent, waiting], { queue: 'family' });
    const { handle } = await own.startWorkflow(parent);
    const theChild = async () => (await own.listWorkflows({ kind: 'waiting' })).workflows[0];
    await until(async () => (await theChild())?.status === 'WAITING');
    const childId = (await theChild())?.workflowId ?? '';
    await handle.cancel('enough', only(given, 'cascadeToChildren', false));
    await outcomeOf(handle);
    // Too late for a child that was cancelled.
    await own.resolvePromise(`${childId}:never`, 'went on').catch(() => {});
    return outcomeOf(own.getWorkflowHandle(childId));
  }),
  'ListWorkflowsOptions.kind': listed('kind', 'child'),
  'ListWorkflowsOptions.status': listed('status', 'COMPLETED'),
  'ListWorkflowsOptions.queue': listed('queue', 'elsewhere'),
  'ListWorkflowsOptions.limit': listed('limit', 1),
  'ListWorkflowsOptions.offset': listed('offset', 1),
};

function listed(option: string, value: unknown): Observation {
  return asked(async (asking, given, w) => {
    const { handle } = await asking.startWorkflow(waiting);
    await untilSuspended(w, handle.workflowId);
    await asking.executeWorkflow(child, 'x');
    const { workflows, total } = await asking.listWorkflows(only(given, option, value));
    return [total, workflows.map(({ kind, status }) => [kind, status])];
  });
}

/** What options of clients change that need no server over a network. */
export const clientOptions: Observations = {
  'FlovynClientOptions.queue': (given) => describedOf(only(given, 'queue', 'elsewhere')),
  'FlovynClientOptions.embedded': (given) => outcomeOf(startedAndStopped(only(given, 'embedded', true))),
  'FlovynClientOptions.transport': async (given) => {
    const transport = new EmbeddedTransport();
    const outcome = await outcomeOf(startedAndStopped(only(given, 'transport', transport)));
    await transport.close();
    return outcome;
  },
  'FlovynClientOptions.logger': async (given) => {
    const lines: string[] = [];
    const log = (message: string): void => void lines.push(message);
    const w = world();
    const talking = workflow({ name: 'talking', run: (ctx) => ctx.log.error('hello') });
    const logger = { debug: log, info: log, warn: log, error: log };
    const own = await w.client([talking], { ...only(given, 'logger', logger) });
    await own.executeWorkflow(talking);
    return lines.length;
  },
  'FlovynClientOptions.extensions': async (given) => {
    const w = world();
    const own = await w.client([child], only(given, 'extensions', false));
    await own.executeWorkflow(child, 'x');
    return [...w.engine.extensions];
  },
  'FlovynClientOptions.orgId': (given) =>
    outcomeOf(startedAndStopped({ embedded: true, ...only(given, 'orgId', 'no such') })),
};

async function describedOf(options: Partial<FlovynClientOptions>): Promise<unknown> {
  const w = world();
  const own = await w.client([waiting], options);
  const { handle } = await own.startWorkflow(waiting);
  return described({ client: own, handle, world: w });
}

async function startedAndStopped(options: Partial<FlovynClientOptions>): Promise<boolean> {
  const own = new FlovynClient(options);
  own.registerWorkflow(child);
  await own.start();
  try {
    return (await own.executeWorkflow(child, true)) as boolean;
  } finally {
    await own.stop();
  }
}
