import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { TaskFailed } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import { task } from '../src/task/define.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { nestedFields } from './support/protobuf.js';
import { requestsOf, world } from './support/world.js';

class CardDeclined extends Error {
  override name = 'CardDeclined';
}

const QUICK = { maxRetries: 2, initialDelay: Duration.milliseconds(1) };

/** How often a task is tried that throws this, its policy, and what was reported of its first attempt. */
async function tried(
  error: () => Error,
  nonRetryableErrors?: readonly string[],
): Promise<{ attempts: number; policy: unknown; report: Record<number, unknown> | undefined }> {
  const w = world();
  let [attempts, policy]: [number, unknown] = [0, undefined];
  const failing = task({
    name: 'failing',
    retry: { ...QUICK, nonRetryableErrors },
    run: () => {
      attempts += 1;
      throw error();
    },
  });
  const flow = workflow({ name: 'flow', run: (ctx) => ctx.task(failing) });
  const reports = requestsOf(w, Method.FailTask);
  const { intercept } = w.engine;
  w.engine.intercept = (method, next, request) => {
    if (method === Method.SubmitWorkflowCommands) policy ??= nestedFields(request, [2, 13, 1000]);
    return intercept(method, next, request);
  };
  const client = await w.client([flow, failing]);
  await failureOf(client.executeWorkflow(flow));
  return { attempts, policy, report: reports[0] };
}

test('errors that the policy names end the task at their first attempt', async () => {
  const declined = () => new CardDeclined('declined');
  const named = await tried(declined, ['CardDeclined']);
  expect(named).toMatchObject({
    attempts: 1,
    policy: { 4: 'CardDeclined' },
    report: { 1001: 'CardDeclined' },
  });
  const others = await tried(declined, ['CardStolen']);
  expect(others).toMatchObject({ attempts: 3, policy: { 4: 'CardStolen' } });
  const none = await tried(declined);
  expect(none.attempts).toBe(3);
  expect(none.policy).not.toHaveProperty('4');
});

test('a TaskFailed says whether another attempt makes sense', async () => {
  const hopeless = await tried(() => new TaskFailed('no', '', false));
  expect(hopeless).toMatchObject({ attempts: 1, report: { 1000: 0, 1001: 'TaskFailed' } });
  const hopeful = await tried(() => new TaskFailed('no', ''));
  expect(hopeful).toMatchObject({ attempts: 3, report: { 1000: 1 } });
  const silent = await tried(() => new Error('no'));
  expect(silent.attempts).toBe(3);
  expect(silent.report).not.toHaveProperty('1000');
});

test('operations heed the names too', async () => {
  const w = world();
  const attempts: Record<string, number> = {};
  const flow = workflow({
    name: 'flow',
    run: async (ctx, nonRetryableErrors: string[]) => {
      const key = nonRetryableErrors.join();
      const charge = async (): Promise<void> => {
        attempts[key] = (attempts[key] ?? 0) + 1;
        throw new CardDeclined('declined');
      };
      await ctx.run('charge', charge, { retry: { ...QUICK, nonRetryableErrors } }).catch(() => {});
    },
  });
  const client = await w.client([flow]);
  await client.executeWorkflow(flow, ['CardDeclined']);
  await client.executeWorkflow(flow, ['CardStolen']);
  expect(attempts).toEqual({ CardDeclined: 1, CardStolen: 3 });
});

test.each([
  [{ nonRetryableErrors: 'CardDeclined' }],
  [{ nonRetryableErrors: [''] }],
  [{ nonRetryableErrors: [1] }],
])('%j is refused', (retry) => {
  const define = () => task({ name: 't', run: () => 1, retry: retry as never });
  expect(define).toThrow('Task "t": retry.nonRetryableErrors must be a list of names of errors, got ');
});

test('what a task threw is the cause of what the workflow sees', async () => {
  const w = world();
  const failing = task({
    name: 'failing',
    run: (_ctx, name: string) => {
      if (name === 'TypeError') throw new TypeError('no function');
      throw new CardDeclined('declined');
    },
  });
  const seen: TaskFailed[] = [];
  const flow = workflow({
    name: 'flow',
    run: async (ctx) => {
      for (const name of ['CardDeclined', 'TypeError'])
        await ctx
          .task(failing, name, { retry: { maxRetries: 0 } })
          .catch((error: unknown) => seen.push(error as TaskFailed));
    },
  });
  const client = await w.client([flow, failing], { workflowWorkerOptions: { alwaysReplay: true } });
  await client.executeWorkflow(flow);
  const [declined, type] = [seen[0]?.cause, seen.at(-1)?.cause];
  expect(seen[0]).toMatchObject({ name: 'TaskFailed', message: 'declined', retryable: true });
  expect(declined).toMatchObject({ name: 'CardDeclined', message: 'declined' });
  expect((declined as Error).stack).toMatch(/^CardDeclined: declined\n.*retry-control\.test\.ts/s);
  expect(type).toBeInstanceOf(TypeError);
  // Each replay sees the same.
  expect(seen[1]?.cause).toEqual(declined);
});

test('a failure that no worker has reported has no cause, nor has one on a plain server', async () => {
  const seen: unknown[] = [];
  const failing = task({
    name: 'failing',
    run: () => {
      throw new CardDeclined('declined');
    },
  });
  const silent = task({
    name: 'silent',
    heartbeatTimeout: Duration.milliseconds(5),
    run: ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)),
  });
  const flow = workflow({
    name: 'flow',
    run: async (ctx, name: string) => {
      const once = { retry: { maxRetries: 0 } };
      const scheduled =
        name === 'silent' ? ctx.schedule(silent, null, once) : ctx.schedule(failing, null, once);
      await scheduled.catch((error: unknown) => seen.push((error as Error).message, (error as Error).cause));
    },
  });
  await (await world().client([flow, silent])).executeWorkflow(flow, 'silent');
  await (await world().client([flow, failing], { extensions: false })).executeWorkflow(flow, 'failing');
  expect(seen).toEqual([expect.stringMatching(/no heartbeat within 5 ms/), undefined, 'declined', undefined]);
});

test('a stack that is too long for a history is cut, and the text of the error is not', async () => {
  const text = 'x'.repeat(100_000);
  const { report } = await tried(() => Object.assign(new Error(text), { retryable: false }));
  expect(report?.[2]).toBe(text);
  expect(report?.[1002]).toBe(`Error: ${text}`.slice(0, 16_384));
});
