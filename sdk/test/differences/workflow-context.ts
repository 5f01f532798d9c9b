import { TimeoutError } from '../../src/errors.js';
import type { QueryContext } from '../../src/workflow/handlers.js';
import { saga } from '../../src/workflow/saga.js';
import type { WorkflowContext } from '../../src/workflow/context-types.js';
import type { Clock } from '../../src/runtime/clock.js';
import { ManualClock, START_MS } from '../support/manual-clock.js';
import { gives, type Observation, type Observations, only } from './difference.js';
import { child, echo, fails, ms, outcomeOf, play, retryAtOnce, slow, submittedBy, waiting } from './play.js';

/** A workflow that does something, or does not. */
const doing =
  (act: (ctx: WorkflowContext) => unknown): Observation =>
  (given) =>
    play({ run: async (ctx) => (given ? await act(ctx) : null) });

/** A workflow whose context is asked for something: exactly what it gives. */
const asking = (expected: unknown, ask: (ctx: WorkflowContext) => unknown): Observation =>
  gives({ gave: expected }, async () => (await play({ run: ask })).outcome);

/** A workflow with two ways of doing something. */
const either =
  (run: (ctx: WorkflowContext, given: boolean, time: { readonly clock: Clock }) => unknown): Observation =>
  (given) => {
    const clock = new ManualClock();
    return play({ clock, run: (ctx) => run(ctx, given, { clock }) });
  };

/** A workflow that was sent two signals while it waited: exactly what its context says of them. */
const signalled = (expected: unknown, ask: (ctx: WorkflowContext) => unknown): Observation =>
  gives({ gave: expected }, async () => {
    const { outcome } = await play({
      run: async (ctx) => {
        await ctx.waitForSignal('begin');
        return ask(ctx);
      },
      act: async ({ handle }) => {
        for (const value of [1, 2]) await handle.signal('s', value);
        await handle.signal('begin');
      },
    });
    return outcome;
  });

/** Something that a cancelled workflow does. */
const cancelled =
  (run: (ctx: WorkflowContext, given: boolean) => unknown): Observation =>
  (given) =>
    play({
      run: async (ctx) => {
        await ctx.promise('never').catch(() => {});
        return run(ctx, given);
      },
      act: ({ handle }) => handle.cancel('enough'),
    });

/** What members of the context of a workflow do. */
export const workflowContext: Observations = {
  'WorkflowContext.schedule': doing((ctx) => ctx.schedule(echo, 'x')),
  'WorkflowContext.scheduleTask': doing((ctx) => ctx.scheduleTask(echo, 'x')),
  'WorkflowContext.scheduleByName': doing((ctx) => ctx.scheduleByName('echo', 'x')),
  'WorkflowContext.task': doing((ctx) => ctx.task(echo, 'x')),
  'WorkflowContext.sleep': doing((ctx) => ctx.sleep(ms(1))),
  'WorkflowContext.sleepUntil': doing((ctx) => ctx.sleepUntil(new Date(0))),
  'WorkflowContext.promise': doing((ctx) => outcomeOf(ctx.promise('p', { timeout: ms(1) }))),
  'WorkflowContext.run': doing((ctx) => ctx.run('op', () => 'x')),
  'WorkflowContext.get': asking('v', (ctx) => {
    ctx.set('k', 'v');
    return ctx.get('k');
  }),
  'WorkflowContext.getState': asking('v', (ctx) => {
    ctx.set('k', 'v');
    return ctx.getState('k');
  }),
  'WorkflowContext.set': doing((ctx) => ctx.set('k', 'v')),
  'WorkflowContext.setState': doing((ctx) => ctx.setState('k', 'v')),
  'WorkflowContext.clear': either((ctx, given) => {
    ctx.set('k', 'v');
    if (given) ctx.clear('k');
  }),
  'WorkflowContext.clearState': either((ctx, given) => {
    ctx.set('k', 'v');
    if (given) ctx.clearState('k');
  }),
  'WorkflowContext.clearAll': either((ctx, given) => {
    ctx.set('k', 'v');
    if (given) ctx.clearAll();
  }),
  'WorkflowContext.stateKeys': asking(['k'], (ctx) => {
    ctx.set('k', 'v');
    return ctx.stateKeys();
  }),
  'WorkflowContext.currentTime': asking(new Date(START_MS + 5), async (ctx) => {
    await ctx.sleep(ms(5));
    return ctx.currentTime();
  }),
  'WorkflowContext.currentTimeMillis': asking(START_MS + 5, async (ctx) => {
    await ctx.sleep(ms(5));
    return ctx.currentTimeMillis();
  }),
  // An id is written so in what was played.
  'WorkflowContext.randomUUID': asking(['<id>', true], (ctx) => {
    const [one, other] = [ctx.randomUUID(), ctx.randomUUID()];
    return [one, one !== other];
  }),
  'WorkflowContext.random': asking([true, true], (ctx) => {
    const [one, other] = [ctx.random(), ctx.random()];
    return [[one, other].every((n) => n >= 0 && n < 1), one !== other];
  }),
  'WorkflowContext.checkCancellation': cancelled((ctx, given) => {
    if (given) ctx.checkCancellation();
    return 'went on';
  }),
  'WorkflowContext.requestCancellation': either(async (ctx, given) => {
    const handle = ctx.scheduleWorkflow(waiting);
    await ctx.sleep(ms(1));
    if (given) await ctx.requestCancellation(handle.childExecutionId, 'enough');
    return Promise.race([outcomeOf(handle), ctx.sleep(ms(30))]);
  }),
  'WorkflowContext.scope': doing(async (ctx) => ctx.scope((inner) => inner.task(echo, 'x'))),
  'WorkflowContext.nonCancellable': cancelled(async (ctx, given) => {
    const scope = ctx.scope((inner) => {
      const work = (within: WorkflowContext): Promise<unknown> => within.sleep(ms(2));
      return given ? inner.nonCancellable(work) : work(inner);
    });
    scope.cancel('enough');
    return outcomeOf(scope);
  }),
  'WorkflowContext.withTimeout': either(async (ctx, given) => {
    const promise = ctx.promise('p', { timeout: ms(20) });
    const error = await (given ? ctx.withTimeout(promise, ms(1)) : promise).catch(
      (thrown: unknown) => thrown,
    );
    return error instanceof TimeoutError;
  }),
  'WorkflowContext.scheduleWorkflow': doing((ctx) => ctx.scheduleWorkflow(child, 'x')),
  'WorkflowContext.scheduleWorkflowByName': doing((ctx) => ctx.scheduleWorkflowByName('child', 'x')),
  'WorkflowContext.workflow': doing((ctx) => ctx.workflow(child, 'x')),
  'WorkflowContext.waitForSignal': signalled(1, (ctx) => ctx.waitForSignal('s')),
  'WorkflowContext.hasSignal': signalled([true, false], (ctx) => [ctx.hasSignal('s'), ctx.hasSignal('t')]),
  'WorkflowContext.pendingSignalCount': signalled([2, 0], (ctx) =>
    ['s', 't'].map((name) => ctx.pendingSignalCount(name)),
  ),
  'WorkflowContext.drainSignals': signalled([1, 2], (ctx) => ctx.drainSignals('s')),
  'WorkflowContext.patched': asking(true, (ctx) => ctx.patched('change')),
  'WorkflowContext.deprecatePatch': doing((ctx) => ctx.deprecatePatch('change')),
};

