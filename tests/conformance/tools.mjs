import { Duration, task } from '@flovyn/sdk';

import { Suite, until } from './harness.mjs';

/** Where the files of `cases` add theirs. */
export const suite = new Suite();
export const ms = Duration.milliseconds;
export const pause = (duration) => new Promise((resolve) => setTimeout(resolve, duration));
export const quickRetry = { maxRetries: 2, initialDelay: ms(1), maxDelay: ms(1), backoffMultiplier: 1 };

export const echo = task({ name: 'echo', run: async (_ctx, input) => input });
export const slowEcho = task({
  name: 'slow-echo',
  run: async (_ctx, { after, value }) => {
    await pause(after);
    return value;
  },
});
export const flaky = task({
  name: 'flaky',
  retry: quickRetry,
  run: async (ctx, failures) => {
    if (ctx.attempt <= failures) throw new Error(`attempt ${ctx.attempt} failed`);
    return ctx.attempt;
  },
});
export const fail = task({
  name: 'fail',
  retry: { ...quickRetry, maxRetries: 0 },
  run: async (_ctx, message) => {
    throw new Error(message);
  },
});
export const note = task({ name: 'note', run: async (_ctx, { id, value }) => suite.note(id, value) });
export const tasks = [echo, slowEcho, flaky, fail, note];

/** A task whose run can be seen from outside. */
export const noteByTask = (ctx, value) => ctx.schedule(note, { id: ctx.workflowExecutionId, value });
/** Seen from outside at once, and again each time the function is replayed. */
export const noteEachRun = (ctx, value) => suite.note(ctx.workflowExecutionId, value);
export const promiseOf = (handle, name) => `${handle.workflowId}:${name}`;
/** Resolves or rejects a promise that the workflow created before the task that noted `asked`. */
export const whenAsked = (answer) => async (tools) => {
  await until(() => tools.notes.includes('asked'));
  await answer(tools);
};
