import { expect, test } from 'vitest';
import type { FlovynClient } from '../src/client/client.js';
import type { FlovynClientOptions } from '../src/client/options.js';
import { Duration } from '../src/duration.js';
import { ConnectionError } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import { runDry } from '../src/runtime/run-dry.js';
import { task } from '../src/task/define.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { workflow } from '../src/workflow/define.js';
import { requestsOf, MeddledTransport, until, type World, world } from './support/world.js';

const ALWAYS_REPLAY = { workflowWorkerOptions: { alwaysReplay: true } };
const step = task({ name: 'step', run: async (_ctx, n: number) => n + 1 });

/** A workflow of five tasks one after the other, and how often its function was begun. */
function steps() {
  const begun: string[] = [];
  const definition = workflow({
    name: 'steps',
    run: async (ctx, from: number) => {
      begun.push(ctx.workflowExecutionId);
      let n = from;
      for (let count = 0; count < 5; count += 1) n = await ctx.task(step, n);
      return n;
    },
  });
  return { begun, definition };
}

/** A workflow that waits for the promises `1`, `2` and `3` in turn. */
function waiting() {
  const begun: string[] = [];
  const definition = workflow({
    name: 'waiting',
    run: async (ctx) => {
      begun.push(ctx.workflowExecutionId);
      const seen: unknown[] = [];
      for (const name of ['1', '2', '3']) seen.push(await ctx.promise(name));
      return seen;
    },
  });
  return { begun, definition };
}

function metricsOf(client: FlovynClient) {
  const metrics = client.getExecutionCacheMetrics();
  if (metrics === undefined) throw new Error('the client runs no workflows');
  return metrics;
}

/** Resolves when an execution waits for the promise of this name. */
async function waitsFor(w: World, id: string, name: string): Promise<void> {
  await until(async () => {
    const events = await w.history(id);
    const isMade = events.some(
      ({ type, data }) => type === 'PROMISE_CREATED' && data['promiseName'] === name,
    );
    return isMade && events.at(-1)?.type === 'WORKFLOW_SUSPENDED';
  });
}

test('a suspended execution goes on where it was, its function is not called again', async () => {
  const w = world();
  const { begun, definition } = steps();
  const client = await w.client([definition, step]);
  expect(await client.executeWorkflow(definition, 1)).toBe(6);
  expect(begun).toHaveLength(1);
  expect(metricsOf(client)).toEqual({
    hits: 5,
    misses: 0,
    stale: 0,
    evictions: 0,
    executions: 0,
    bytes: 0,
  });
});

test('with alwaysReplay it is replayed at each activation, and the server is told to send all', async () => {
  const w = world();
  const { begun, definition } = steps();
  const polls = requestsOf(w, Method.PollWorkflow);
  const client = await w.client([definition, step], ALWAYS_REPLAY);
  expect(await client.executeWorkflow(definition, 1)).toBe(6);
  expect(begun).toHaveLength(6);
  expect(metricsOf(client)).toMatchObject({ hits: 0, misses: 0, executions: 0 });
  expect(polls[0]).not.toHaveProperty('1001');
});

/** Uses every kind of command, in an order that does not hang on how fast anything is. */
async function everything(ctx: WorkflowContext): Promise<unknown> {
  const first = await Promise.all([ctx.task(step, 1), ctx.task(step, 2)]);
  ctx.set('sum', first[0] + first[1]);
  const random = [ctx.random(), ctx.randomUUID()].map((value) => typeof value);
  await ctx.sleep(Duration.milliseconds(1));
  const recorded = await ctx.run('op', () => 7);
  const raced = await Promise.race([ctx.sleep(Duration.days(1)), ctx.task(step, recorded)]);
  ctx.clear('sum');
  await ctx.sleepUntil(new Date(ctx.currentTimeMillis() + 1));
  const once = { retry: { maxRetries: 0 } };
  const caught = await ctx.scheduleByName('failing', null, once).catch(String);
  const word = ctx.patched('new') ? 'new' : 'old';
  return [first, random, recorded, raced, caught, ctx.get('sum'), word, await ctx.task(step, 10)];
}

async function submissionsOf(
  options: Partial<FlovynClientOptions>,
): Promise<{ sent: string[]; hits: number }> {
  const w = world();
  const sent: string[] = [];
  w.engine.intercept = (method, next, request) => {
    if (method === Method.SubmitWorkflowCommands) sent.push(Buffer.from(request).toString('latin1'));
    return next();
  };
  const failing = task({ name: 'failing', run: () => Promise.reject(new Error('no')) });
  const mixed = workflow({ name: 'mixed', run: everything });
  const definitions = [mixed, step, failing];
  // One poll at a time, so that no task overtakes another.
  const client = await w.client(definitions, { ...options, taskWorkerOptions: { maxConcurrent: 1 } });
  const { handle } = await client.startWorkflow(mixed);
  await handle.result();
  const { hits } = metricsOf(client);
  return { sent: sent.map((text) => withoutChance(text)), hits };
}

