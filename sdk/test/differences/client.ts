import { FlovynClient } from '../../src/client/client.js';
import type { WorkflowHandle } from '../../src/client/handle.js';
import type { FlovynClientOptions } from '../../src/client/options.js';
import { EmbeddedTransport } from '../../src/transport/embedded.js';
import { task } from '../../src/task/define.js';
import { workflow } from '../../src/workflow/define.js';
import { gate, until, type World, world } from '../support/world.js';
import { type Observation, type Observations, only } from './difference.js';
import { child, echo, ms, outcomeOf, play, type Stage, untilSuspended, waiting, withoutIds } from './play.js';

/** Something that is done from outside to an execution that waits, or is not. */
const done =
  (act: (stage: Stage) => unknown): Observation =>
  (given) =>
    play({
      run: (ctx) =>
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

const promiseId = ({ handle }: Stage): string => `${handle.workflowId}:p`;

/** What a client does. */
export const client: Observations = {
  'FlovynClient.registerWorkflow': async (given) => {
    const own = new FlovynClient({ embedded: true });
    if (given) own.registerWorkflow(child);
    own.registerTask(echo);
    await own.start();
    const { handle } = await own.startWorkflow(child, 'x');
    const outcome = await outcomeSoon(handle, given);
    await own.stop();
    return outcome;
  },
  'FlovynClient.registerTask': async (given) => {
    const own = new FlovynClient({ embedded: true });
    const caller = workflow({ name: 'caller', run: (ctx) => ctx.task(echo, 'x') });
    own.registerWorkflow(caller);
    if (given) own.registerTask(echo);
    await own.start();
    const { handle } = await own.startWorkflow(caller);
    const outcome = await outcomeSoon(handle, given);
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
  'FlovynClient.executeWorkflow': asked((asking, given) =>
    given ? asking.executeWorkflow(child, 'x') : undefined,
  ),
  'FlovynClient.getWorkflowHandle': asked(async (asking, given) => {
    const { handle } = await asking.startWorkflow(child, 'x');
    return given ? asking.getWorkflowHandle(handle.workflowId).result() : undefined;
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
  'FlovynClient.listWorkflows': asked(async (asking, given) => {
    await asking.startWorkflow(waiting);
    return given ? (await asking.listWorkflows()).workflows.length : 0;
  }),
  'FlovynClient.getActiveWorkflowExecutions': asked((_asking, given, w) =>
    given ? activeDuring(w, 'operation') : 0,
  ),
  'FlovynClient.getActiveTaskExecutions': asked((_asking, given, w) => (given ? activeDuring(w, 'task') : 0)),
  'FlovynClient.getExecutionCacheMetrics': asked((asking, given) =>
    given ? asking.getExecutionCacheMetrics()?.executions : undefined,
  ),
};

/** How many pieces of work a client says it has, while it has one. */
async function activeDuring(w: World, type: 'operation' | 'task'): Promise<number> {
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
  const active = type === 'task' ? own.getActiveTaskExecutions() : own.getActiveWorkflowExecutions();
  held.open();
  await handle.result();
  return active.length;
}

/** What a handle of a client does. */
export const clientHandles: Observations = {
  'WorkflowHandle.result': asked(async (asking, given) => {
    const { handle } = await asking.startWorkflow(child, 'x');
    return given ? handle.result() : undefined;
  }),
  'WorkflowHandle.query': asked(async (asking, given, w) => {
    const { handle } = await asking.startWorkflow(waiting);
    await untilSuspended(w, handle.workflowId);
    return given ? handle.query('anything') : 'not asked';
  }),
  'WorkflowHandle.signal': done(({ handle }) => handle.signal('s', 'come')),
  'WorkflowHandle.cancel': done(({ handle }) => handle.cancel('enough')),
  'WorkflowHandle.describe': asked(async (asking, given, w) => {
    const { handle } = await asking.startWorkflow(waiting);
    await untilSuspended(w, handle.workflowId);
    return given ? (await handle.describe()).kind : undefined;
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
    const childOf = async (): Promise<string | undefined> =>
      (await own.listWorkflows({ kind: 'waiting' })).workflows[0]?.status;
    await until(async () => (await childOf()) === 'WAITING');
    await handle.cancel('enough', only(given, 'cascadeToChildren', false));
    await outcomeOf(handle);
    const cancelled = until(async () => (await childOf()) === 'CANCELLED');
    await (given ? Promise.race([cancelled, pause(40)]) : cancelled);
    return childOf();
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

/** What comes of an execution that ends only if something is given: else it is not waited for. */
async function outcomeSoon(handle: WorkflowHandle, given: boolean): Promise<unknown> {
  const outcome = outcomeOf(handle);
  // A machine that is busy makes what ends late, but never makes it end.
  return given ? outcome : Promise.race([outcome, pause(40)]);
}

function pause(delayMs: number): Promise<'still waiting'> {
  return new Promise((resolve) => setTimeout(() => resolve('still waiting'), delayMs));
}
