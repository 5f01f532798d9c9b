import { describe, expect, test } from 'vitest';
import './support/core.js';
import { Duration } from '../src/duration.js';
import {
  ChildWorkflowFailed,
  PromiseRejected,
  PromiseTimeout,
  TaskFailed,
  WorkflowCancelled,
  WorkflowFailed,
} from '../src/errors.js';
import { errorOfStack, failureTypeOf, headedStack } from '../src/errors/recorded.js';
import { task } from '../src/task/define.js';
import { EMBEDDED_ORG_ID } from '../src/transport/embedded.js';
import { FlovynClient } from '../src/client/client.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { PlainTransport } from './support/plain-transport.js';
import { until, world } from './support/world.js';

class CardDeclined extends Error {
  override readonly name = 'CardDeclined';
}

/** An error that trying again would not help against. */
class NoSuchOrder extends RangeError {
  override readonly name = 'NoSuchOrder';
  readonly retryable = false;
}

const throwing = (error: () => unknown) =>
  workflow({
    name: 'throwing',
    run: () => {
      throw error();
    },
  });

const ours = expect.stringMatching(/\n.*typed-failures\.test\.ts/) as string;

describe('a failed execution', () => {
  test('is told with the name, text and stack of what was thrown', async () => {
    const w = world();
    const definition = throwing(() => new CardDeclined('card declined'));
    const client = await w.client([definition]);
    const { handle } = await client.startWorkflow(definition);
    const error = (await failureOf(handle.result())) as WorkflowFailed;
    expect(error).toBeInstanceOf(WorkflowFailed);
    expect(error).toMatchObject({
      workflowId: handle.workflowId,
      message: 'card declined',
      failureType: 'ERROR',
      retryable: true,
      remoteStack: ours,
    });
    expect(error.remoteStack).toMatch(/^CardDeclined: card declined\n/);
    const cause = error.cause as Error;
    expect(cause).not.toBeInstanceOf(CardDeclined);
    expect(cause).toMatchObject({ name: 'CardDeclined', message: 'card declined', stack: error.remoteStack });
  });

  test('is told the same by a server without our extensions', async () => {
    const transport = new PlainTransport();
    const client = new FlovynClient({ transport, orgId: EMBEDDED_ORG_ID });
    client.registerWorkflow(throwing(() => new NoSuchOrder('no order 5')));
    await client.start();
    const { handle } = await client.startWorkflow('throwing');
    const error = (await failureOf(handle.result())) as WorkflowFailed;
    expect(error).toMatchObject({ message: 'no order 5', failureType: 'BUSINESS_LOGIC', retryable: false });
    expect(error.cause).toMatchObject({ name: 'NoSuchOrder', message: 'no order 5', stack: ours });
    await client.stop();
    await transport.close();
  });

  test.each([
    ['a class of the language', () => new TypeError('no'), { name: 'TypeError', message: 'no' }],
    [
      'a name that was given later',
      () => Object.assign(new Error('no'), { name: 'Later' }),
      { name: 'Later', message: 'no' },
    ],
    [
      'a text of several lines',
      () => new CardDeclined('a\nb: c'),
      { name: 'CardDeclined', message: 'a\nb: c' },
    ],
    ['no message', () => new SyntaxError(''), { name: 'SyntaxError' }],
  ])('keeps %s', async (_name, thrown, expected) => {
    const w = world();
    const definition = throwing(thrown);
    const client = await w.client([definition]);
    const error = await failureOf(client.executeWorkflow(definition));
    expect(error.cause).toMatchObject(expected);
  });

  test('has no cause and no stack when a text was thrown', async () => {
    const w = world();
    const definition = throwing(() => 'just text');
    const client = await w.client([definition]);
    const error = (await failureOf(client.executeWorkflow(definition))) as WorkflowFailed;
    expect(error).toMatchObject({ message: 'just text', failureType: 'ERROR', remoteStack: undefined });
    expect('cause' in error).toBe(false);
  });

  test('says why the server failed it', async () => {
    const w = world();
    const definition = workflow({ name: 'slow', run: (ctx) => ctx.promise('never') });
    const client = await w.client([definition]);
    const { handle } = await client.startWorkflow(definition, null, { timeout: Duration.milliseconds(1) });
    const error = (await failureOf(handle.result())) as WorkflowFailed;
    expect(error.failureType).toBe('TIMEOUT');
    expect(error.message).toContain('timed out');
  });

  test('that was cancelled is told with the reason', async () => {
    const w = world();
    const definition = workflow({ name: 'slow', run: (ctx) => ctx.promise('never') });
    const client = await w.client([definition]);
    const { handle } = await client.startWorkflow(definition);
    await handle.cancel('enough');
    const error = (await failureOf(handle.result())) as WorkflowCancelled;
    expect(error).toBeInstanceOf(WorkflowCancelled);
    expect(error.reason).toBe('enough');
    expect(error.message).toContain('enough');
  });
});

