import { Duration, saga, WorkflowCancelled } from '@flovyn/sdk';

import { same, thrownBy, until } from '../harness.mjs';
import { echo, ms, noteByTask, pause, slowEcho, suite } from '../tools.mjs';

// Cancelling executions, handles and scopes.

const HOUR = Duration.hours(1);
/** Cancels the execution once its workflow waits. */
const cancelWhenAsked = async ({ handle, notes }) => {
  await until(() => notes.includes('asked'));
  await handle.cancel('changed my mind');
};

suite.check('cancel: a long sleep ends, what was done is undone, and it ends as cancelled', {
  needs: 'operating',
  run: async (ctx) => {
    const undo = saga();
    undo.add(() => noteByTask(ctx, 'undone first step'));
    undo.add(() => noteByTask(ctx, 'undone second step'));
    // A branch that nobody awaits.
    void (async () => ctx.promise('never'))();
    noteByTask(ctx, 'asked');
    try {
      await ctx.sleep(Duration.days(30));
    } catch (error) {
      await undo.compensate();
      throw error;
    }
  },
  act: cancelWhenAsked,
  fails: /changed my mind/,
  then: ({ error, notes }) => {
    same([error.name, error.reason], ['WorkflowCancelled', 'changed my mind']);
    same(notes, ['asked', 'undone second step', 'undone first step']);
  },
});

suite.check('cancel: every pending handle rejects, in the order they were made', {
  needs: 'operating',
  run: async (ctx) => {
    const order = [];
    const watch = (name, handle) => handle.catch((error) => order.push(`${name} ${error.name}`));
    noteByTask(ctx, 'asked');
    await Promise.all([
      watch('signal', ctx.waitForSignal('s')),
      watch('timer', ctx.sleep(HOUR)),
      watch('promise', ctx.promise('p')),
    ]);
    const checked = await thrownBy(async () => ctx.checkCancellation());
    return [order, ctx.isCancellationRequested, ctx.cancellation.aborted, checked.name];
  },
  act: cancelWhenAsked,
  gives: [
    ['signal WorkflowCancelled', 'timer WorkflowCancelled', 'promise WorkflowCancelled'],
    true,
    true,
    'WorkflowCancelled',
  ],
});

suite.check('cancel: what is not cancellable goes on', {
  needs: 'operating',
  run: async (ctx) => {
    const kept = ctx.nonCancellable(async (inner) => {
      const value = await inner.waitForSignal('go');
      return [value, inner.isCancellationRequested];
    });
    noteByTask(ctx, 'asked');
    await thrownBy(() => ctx.sleep(HOUR));
    noteByTask(ctx, 'cancelled');
    return await kept;
  },
  act: async (tools) => {
    await cancelWhenAsked(tools);
    await until(() => tools.notes.includes('cancelled'));
    await tools.handle.signal('go', 'went on');
  },
  gives: ['went on', false],
});

suite.check('cancel: by force it ends at once', {
  needs: 'operating',
  run: async (ctx) => {
    noteByTask(ctx, 'asked');
    await ctx.nonCancellable((inner) => inner.sleep(HOUR));
  },
  act: async ({ handle, notes }) => {
    await until(() => notes.includes('asked'));
    await handle.cancel('now', { force: true });
  },
  fails: /now/,
});

suite.check('cancel: a workflow may cancel itself', {
  run: async () => {
    throw new WorkflowCancelled('out of budget', 'budget');
  },
  fails: /budget/,
  then: ({ error }) => same(error.name, 'WorkflowCancelled'),
});

suite.check('handle: timers, promises, signals and operations are cancelled at once', {
  run: async (ctx) => {
    const handles = [
      ctx.sleep(HOUR),
      ctx.promise('p'),
      ctx.waitForSignal('s'),
      ctx.run('op', () => 'recorded'),
    ];
    for (const handle of handles) handle.cancel('enough');
    const errors = await Promise.all(handles.map((handle) => thrownBy(() => handle)));
    await ctx.task(echo, null);
    return errors.map(({ name, message }) => [name, message.includes('enough')]);
  },
  gives: Array.from({ length: 4 }, () => ['HandleCancelled', true]),
});

suite.check('handle: a task is cancelled, and its worker learns it', {
  needs: 'extensions',
  run: async (ctx) => {
    const work = ctx.scheduleByName('nobody-runs-this');
    work.cancel('enough');
    return (await thrownBy(() => work)).name;
  },
  gives: 'TaskCancelled',
});

suite.check('timeout: the loser is cancelled', {
  run: async (ctx) => {
    const quick = await ctx.withTimeout(ctx.task(echo, 'quick'), HOUR);
    const never = ctx.promise('never');
    const late = await thrownBy(() => ctx.withTimeout(never, ms(5)));
    await ctx.task(echo, null);
    return [quick, late.name, (await thrownBy(() => never)).name];
  },
  gives: ['quick', 'TimeoutError', 'HandleCancelled'],
});

suite.check('scope: its time is over, its work is cancelled, its function makes good', {
  run: async (ctx) => {
    const steps = [];
    const late = await thrownBy(() =>
      ctx.scope(
        async (inner) => {
          try {
            await Promise.all([inner.sleep(HOUR), inner.scope((nested) => nested.promise('p'))]);
          } finally {
            steps.push(inner.cancellation.aborted, await inner.task(echo, 'made good'));
          }
        },
        { timeout: ms(5) },
      ),
    );
    const within = await ctx.scope((inner) => inner.task(slowEcho, { after: 1, value: 'within' }), {
      timeout: HOUR,
    });
    return [late.name, steps, within, ctx.isCancellationRequested];
  },
  gives: ['TimeoutError', [true, 'made good'], 'within', false],
});

suite.check('scope: cancelled by hand', {
  run: async (ctx) => {
    const scope = ctx.scope((inner) => inner.sleep(HOUR));
    await ctx.sleep(ms(1));
    scope.cancel('enough');
    return (await thrownBy(() => scope)).name;
  },
  gives: 'HandleCancelled',
});

suite.check('workflow timeout: the execution fails when its time is over', {
  needs: 'extensions',
  run: (ctx) => ctx.sleep(ms(1)).then(() => 'in time'),
  gives: 'in time',
  then: async ({ client }) => {
    const { handle } = await client.startWorkflow(endless, null, { timeout: ms(50) });
    const error = await thrownBy(() => handle.result());
    same([error.name, /time/i.test(error.message)], ['WorkflowFailed', true]);
    await pause(1);
    same((await handle.describe()).status, 'FAILED');
  },
});

const endless = suite.workflow('endless', (ctx) => ctx.sleep(HOUR));
