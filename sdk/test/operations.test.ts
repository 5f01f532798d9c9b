import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { ConnectionError } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { PlainTransport } from './support/plain-transport.js';
import { gate, MeddledTransport, until, world } from './support/world.js';

const NAMES = ['first', 'second', 'third', 'fourth'];

test('a recorded operation is not called again when its worker dies', async () => {
  const w = world({ leaseMs: 200 });
  const calls: string[] = [];
  const steps = (worker: string, inThird: Promise<void>) =>
    workflow({
      name: 'steps',
      run: async (ctx) => {
        const results: string[] = [];
        for (const name of NAMES) {
          const result = await ctx.run(name, async () => {
            calls.push(`${name} by ${worker}`);
            if (name === 'third') await inThird;
            return `${name} by ${worker}`;
          });
          results.push(result);
        }
        return results;
      },
    });
  const never = gate();
  const dying = new MeddledTransport(w.engine);
  const first = await w.client([steps('A', never.promise)], { transport: dying });
  const { handle } = await first.startWorkflow('steps');
  await until(() => calls.includes('third by A'));
  dying.kill();

  const second = await w.client([steps('B', Promise.resolve())]);
  const result = await second.getWorkflowHandle(handle.workflowId).result();
  expect(result).toEqual(['first by A', 'second by A', 'third by B', 'fourth by B']);
  expect(calls).toEqual(['first by A', 'second by A', 'third by A', 'third by B', 'fourth by B']);
});

test('operations of different names run at once, and settle in the order of their records', async () => {
  const w = world();
  const gates = { slow: gate(), fast: gate() };
  const both = workflow({
    name: 'both',
    run: async (ctx) => {
      const order: string[] = [];
      const run = async (name: 'slow' | 'fast') => {
        await ctx.run(name, () => gates[name].promise);
        order.push(name);
      };
      await Promise.all([run('slow'), run('fast')]);
      await ctx.sleep(Duration.milliseconds(0));
      return order;
    },
  });
  const client = await w.client([both]);
  const { handle } = await client.startWorkflow(both);
  gates.fast.open();
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('OPERATION_COMPLETED'));
  gates.slow.open();
  expect(await handle.result()).toEqual(['fast', 'slow']);
});

test('operations that finish during a partial submission share the next one', async () => {
  const w = world();
  const [sending, rest] = [gate(), gate()];
  const many = workflow({
    name: 'many',
    run: (ctx) =>
      Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          ctx.run(`op-${n}`, async () => {
            if (n > 0) await rest.promise;
            return n;
          }),
        ),
      ),
  });
  let submissions = 0;
  w.engine.intercept = async (method, next) => {
    if (method === Method.SubmitWorkflowCommands && (submissions += 1) === 1) {
      rest.open();
      await sending.promise;
    }
    return next();
  };
  const client = await w.client([many]);
  const { handle } = await client.startWorkflow(many);
  await until(() => submissions === 1);
  // Long enough for the nine to finish while the first submission is under way.
  await w.quiet();
  sending.open();
  expect(await handle.result()).toEqual(Array.from({ length: 10 }, (_, n) => n));
  // The first alone, the nine together, the end.
  expect(submissions).toBe(3);
});

test('an operation is retried and timed out inside itself, and only its end is recorded', async () => {
  const w = world();
  let attempts = 0;
  let reason: unknown;
  const unsteady = workflow({
    name: 'unsteady',
    run: async (ctx) => {
      const retry = { maxRetries: 5, initialDelay: Duration.milliseconds(1), backoffMultiplier: 1 };
      const third = await ctx.run(
        'third time',
        () => {
          attempts += 1;
          if (attempts < 3) throw new Error('not yet');
          return attempts;
        },
        { retry },
      );
      const stuck = ctx.run(
        'stuck',
        (signal) => {
          signal.addEventListener('abort', () => (reason = signal.reason));
          return new Promise(() => {});
        },
        { timeout: Duration.milliseconds(5) },
      );
      const error = await stuck.catch((error: unknown) => error as Error & { retryable?: boolean });
      return [third, (error as Error).name, (error as Error).message];
    },
  });
  const client = await w.client([unsteady]);
  const { handle } = await client.startWorkflow(unsteady);
  expect(await handle.result()).toEqual([3, 'OperationTimeout', 'Operation "stuck" timed out after 5 ms']);
  expect(reason).toMatchObject({ name: 'OperationTimeout' });
  const records = (await w.eventTypes(handle.workflowId)).filter((type) => type === 'OPERATION_COMPLETED');
  expect(records).toHaveLength(2);
});