/** What handles in workflow code do. */
export const handles: Observations = {
  'CancellablePromise.cancel': either(async (ctx, given) => {
    const timer = ctx.sleep(ms(5));
    if (given) timer.cancel('enough');
    return outcomeOf(timer);
  }),
  'TaskHandle.cancel': either(async (ctx, given) => {
    const handle = ctx.schedule(slow, undefined, { totalTimeout: ms(50) });
    await ctx.sleep(ms(1));
    if (given) handle.cancel('enough');
    return outcomeOf(handle);
  }),
  'TaskHandle.result': doing((ctx) => ctx.schedule(echo, 'x').result()),
  'ChildWorkflowHandle.cancel': either(async (ctx, given) => {
    const handle = ctx.scheduleWorkflow(waiting);
    await ctx.sleep(ms(1));
    if (given) handle.cancel('enough');
    return Promise.race([outcomeOf(handle), ctx.sleep(ms(30))]);
  }),
  'ChildWorkflowHandle.result': doing((ctx) => ctx.scheduleWorkflow(child, 'x').result()),
  'ScopeHandle.cancel': either(async (ctx, given) => {
    const scope = ctx.scope((inner) => inner.sleep(ms(5)));
    if (given) scope.cancel('enough');
    return outcomeOf(scope);
  }),
  saga: doing(async (ctx) => {
    const undo = saga();
    undo.add(() => ctx.task(echo, 'undone'));
    await undo.compensate();
  }),
  'Saga.add': either(async (ctx, given) => {
    const undo = saga();
    if (given) undo.add(() => ctx.task(echo, 'undone'));
    await undo.compensate();
  }),
  'Saga.compensate': either(async (ctx, given) => {
    const undo = saga();
    undo.add(() => ctx.task(echo, 'undone'));
    if (given) await undo.compensate();
  }),
};

const scheduled = (option: string, value: unknown): Observation =>
  either((ctx, given) =>
    outcomeOf(ctx.schedule(slow, undefined, { totalTimeout: ms(40), ...only(given, option, value) })),
  );