test('a failed child is told to its parent as to a client, in every replay', async () => {
  const w = world();
  const child = throwing(() => new NoSuchOrder('no order 5'));
  const parent = workflow({
    name: 'parent',
    run: async (ctx) => {
      const error = (await failureOf(ctx.workflow(child))) as ChildWorkflowFailed;
      await ctx.run('op', () => 1);
      await ctx.waitForSignal('go');
      const { childExecutionId, message, failureType, retryable, remoteStack, name } = error;
      const { stack, ...cause } = error.cause as Error;
      const is = [error instanceof ChildWorkflowFailed, error.cause instanceof NoSuchOrder];
      const causes = { ...cause, name: (error.cause as Error).name, isTheStack: stack === remoteStack };
      return { is, childExecutionId, message, failureType, retryable, remoteStack, name, causes };
    },
  });
  const client = await w.client([parent, child], { workflowWorkerOptions: { alwaysReplay: true } });
  const { handle } = await client.startWorkflow(parent);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('OPERATION_COMPLETED'));
  await handle.signal('go');
  expect(await handle.result()).toMatchObject({
    is: [true, false],
    name: 'ChildWorkflowFailed',
    message: 'no order 5',
    failureType: 'BUSINESS_LOGIC',
    retryable: false,
    remoteStack: ours,
    causes: { name: 'NoSuchOrder', isTheStack: true },
  });
  const failed = (await w.history(handle.workflowId)).find(({ type }) => type === 'CHILD_WORKFLOW_FAILED');
  expect(failed?.data).toMatchObject({
    error: 'no order 5',
    failureType: 'BUSINESS_LOGIC',
    stackTrace: ours,
  });
});

test('a failed task is told to its workflow with the name and stack of what it threw', async () => {
  const w = world();
  const charge = task({
    name: 'charge',
    run: () => {
      throw new NoSuchOrder('no order 5');
    },
  });
  const order = workflow({
    name: 'order',
    run: async (ctx) => {
      const error = (await failureOf(ctx.task(charge))) as TaskFailed;
      const { message, retryable, failureType, remoteStack } = error;
      return [error instanceof TaskFailed, message, retryable, failureType, remoteStack];
    },
  });
  const rethrowing = workflow({ name: 'rethrowing', run: (ctx) => ctx.task(charge) });
  const client = await w.client([order, rethrowing, charge]);
  expect(await client.executeWorkflow(order)).toEqual([true, 'no order 5', false, 'NoSuchOrder', ours]);
  const error = (await failureOf(client.executeWorkflow(rethrowing))) as WorkflowFailed;
  expect(error).toMatchObject({ message: 'no order 5', failureType: 'BUSINESS_LOGIC', retryable: false });
  expect(error.cause).toMatchObject({ name: 'TaskFailed' });
});

test('a rejected promise says "rejected", one that timed out "timed out", there and in the end', async () => {
  const w = world();
  const waiting = workflow({
    name: 'waiting',
    run: async (ctx, timeoutMs: number) =>
      ctx.promise('approval', timeoutMs > 0 ? { timeout: Duration.milliseconds(timeoutMs) } : {}),
  });
  const client = await w.client([waiting]);
  const { handle } = await client.startWorkflow(waiting, 0);
  await until(async () => (await w.eventTypes(handle.workflowId)).includes('PROMISE_CREATED'));
  await client.rejectPromise(`${handle.workflowId}:approval`, 'not today');
  const rejected = (await failureOf(handle.result())) as WorkflowFailed;
  expect(rejected.message).toContain('rejected');
  expect(rejected.message).toContain('not today');
  expect(rejected.cause).toMatchObject({ name: PromiseRejected.name });
  const timedOut = (await failureOf(client.executeWorkflow(waiting, 1))) as WorkflowFailed;
  expect(timedOut.message).toContain('timed out');
  expect(timedOut.cause).toMatchObject({ name: PromiseTimeout.name });
});

describe('stacks of other runtimes', () => {
  const frames = 'run@order.js:5:7\nstart@worker.js:1:1';

  test.each([
    [
      'begin with frames',
      { name: 'CardDeclined', message: 'no', stack: frames },
      `CardDeclined: no\n${frames}`,
    ],
    [
      'have a code',
      { name: 'TypeError', message: 'no', stack: 'TypeError [E]: no\n at x' },
      'TypeError: no\n at x',
    ],
    ['are right', { name: 'A', message: 'no', stack: 'A: no\n at x' }, 'A: no\n at x'],
    ['are empty', { name: 'A', message: 'no', stack: '' }, ''],
  ])('that %s', (_name, { name, message, stack }, expected) => {
    const error = new Error(message);
    Object.defineProperties(error, { name: { value: name }, stack: { value: stack } });
    expect(headedStack(error)).toBe(expected);
  });

  test('of other clients are read as far as they tell', () => {
    expect(errorOfStack('no', 'java.lang.Failure: no\n at x')).toMatchObject({ name: 'java.lang.Failure' });
    expect(errorOfStack('no', 'Traceback (most recent call last):\n x')).toMatchObject({ name: 'Error' });
    expect(errorOfStack('no', '')).toBeUndefined();
    expect(errorOfStack('no', undefined)).toBeUndefined();
  });

  test('what throws when it is looked at has none', () => {
    const hostile = new Proxy(new Error('no'), {
      get: () => {
        throw new Error('hostile');
      },
    });
    expect(headedStack(hostile)).toBe('');
    expect(failureTypeOf(hostile)).toBe('ERROR');
  });
});