test('a non-retryable error ends an operation at once', async () => {
  const w = world();
  let attempts = 0;
  const hopeless = workflow({
    name: 'hopeless',
    run: (ctx) =>
      ctx.run(
        'op',
        () => {
          attempts += 1;
          throw Object.assign(new Error('hopeless'), { retryable: false });
        },
        { retry: { maxRetries: 5, initialDelay: Duration.milliseconds(1) } },
      ),
  });
  const client = await w.client([hopeless]);
  expect((await failureOf(client.executeWorkflow(hopeless))).message).toBe('hopeless');
  expect(attempts).toBe(1);
});

test('the result of an operation that cannot be written is its failure', async () => {
  const w = world();
  const symbolic = workflow({
    name: 'symbolic',
    run: (ctx) => ctx.run('op', () => Symbol('no')).catch((error: unknown) => (error as Error).name),
  });
  const client = await w.client([symbolic]);
  expect(await client.executeWorkflow(symbolic)).toBe('SerializationError');
});

test('a result that cannot be written is no reason to do the work again', async () => {
  const w = world();
  let attempts = 0;
  const symbolic = workflow({
    name: 'symbolic',
    run: (ctx) =>
      ctx.run(
        'op',
        () => {
          attempts += 1;
          return Symbol('no');
        },
        { retry: { maxRetries: 5, initialDelay: Duration.milliseconds(1) } },
      ),
  });
  const client = await w.client([symbolic]);
  expect((await failureOf(client.executeWorkflow(symbolic))).message).toMatch(/symbol cannot be sent/);
  expect(attempts).toBe(1);
});

test('an operation that waits for its next attempt makes none when the worker stops', async () => {
  const w = world();
  let attempts = 0;
  const unlucky = workflow({
    name: 'unlucky',
    run: (ctx) =>
      ctx.run(
        'op',
        () => {
          attempts += 1;
          throw new Error('not yet');
        },
        { retry: { maxRetries: 5, initialDelay: Duration.hours(1) } },
      ),
  });
  const client = await w.client([unlucky], { shutdownGraceMs: 5 });
  await client.startWorkflow(unlucky);
  await until(() => attempts === 1);
  await client.stop();
  await w.quiet();
  expect(attempts).toBe(1);
});

test('what is under way while the function ends is recorded', async () => {
  const w = world();
  const late = gate<string>();
  const leaving = workflow({
    name: 'leaving',
    run: async (ctx) => {
      void ctx.run('late', () => late.promise).then(() => ctx.run('never begun', () => 1));
      return 'left';
    },
  });
  const client = await w.client([leaving]);
  const { handle } = await client.startWorkflow(leaving);
  setTimeout(() => late.open('recorded'), 5);
  expect(await handle.result()).toBe('left');
  const records = (await w.history(handle.workflowId)).filter(({ type }) => type === 'OPERATION_COMPLETED');
  expect(records.map(({ data }) => data)).toEqual([{ operationName: 'late', result: 'recorded' }]);
});

test('a lost answer to a partial submission is repaired by sending it again under its number', async () => {
  const w = world();
  let lost = 0;
  w.engine.intercept = async (method, next) => {
    const answer = await next();
    if (method !== Method.SubmitWorkflowCommands || lost > 0) return answer;
    lost += 1;
    throw new ConnectionError('the answer was lost', 'here');
  };
  let calls = 0;
  const twice = workflow({
    name: 'twice',
    run: async (ctx) => [await ctx.run('a', () => (calls += 1)), await ctx.run('b', () => (calls += 1))],
  });
  const client = await w.client([twice]);
  const { handle } = await client.startWorkflow(twice);
  expect(await handle.result()).toEqual([1, 2]);
  expect(lost).toBe(1);
  expect(await w.eventTypes(handle.workflowId)).toEqual([
    'WORKFLOW_STARTED',
    'OPERATION_COMPLETED',
    'OPERATION_COMPLETED',
    'WORKFLOW_COMPLETED',
  ]);
});

test('on a server without the extension an operation settles before its record is sent', async () => {
  const w = world();
  const plain = workflow({
    name: 'plain',
    run: async (ctx) => [await ctx.run('a', () => 1), await ctx.run('b', () => 2)],
  });
  const client = await w.client([plain], { transport: new PlainTransport() });
  expect(await client.executeWorkflow(plain)).toEqual([1, 2]);
});
