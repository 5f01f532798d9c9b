import { expect, test } from 'vitest';
import { ConfigurationError, FlovynError } from '../src/errors.js';
import { Duration } from '../src/duration.js';
import { originOf } from '../src/workflow/own-errors.js';
import { task } from '../src/task/define.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { gate, until, world } from './support/world.js';

const noop = task({ name: 'noop', run: () => null });

const verbs: Record<string, (ctx: WorkflowContext) => unknown> = {
  'ctx.schedule': (ctx) => ctx.schedule(noop),
  'ctx.scheduleByName': (ctx) => ctx.scheduleByName('noop'),
  'ctx.sleep': (ctx) => ctx.sleep(Duration.seconds(1)),
  'ctx.sleepUntil': (ctx) => ctx.sleepUntil(new Date()),
  'ctx.promise': (ctx) => ctx.promise('p'),
  'ctx.run': (ctx) => ctx.run('op', () => 1),
  'ctx.get': (ctx) => ctx.get('k'),
  'ctx.set': (ctx) => ctx.set('k', 1),
  'ctx.clear': (ctx) => ctx.clear('k'),
  'ctx.clearAll': (ctx) => ctx.clearAll(),
  'ctx.stateKeys': (ctx) => ctx.stateKeys(),
  'ctx.currentTime': (ctx) => ctx.currentTime(),
  'ctx.currentTimeMillis': (ctx) => ctx.currentTimeMillis(),
  'ctx.randomUUID': (ctx) => ctx.randomUUID(),
  'ctx.random': (ctx) => ctx.random(),
  'ctx.info': (ctx) => ctx.info,
  'ctx.isCancellationRequested': (ctx) => ctx.isCancellationRequested,
  'ctx.checkCancellation': (ctx) => ctx.checkCancellation(),
  'ctx.requestCancellation': (ctx) => ctx.requestCancellation('id'),
  'ctx.scope': (ctx) => ctx.scope(() => 1),
  'ctx.nonCancellable': (ctx) => ctx.nonCancellable(() => 1),
  'ctx.withTimeout': (ctx) => ctx.withTimeout(Promise.resolve(), Duration.seconds(1)),
  'ctx.scheduleWorkflow': (ctx) => ctx.scheduleWorkflow(workflow({ name: 'child', run: () => 1 })),
  'ctx.scheduleWorkflowByName': (ctx) => ctx.scheduleWorkflowByName('child'),
  'ctx.waitForSignal': (ctx) => ctx.waitForSignal('s'),
  'ctx.hasSignal': (ctx) => ctx.hasSignal('s'),
  'ctx.pendingSignalCount': (ctx) => ctx.pendingSignalCount('s'),
  'ctx.drainSignals': (ctx) => ctx.drainSignals('s'),
  'ctx.patched': (ctx) => ctx.patched('p'),
  'ctx.deprecatePatch': (ctx) => ctx.deprecatePatch('p'),
};

test.each(Object.entries(verbs))(
  '%s outside a turn is refused by its name, with advice',
  async (verb, call) => {
    const w = world();
    const caught = gate<unknown>();
    const inOperation = workflow({
      name: 'in-operation',
      run: (ctx) =>
        ctx.run('op', async () => {
          try {
            await call(ctx);
          } catch (error) {
            caught.open(error);
          }
        }),
    });
    const client = await w.client([inOperation]);
    await client.executeWorkflow(inOperation);
    const error = await caught.promise;
    expect(error).toBeInstanceOf(FlovynError);
    expect(error).toMatchObject({ code: 'NOT_IN_TURN' });
    expect((error as Error).message).toMatch(new RegExp(`^${verb} was called outside a turn .* ctx\\.run`));
    expect(originOf(error)).toBe(verb);
    expect(w.logger.at('warn')).toEqual([expect.stringContaining(`${verb} was called outside a turn`)]);
  },
);

test('arguments that cannot be meant are refused before anything is recorded', async () => {
  const w = world();
  const thrown: unknown[] = [];
  const wrong = workflow({
    name: 'wrong',
    run: (ctx) => {
      const calls = [
        () => ctx.schedule('noop' as never),
        () => ctx.run('op', 1 as never),
        () => ctx.sleepUntil(new Date(Number.NaN)),
        () => ctx.schedule(noop, null, { timeout: Duration.milliseconds(0) }),
        () => ctx.schedule(noop, null, { retry: { maxRetries: -1 } }),
        () => ctx.schedule(noop, null, { typo: 1 } as never),
        () => ctx.promise('p', { typo: 1 } as never),
        () => ctx.promise('p', { timeout: Duration.milliseconds(-1) }),
        () => ctx.promise('p', { idempotencyKey: 1 as never }),
        () => ctx.run('op', () => 1, { typo: 1 } as never),
        () => ctx.run('op', () => 1, { timeout: Duration.milliseconds(0) }),
        () => ctx.sleep(1_000 as never),
        () => ctx.sleepUntil(1_000 as never),
        () => ctx.promise('p', { timeout: 1_000 as never }),
        () => ctx.run('op', () => 1, { timeout: 1_000 as never }),
        () => ctx.run('op', () => 1, { retry: { initialDelay: 1_000 as never } }),
        () => ctx.schedule(noop, null, { timeout: 1_000 as never }),
        () => ctx.schedule(noop, null, { retry: { backoffMultiplier: Number.POSITIVE_INFINITY } }),
        // The core takes texts on trust: a number would trap it, and with it every execution.
        () => ctx.run(1 as never, () => 1),
        () => ctx.promise(undefined as never),
        () => ctx.scheduleByName(1 as never),
        () => ctx.get(1 as never),
        () => ctx.set(1 as never, 1),
        () => ctx.clear(1 as never),
      ];
      for (const call of calls) {
        try {
          void call();
        } catch (error) {
          thrown.push(error);
        }
      }
      return calls.length;
    },
  });
  const client = await w.client([wrong]);
  const { handle } = await client.startWorkflow(wrong);
  expect(await handle.result()).toBe(thrown.length);
  for (const error of thrown) expect(error).toBeInstanceOf(ConfigurationError);
  expect(await w.eventTypes(handle.workflowId)).toEqual(['WORKFLOW_STARTED', 'WORKFLOW_COMPLETED']);
});

