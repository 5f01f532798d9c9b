import { Duration, TimeoutError, ValidationError, task, workflow } from '@flovyn/sdk';

import { same, thrownBy } from '../harness.mjs';
import { suite, tasks } from '../tools.mjs';

// What passes the borders of an execution: errors as data, values checked by schemas, calls with a limit.

class CardDeclined extends Error {
  name = 'CardDeclined';
  retryable = false;
}

function decline() {
  throw new CardDeclined('no money left');
}

/** The stack of every runtime names the function that threw. */
const IN_DECLINE = /^CardDeclined: no money left\n[^]*\bdecline\b/;

const declined = suite.workflow('declined', async () => decline());

suite.check('failure: what a workflow threw is told with its name, text and stack', {
  run: async () => decline(),
  fails: /^no money left$/,
  then: ({ error }) => {
    same([error.name, error.failureType, error.retryable], ['WorkflowFailed', 'BUSINESS_LOGIC', false]);
    same([error.cause.name, error.cause.message], ['CardDeclined', 'no money left']);
    same([IN_DECLINE.test(error.remoteStack), error.cause instanceof CardDeclined], [true, false]);
  },
});

suite.check('failure: what a child threw is told to its parent', {
  run: async (ctx) => {
    const error = await thrownBy(() => ctx.workflow(declined));
    const { name, message, failureType, retryable, cause, remoteStack } = error;
    return [name, message, failureType, retryable, cause.name, IN_DECLINE.test(remoteStack)];
  },
  gives: ['ChildWorkflowFailed', 'no money left', 'BUSINESS_LOGIC', false, 'CardDeclined', true],
});

/** A Standard Schema of numbers from 0 up, which gives them rounded. */
const amount = {
  '~standard': {
    version: 1,
    vendor: 'conformance',
    validate: (value) =>
      typeof value === 'number' && value >= 0
        ? { value: Math.round(value) }
        : { issues: [{ message: 'expected a number from 0 up', path: ['total', { key: 0 }] }] },
  },
};
const REFUSED =
  'The input of the task "checked" does not fit its schema: expected a number from 0 up (at $.total[0])';

// A server without our extensions does not hear that another attempt is of no use.
const ONCE = { retry: { maxRetries: 0 } };

const checked = task({ name: 'checked', input: amount, output: amount, run: async (_ctx, n) => n + 0.4 });
tasks.push(checked);

suite.check('schema: input and output of a task are what it makes of them, or refused', {
  run: async (ctx) => [
    await ctx.task(checked, 1.6),
    (await thrownBy(() => ctx.task(checked, -1))).message,
    (await thrownBy(() => ctx.scheduleByName('checked', -1, ONCE))).message,
  ],
  gives: [2, REFUSED, REFUSED],
});

suite.check('schema: input of a workflow is checked where it is started, and where it runs', {
  definition: workflow({ name: 'checked', input: amount, run: async (_ctx, n) => n }),
  input: 1.6,
  gives: 2,
  then: async ({ client, definition }) => {
    const early = await thrownBy(() => client.startWorkflow(definition, -1));
    same([early instanceof ValidationError, early.issues[0].path], [true, '$.total[0]']);
    const { handle } = await client.startWorkflow('checked', -1);
    const late = await thrownBy(() => handle.result());
    same([late.message, late.cause.name, late.retryable], [early.message, 'ValidationError', false]);
  },
});

suite.check('limit: a call that is ended early leaves its execution alone', {
  run: (ctx) => ctx.waitForSignal('go'),
  act: async ({ handle }) => {
    const late = await thrownBy(() => handle.result({ callTimeout: Duration.milliseconds(20) }));
    same([late instanceof TimeoutError, late.timeoutMs], [true, 20]);
    const controller = new AbortController();
    setTimeout(() => controller.abort('enough'), 5);
    same(await thrownBy(() => handle.result({ signal: controller.signal })), 'enough');
    await handle.signal('go', 'gone');
  },
  gives: 'gone',
});
