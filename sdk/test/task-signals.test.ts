import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { RpcError } from '../src/errors.js';
import { ClaimLost, TaskCancelled, TaskTimeout, WorkerStopped } from '../src/index.js';
import { Method } from '../src/rpc/methods.js';
import type { TaskContext } from '../src/task/context-types.js';
import { task } from '../src/task/define.js';
import { workflow } from '../src/workflow/define.js';
import { heartbeatAnswer } from './support/protobuf.js';
import { gate, until, type World, world } from './support/world.js';

/** What a task saw of the end of its attempt. */
interface Ending {
  readonly reason: unknown;
  readonly isCancelled: boolean;
  readonly error: TaskCancelled;
}

/** Runs a task that waits for its signal, and brings that about. */
async function endingOf(
  w: World,
  bringAbout: (stop: () => Promise<void>) => unknown,
  options: { timeout?: Duration } = {},
): Promise<Ending> {
  const [begun, ended] = [gate(), gate<Ending>()];
  const waiting = task({
    name: 'waiting',
    ...options,
    retry: { maxRetries: 0 },
    run: async (ctx: TaskContext) => {
      begun.open();
      await new Promise<void>((resolve) => {
        ctx.signal.addEventListener('abort', () => resolve());
        // A task that looks learns it from its heartbeats.
        void ctx.heartbeat().catch(() => {});
      });
      ended.open({ reason: ctx.signal.reason, isCancelled: ctx.isCancelled, error: ctx.cancellationError() });
      throw new Error('stopped');
    },
  });
  const flow = workflow({ name: 'flow', run: (ctx) => ctx.schedule(waiting) });
  const client = await w.client([flow, waiting], { shutdownGraceMs: 5 });
  await client.startWorkflow(flow);
  await begun.promise;
  await bringAbout(() => client.stop());
  const ending = await ended.promise;
  await until(() => client.getActiveTaskExecutions().length === 0);
  return ending;
}

/** How often the end of an attempt was reported, and given back. */
const reports = ({ engine }: World): number[] =>
  ['CompleteTask', 'FailTask', 'ReleaseClaim'].map((method) => engine.count(method));

test('a cancelled task gets a TaskCancelled, and nothing is reported', async () => {
  const w = world();
  w.engine.intercept = async (method, next) =>
    method === Method.Heartbeat ? { metadata: {}, body: heartbeatAnswer(true, 0) } : next();
  const { reason, isCancelled, error } = await endingOf(w, () => {});
  expect(reason).toBeInstanceOf(TaskCancelled);
  expect([isCancelled, error]).toEqual([true, reason]);
  expect(reports(w)).toEqual([0, 0, 0]);
});

test('a lost claim is a ClaimLost, and nothing is reported', async () => {
  const w = world();
  w.engine.intercept = async (method, next) => {
    if (method === Method.Heartbeat) throw new RpcError('FAILED_PRECONDITION', 'no longer current');
    return next();
  };
  const { reason, isCancelled, error } = await endingOf(w, () => {});
  expect(reason).toBeInstanceOf(ClaimLost);
  expect(reason).toMatchObject({ code: 'CLAIM_LOST' });
  expect(isCancelled).toBe(true);
  expect(error.message).toMatch(/^The claim of task .* is lost: no longer current$/);
  expect(reports(w)).toEqual([0, 0, 0]);
});

test('a worker that stops is a WorkerStopped, and the claim is given back', async () => {
  const w = world();
  const { reason, isCancelled, error } = await endingOf(w, (stop) => stop());
  expect(reason).toBeInstanceOf(WorkerStopped);
  expect(reason).toMatchObject({ code: 'WORKER_STOPPED' });
  expect([isCancelled, error.message]).toEqual([true, 'The worker was stopped']);
  expect(reports(w).slice(0, 2)).toEqual([0, 0]);
  expect(w.engine.count('ReleaseClaim')).toBeGreaterThan(0);
});

test('an attempt that is over time gets a TaskTimeout, which is reported', async () => {
  const w = world();
  const { reason } = await endingOf(w, () => {}, { timeout: Duration.milliseconds(5) });
  expect(reason).toBeInstanceOf(TaskTimeout);
  expect(reports(w)).toEqual([0, 1, 0]);
});
