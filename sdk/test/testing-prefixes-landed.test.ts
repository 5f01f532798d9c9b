import { expect, test } from 'vitest';
import { Method } from '../src/rpc/methods.js';
import { task } from '../src/task/define.js';
import { checkEveryPrefix } from '../src/testing/index.js';
import { prefixesOf } from '../src/testing/replay/prefixes.js';
import { workflow } from '../src/workflow/define.js';
import { gate, world } from './support/world.js';

const step = task({ name: 'step', run: (_ctx, where: string) => where });
const asks = workflow({
  name: 'asks',
  run: async (ctx) => {
    const first = await ctx.task(step, ctx.hasSignal('s') ? 'seen at first' : 'unseen at first');
    await ctx.run('note', () => 'noted');
    const then = await ctx.task(step, ctx.hasSignal('s') ? 'seen then' : 'unseen then');
    return [first, then];
  },
});

/** Runs `asks` with a signal that lands while the submission of this number is on its way, 0 for before the first. */
async function landing(submission: number, extensions: boolean) {
  const w = world();
  const client = await w.client([asks, step], { extensions });
  const signal = () =>
    client.signalWithStartWorkflow(asks, {
      workflowId: 'asks-once',
      input: undefined,
      signalName: 's',
      signalValue: 'landed',
    });
  const id = gate<string>();
  let submissions = 0;
  w.engine.intercept = async (method, next) => {
    if (method === Method.SubmitWorkflowCommands) {
      submissions += 1;
      if (submissions === submission) await client.signalWorkflow(await id.promise, 's', 'landed');
    }
    return next();
  };
  const handle =
    submission === 0 ? (await signal()).workflowHandle : (await client.startWorkflow(asks)).handle;
  id.open(handle.workflowId);
  const result = await handle.result();
  const events = (await w.history(handle.workflowId)).map(({ sequence, type, data }) => ({
    sequence,
    eventType: type,
    data: JSON.stringify(data),
  }));
  return { workflowExecutionId: handle.workflowId, events, result };
}

for (const extensions of [true, false]) {
  test(`a signal before the first activation is seen by its first turn, extensions: ${extensions}`, async () => {
    const { result, ...history } = await landing(0, extensions);
    expect(result).toEqual(['seen at first', 'seen then']);
    expect(await checkEveryPrefix(asks, history)).toBeGreaterThanOrEqual(2);
    expect(prefixesOf(history.events)[0]?.events).toHaveLength(2);
  });

  test(`a signal that lands in the first activation was not seen by its first turn, extensions: ${extensions}`, async () => {
    const { result, ...history } = await landing(1, extensions);
    expect(result).toEqual(['unseen at first', 'seen then']);
    expect(await checkEveryPrefix(asks, history)).toBeGreaterThanOrEqual(2);
    // WORKFLOW_STARTED, without the signal that stands behind it.
    expect(prefixesOf(history.events)[0]?.events).toHaveLength(1);
  });

  test(`a signal that lands in a later activation, extensions: ${extensions}`, async () => {
    const { result, ...history } = await landing(2, extensions);
    // Without extensions an operation is recorded with all that comes after it in the activation.
    expect(result).toEqual(['unseen at first', extensions ? 'seen then' : 'unseen then']);
    expect(await checkEveryPrefix(asks, history)).toBeGreaterThanOrEqual(2);
  });
}