/** A submission without what is different in every run: ids, times, and the poll at its end that names the worker. */
function withoutChance(submission: string): string {
  return submission
    .replace(/\d{13}/g, '<time>')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>')
    .replace(/\xd2\x3e[^]*$/, '');
}

test('what is continued and what is replayed send the same', async () => {
  const continued = await submissionsOf({});
  const replayed = await submissionsOf(ALWAYS_REPLAY);
  expect(continued.hits).toBeGreaterThan(4);
  expect(replayed.hits).toBe(0);
  expect(continued.sent).toEqual(replayed.sent);
  expect(continued.sent.length).toBeGreaterThan(6);
});

test('without room for all, the rest is replayed', async () => {
  const w = world();
  const { begun, definition } = waiting();
  const client = await w.client([definition], { workflowWorkerOptions: { maxCachedExecutions: 1 } });
  const ids: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    ids.push((await client.startWorkflow(definition)).handle.workflowId);
    await waitsFor(w, ids[count] ?? '', '1');
  }
  expect(metricsOf(client)).toMatchObject({ executions: 1, evictions: 2 });
  for (const name of ['1', '2', '3']) {
    for (const id of ids) {
      await client.resolvePromise(`${id}:${name}`, name);
      if (name === '3') continue;
      await waitsFor(w, id, String(Number(name) + 1));
    }
  }
  for (const id of ids) expect(await client.getWorkflowHandle(id).result()).toEqual(['1', '2', '3']);
  // Each pushes out the one before it. Only when the first two have ended is the third still there.
  expect(metricsOf(client)).toMatchObject({ hits: 1, misses: 8, executions: 0 });
  expect(begun).toHaveLength(3 + 8);
});

test('a bound on bytes pushes out too', async () => {
  const w = world();
  const { definition } = waiting();
  const client = await w.client([definition], { workflowWorkerOptions: { maxCachedBytes: 1 } });
  const { handle } = await client.startWorkflow(definition);
  await waitsFor(w, handle.workflowId, '1');
  expect(metricsOf(client)).toMatchObject({ executions: 0, evictions: 1, bytes: 0 });
});

test('an execution that went on elsewhere is replayed under the same claim, and nothing is parked', async () => {
  const w = world();
  const [here, there] = [waiting(), waiting()];
  const cutOff = new MeddledTransport(w.engine);
  const isOut = { here: false };
  cutOff.intercept = (method, next) =>
    isOut.here && method === Method.PollWorkflow
      ? Promise.reject(new ConnectionError('out', 'here'))
      : next();
  const first = await w.client([here.definition], {
    transport: cutOff,
    workflowWorkerOptions: { maxConcurrent: 1 },
  });
  const { handle } = await first.startWorkflow(here.definition);
  const id = handle.workflowId;
  await waitsFor(w, id, '1');
  // The poll under way of the first worker is used up by another execution; after it the worker is cut off.
  isOut.here = true;
  await first.startWorkflow(here.definition);
  await until(() => metricsOf(first).executions === 2);
  const second = await w.client([there.definition]);
  await first.resolvePromise(`${id}:1`, 'a');
  await waitsFor(w, id, '2');
  expect(there.begun).toEqual([id]);
  await second.stop();
  isOut.here = false;
  await first.resolvePromise(`${id}:2`, 'b');
  await waitsFor(w, id, '3');
  expect(metricsOf(first)).toMatchObject({ stale: 1, executions: 2 });
  await first.resolvePromise(`${id}:3`, 'c');
  expect(await handle.result()).toEqual(['a', 'b', 'c']);
  expect(w.engine.count('ReleaseClaim')).toBe(0);
  expect(w.logger.at('error')).toEqual([]);
  expect(metricsOf(first).hits).toBe(1);
});

test('a worker that dies with executions in memory is followed by one that replays them', async () => {
  const w = world();
  const [here, there] = [waiting(), waiting()];
  const mortal = new MeddledTransport(w.engine);
  const first = await w.client([here.definition], { transport: mortal });
  const { handle } = await first.startWorkflow(here.definition);
  const id = handle.workflowId;
  await waitsFor(w, id, '1');
  await first.resolvePromise(`${id}:1`, 'a');
  await waitsFor(w, id, '2');
  mortal.kill();
  const second = await w.client([there.definition]);
  await second.resolvePromise(`${id}:2`, 'b');
  await waitsFor(w, id, '3');
  await second.resolvePromise(`${id}:3`, 'c');
  expect(await second.getWorkflowHandle(id).result()).toEqual(['a', 'b', 'c']);
  expect([here.begun.length, there.begun.length]).toEqual([1, 1]);
});