test('a duration that is none is told what it should be', async () => {
  const w = world();
  const impatient = workflow({ name: 'impatient', run: (ctx) => ctx.sleep(1_000 as never) });
  const client = await w.client([impatient]);
  const { message } = await failureOf(client.executeWorkflow(impatient));
  expect(message).toBe('ctx.sleep: expected a Duration, such as Duration.seconds(5), got 1000');
});

test.each([
  ['message', 5],
  ['message', { code: 5 }],
  ['stack', 5],
])('an error whose %s is %j fails the execution, not the core', async (property, value) => {
  const w = world();
  const odd = () => Object.defineProperty(new Error('odd'), property, { value });
  const fails = workflow({
    name: 'fails',
    run: async (ctx) => {
      const caught = ctx.run('op', () => Promise.reject(odd()));
      await caught.catch((error: unknown) => expect(error).toBeInstanceOf(Error));
      throw odd();
    },
  });
  const client = await w.client([fails]);
  expect(await failureOf(client.executeWorkflow(fails))).toMatchObject({ name: 'WorkflowFailed' });
});

test('a workflow that waits for what Flovyn does not know is parked with advice', async () => {
  const w = world();
  const bare = workflow({
    name: 'bare',
    run: async (ctx) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return ctx.task(noop);
    },
  });
  const client = await w.client([bare, noop]);
  const { handle } = await client.startWorkflow(bare);
  await until(() => w.engine.count('ReleaseClaim') > 0);
  const [line] = w.logger.at('error');
  expect(line).toContain(`workflow bare ${handle.workflowId}: parked for `);
  expect(line).toContain('Workflow "bare" cannot go on: it waits for something that Flovyn does not know');
  expect(w.engine.count('SubmitWorkflowCommands')).toBe(0);
});

test('a workflow that ends after such a wait is parked too', async () => {
  const w = world();
  const bare = gate();
  const op = gate();
  const stray = workflow({
    name: 'stray',
    run: async (ctx) => {
      void ctx.run('op', () => op.promise);
      await bare.promise;
      return 'too late';
    },
  });
  const client = await w.client([stray]);
  await client.startWorkflow(stray);
  await w.quiet();
  bare.open();
  await w.quiet();
  op.open();
  await until(() => w.engine.count('ReleaseClaim') > 0);
  expect(w.logger.at('error')[0]).toContain('Workflow "stray" ended outside a turn');
});

test('code that goes on after its activation has ended is warned of, and not kept in memory', async () => {
  const w = world();
  const bare = gate();
  let runs = 0;
  const stray = workflow({
    name: 'stray',
    run: async (ctx) => {
      runs += 1;
      const answer = ctx.promise('answer');
      if (runs === 1) {
        await bare.promise;
        await failureOf((async () => ctx.task(noop))());
      }
      return answer;
    },
  });
  const client = await w.client([stray, noop]);
  const { handle } = await client.startWorkflow(stray);
  await until(() => w.engine.count('SubmitWorkflowCommands') > 0);
  await until(async () => (await handle.describe()).status === 'WAITING');
  expect(w.logger.at('warn')).toEqual([]);
  bare.open();
  await until(() => w.logger.at('warn').length > 0);
  expect(w.logger.at('warn')).toEqual([
    expect.stringMatching(/^workflow stray [-0-9a-f]+: ctx\.schedule was called outside a turn .*ctx\.run/),
  ]);
  await client.resolvePromise(`${handle.workflowId}:answer`, 'yes');
  expect(await handle.result()).toBe('yes');
  // What was kept was not where a replay would be: the function ran again from the start, at once.
  expect(runs).toBe(2);
  expect(w.logger.at('error')).toEqual([]);
  expect(w.engine.count('ReleaseClaim')).toBe(0);
});

test('a function that ends after its activation is warned of', async () => {
  const w = world();
  const bare = gate();
  const stray = workflow({
    name: 'stray',
    run: async (ctx) => {
      void ctx.promise('answer');
      await bare.promise;
      return 'too late';
    },
  });
  const client = await w.client([stray]);
  const { handle } = await client.startWorkflow(stray);
  await until(async () => (await handle.describe()).status === 'WAITING');
  bare.open();
  await until(() => w.logger.at('warn').length > 0);
  expect(w.logger.at('warn')).toEqual([expect.stringContaining('Workflow "stray" ended outside a turn')]);
});

test('100,000 awaits in a row are one turn', async () => {
  const w = world();
  const patient = workflow({
    name: 'patient',
    run: async (ctx) => {
      for (let n = 0; n < 100_000; n += 1) await null;
      return ctx.task(noop);
    },
  });
  const client = await w.client([patient, noop]);
  expect(await client.executeWorkflow(patient)).toBeNull();
});
