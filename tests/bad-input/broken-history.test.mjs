import { EmbeddedTransport, FlovynClient, task, workflow } from '@flovyn/sdk';
import { expect, test } from 'vitest';
import { dropField } from './protobuf.mjs';

const POLL_WORKFLOW = '/flovyn.v1.WorkflowDispatch/PollWorkflow';
/** `PollResponse.events`, the first events of the history. */
const EVENTS_FIELD = 1002;

/** A server whose second activation of an execution misses the second event, once. */
class Forgetful {
  #inner = new EmbeddedTransport();
  #activations = 0;

  get extended() {
    return this.#inner.extended;
  }

  async unary(method, body, options) {
    const answer = await this.#inner.unary(method, body, options);
    if (method !== POLL_WORKFLOW || answer.body.length === 0) return answer;
    this.#activations += 1;
    if (this.#activations !== 2) return answer;
    return { ...answer, body: dropField(answer.body, EVENTS_FIELD, 2) };
  }

  serverStream(...call) {
    return this.#inner.serverStream(...call);
  }

  close() {
    return this.#inner.close();
  }
}

const work = task({ name: 'work', run: async (_ctx, input) => input * 2 });
const double = workflow({ name: 'double', run: (ctx, input) => ctx.schedule(work, input) });

/** Runs two executions, the first with a gap; gives the id of the first and what was logged as an error. */
async function runWithGap(workflowWorkerOptions) {
  const errors = [];
  const note = (...args) => errors.push(args.map(String).join(' '));
  const transport = new Forgetful();
  const logger = { debug() {}, info() {}, warn: note, error: note };
  const client = new FlovynClient({ transport, logger, workflowWorkerOptions });
  client.registerWorkflow(double);
  client.registerTask(work);
  await client.start();
  try {
    const { handle } = await client.startWorkflow(double, 21);
    expect(await handle.result()).toBe(42);
    expect(await client.executeWorkflow(double, 1)).toBe(2);
    return { workflowId: handle.workflowId, errors };
  } finally {
    await client.stop();
    await transport.close();
  }
}

test('a history with a gap parks the execution, names the gap, and loses nothing', async () => {
  const { workflowId, errors } = await runWithGap({ alwaysReplay: true });
  expect(errors).toHaveLength(1);
  expect(errors[0]).toContain(workflowId);
  expect(errors[0]).toContain('parked');
  expect(errors[0]).toMatch(/expected event 2.*got (event )?3/);
}, 20_000);

test('a gap after what was kept in memory is healed by the whole history', async () => {
  expect((await runWithGap({})).errors).toEqual([]);
}, 20_000);