test('an execution whose last submission may have been lost is not continued', async () => {
  const w = world();
  const { begun, definition } = waiting();
  const client = await w.client([definition]);
  w.engine.intercept = async (method, next) => {
    const answer = await next();
    if (method === Method.SubmitWorkflowCommands && w.engine.count('SubmitWorkflowCommands') === 1)
      throw new ConnectionError('the answer was lost', 'here');
    return answer;
  };
  const { handle } = await client.startWorkflow(definition);
  await until(() => w.engine.count('SubmitWorkflowCommands') === 2);
  await until(() => client.getActiveWorkflowExecutions().length === 0);
  expect(metricsOf(client).executions).toBe(0);
  for (const name of ['1', '2', '3']) {
    await waitsFor(w, handle.workflowId, name);
    await client.resolvePromise(`${handle.workflowId}:${name}`, name);
  }
  expect(await handle.result()).toEqual(['1', '2', '3']);
  expect(begun).toHaveLength(2);
});

test('a stop lets everything go, and a later start begins anew', async () => {
  const w = world();
  const { begun, definition } = waiting();
  const client = await w.client([definition]);
  const { handle } = await client.startWorkflow(definition);
  await waitsFor(w, handle.workflowId, '1');
  expect(metricsOf(client)).toMatchObject({ executions: 1 });
  expect(metricsOf(client).bytes).toBeGreaterThan(8 * 1024);
  await client.stop();
  expect(client.getExecutionCacheMetrics()).toBeUndefined();
  await client.start();
  expect(metricsOf(client)).toMatchObject({ executions: 0, hits: 0 });
  await client.resolvePromise(`${handle.workflowId}:1`, null);
  await waitsFor(w, handle.workflowId, '2');
  expect(begun).toHaveLength(2);
});

test('on a server without extensions executions are continued too, from the whole history', async () => {
  const w = world();
  const { begun, definition } = steps();
  const client = await w.client([definition, step], { extensions: false });
  expect(await client.executeWorkflow(definition, 1)).toBe(6);
  expect(metricsOf(client)).toMatchObject({ hits: 5, misses: 0, stale: 0 });
  expect(begun).toHaveLength(1);
});

test.each([
  ['maxCachedExecutions', -1, 'a whole number from 0 up'],
  ['maxCachedBytes', 1.5, 'a whole number from 0 up'],
  ['alwaysReplay', 'yes', 'true or false'],
])('%s of %s is refused', async (name, value, text) => {
  const w = world();
  const { definition } = steps();
  await expect(w.client([definition], { workflowWorkerOptions: { [name]: value } })).rejects.toThrow(text);
});

test('an execution whose claim is lost while its last submission is under way is not kept', async () => {
  const w = world({ leaseMs: 60 });
  const flow = workflow({
    name: 'flow',
    run: async (ctx) => {
      await ctx.promise('1');
      return ctx.run('op', () => 7);
    },
  });
  const client = await w.client([flow]);
  let wasRefused = (): void => {};
  const refusal = new Promise<void>((resolve) => void (wasRefused = resolve));
  let submissions = 0;
  w.engine.intercept = async (method, next) => {
    if (method === Method.RenewClaim) return next().finally(wasRefused);
    const answer = await next();
    submissions += method === Method.SubmitWorkflowCommands ? 1 : 0;
    if (method !== Method.SubmitWorkflowCommands || submissions > 1) return answer;
    // The claim has ended with the submission, so that renewing it is refused before the worker hears of that.
    await refusal;
    await runDry();
    return answer;
  };
  const { handle } = await client.startWorkflow(flow);
  await refusal;
  // Once more than the answer: the worker has it then, and has kept the execution or not.
  for (let turn = 0; turn < 10; turn += 1) await runDry();
  expect(metricsOf(client)).toMatchObject({ executions: 0 });
  await client.resolvePromise(`${handle.workflowId}:1`, null);
  expect(await handle.result()).toBe(7);
});

test('what is kept and breaks the rules is replayed at once, without a search for the line', async () => {
  const w = world();
  let runs = 0;
  // It depends on something outside, which a replay finds changed.
  const definition = workflow({
    name: 'changing',
    run: async (ctx) => {
      runs += 1;
      const run = runs;
      if (run > 1) ctx.patched('way');
      await ctx.promise('1');
      await ctx.promise('2');
      if (run === 2) ctx.deprecatePatch('way');
      return run;
    },
  });
  const first = await w.client([definition]);
  const { handle } = await first.startWorkflow(definition);
  const id = handle.workflowId;
  await waitsFor(w, id, '1');
  await first.stop();
  const second = await w.client([definition]);
  await second.resolvePromise(`${id}:1`, 'a');
  await waitsFor(w, id, '2');
  expect(runs).toBe(2);
  await second.resolvePromise(`${id}:2`, 'b');
  expect(await second.getWorkflowHandle(id).result()).toBe(3);
  expect(runs).toBe(3);
  expect(metricsOf(second)).toMatchObject({ stale: 1 });
  expect(w.logger.at('error')).toEqual([]);
});