/** What options of verbs change. */
export const verbOptions: Observations = {
  'TaskOptions.queue': either(async (ctx, given) => {
    const handle = ctx.schedule(echo, 'x', { totalTimeout: ms(40), ...only(given, 'queue', 'elsewhere') });
    return outcomeOf(handle);
  }),
  'TaskOptions.timeout': scheduled('timeout', ms(10)),
  'TaskOptions.totalTimeout': scheduled('totalTimeout', ms(10)),
  'TaskOptions.heartbeatTimeout': scheduled('heartbeatTimeout', ms(10)),
  'TaskOptions.retry': either((ctx, given) =>
    outcomeOf(ctx.schedule(fails, undefined, only(given, 'retry', retryAtOnce))),
  ),
  'ChildWorkflowOptions.name': either((ctx, given) =>
    ctx.workflow(child, 'x', only(given, 'name', 'my child')),
  ),
  'ChildWorkflowOptions.queue': either((ctx, given) => {
    const handle = ctx.scheduleWorkflow(child, 'x', only(given, 'queue', 'elsewhere'));
    return Promise.race([handle, ctx.sleep(ms(40))]);
  }),
  'ChildWorkflowOptions.prioritySeconds': (given) =>
    submittedBy((ctx) => void ctx.scheduleWorkflow(child, 'x', only(given, 'prioritySeconds', 1_000))),
  'PromiseOptions.timeout': either((ctx, given) =>
    Promise.race([outcomeOf(ctx.promise('p', only(given, 'timeout', ms(1)))), ctx.sleep(ms(20))]),
  ),
  'PromiseOptions.idempotencyKey': (given) =>
    play({
      run: (ctx) =>
        Promise.race([ctx.promise('p', only(given, 'idempotencyKey', 'the key')), ctx.sleep(ms(60))]),
      act: ({ client }) => client.resolvePromise('the key', 'x').catch(() => {}),
    }),
  'OperationOptions.timeout': either((ctx, given, { clock }) => {
    const late = (signal: AbortSignal): Promise<unknown> =>
      new Promise((resolve, reject) => {
        clock.schedule(20, () => resolve('in the end'));
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    return outcomeOf(ctx.run('op', late, only(given, 'timeout', ms(1))));
  }),
  'OperationOptions.retry': either((ctx, given) => {
    let attempts = 0;
    const once = (): unknown => {
      attempts += 1;
      if (attempts === 1) throw new Error('the first time');
      return attempts;
    };
    return outcomeOf(ctx.run('op', once, only(given, 'retry', retryAtOnce)));
  }),
  'ScopeOptions.timeout': either((ctx, given) =>
    outcomeOf(ctx.scope((inner) => inner.sleep(ms(20)), only(given, 'timeout', ms(1)))),
  ),
  'WorkflowHandlers.signals': (given) =>
    play({
      run: async (ctx) => {
        await ctx.waitForSignal('go');
        return [ctx.get('noted'), ctx.pendingSignalCount('note')];
      },
      config: {
        handlers: only(given, 'signals', { note: (ctx: WorkflowContext) => ctx.set('noted', true) }),
      },
      act: async ({ handle }) => {
        await handle.signal('note');
        await handle.signal('go');
      },
    }),
  'WorkflowHandlers.queries': async (given) => {
    let answer: unknown;
    await play({
      run: (ctx) => ctx.waitForSignal('go'),
      config: { handlers: only(given, 'queries', { howMany: () => 3 }) },
      act: async ({ handle }) => {
        answer = await handle.query('howMany');
        await handle.signal('go');
      },
    });
    return answer;
  },
};

/** What the code of a query is told of an execution that has a state: exactly this. */
const queried = (expected: unknown, ask: (ctx: QueryContext) => unknown): Observation =>
  gives(expected, async () => {
    let answer: unknown;
    await play({
      run: (ctx) => {
        ctx.set('k', 'v');
        return ctx.waitForSignal('go');
      },
      config: { handlers: { queries: { ask } } },
      act: async ({ handle }) => {
        answer = await handle.query('ask');
        await handle.signal('go');
      },
    });
    return answer;
  });

/** What the context of a query does. */
export const queryContext: Observations = {
  'QueryContext.get': queried(['v', null], (ctx) => [ctx.get('k'), ctx.get('other')]),
  'QueryContext.stateKeys': queried(['k'], (ctx) => ctx.stateKeys()),
};

/** What options of definitions of workflows change. */
export const workflowConfig: Observations = {
  'WorkflowSettings.timeout': (given) =>
    play({
      run: (ctx) => ctx.promise('p', { timeout: ms(300) }),
      config: only(given, 'timeout', ms(20)),
    }),
  'WorkflowSettings.version': async (given) => {
    const { history } = await play({ run: () => null, config: only(given, 'version', '2.1.0') });
    return history[0];
  },
  'WorkflowSettings.handlers': (given) =>
    play({
      run: async (ctx) => {
        await ctx.waitForSignal('go');
        return ctx.get('noted');
      },
      config: only(given, 'handlers', {
        signals: { note: (ctx: WorkflowContext) => ctx.set('noted', true) },
      }),
      act: async ({ handle }) => {
        await handle.signal('note');
        await handle.signal('go');
      },
    }),
};
