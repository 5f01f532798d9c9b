import { expect, test } from 'vitest';
import './support/core.js';
import { activationOpenHistory, describeSubmission } from '../src/core.js';
import { Duration } from '../src/duration.js';
import { systemClock } from '../src/runtime/clock.js';
import { Stop } from '../src/runtime/stop.js';
import { JsonSerializer } from '../src/serde.js';
import { Activation, type ActivationHost } from '../src/workflow/activation.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { workflow } from '../src/workflow/define.js';
import { Driver } from '../src/workflow/driver.js';
import { failureOf } from './support/failure.js';
import { MemoryLogger } from './support/world.js';

const started = {
  execution: {
    executionId: '01234567-89ab-4def-8123-456789abcdef',
    kind: 'w',
    taskTimeMs: 0,
    extended: true,
  },
  events: [{ sequence: 1, eventType: 'WORKFLOW_STARTED', data: { input: null } }],
};

test.each([
  ['before the first job', true],
  ['in a turn', false],
])('nothing is begun or sent once the claim is known to be lost: %s', async (_, before) => {
  const lost = new Error('the claim is lost');
  const stop = new Stop();
  const seen: string[] = [];
  const host: ActivationHost = {
    stop,
    getEvents: () => Promise.reject(new Error('there is no other page')),
    submit: () => Promise.reject(new Error('nothing may be sent')),
  };
  const definition = workflow({
    name: 'w',
    run: (ctx: WorkflowContext) => {
      seen.push('turn');
      stop.fire(lost);
      return Promise.all([ctx.run('op', () => seen.push('operation')), ctx.sleep(Duration.seconds(1))]);
    },
  });
  if (before) stop.fire(lost);
  const activation = Activation.of(activationOpenHistory(JSON.stringify(started)), undefined);
  const parts = {
    definition,
    serializer: new JsonSerializer(),
    logger: new MemoryLogger(),
    clock: systemClock,
  };
  expect(await failureOf(new Driver(activation, parts).run(host))).toBe(lost);
  expect(seen).toEqual(before ? [] : ['turn']);
  activation.close();
});

/** A driver of a workflow, and a host that takes every submission. */
function driven(run: (ctx: WorkflowContext) => unknown) {
  const submissions: unknown[] = [];
  const activation = Activation.of(activationOpenHistory(JSON.stringify(started)), undefined);
  const host: ActivationHost = {
    stop: new Stop(),
    getEvents: () => Promise.reject(new Error('there is no other page')),
    submit: async (submission) => {
      submissions.push(JSON.parse(describeSubmission(submission)));
      return new Uint8Array();
    },
  };
  const definition = workflow({ name: 'w', run });
  const parts = {
    definition,
    serializer: new JsonSerializer(),
    logger: new MemoryLogger(),
    clock: systemClock,
  };
  return { driver: new Driver(activation, parts), host, submissions };
}

test('a driver is run once, and continued only while it is suspended', async () => {
  const { driver, host, submissions } = driven((ctx) => ctx.sleep(Duration.seconds(1)));
  expect(driver.isContinuable).toBe(false);
  const early = await failureOf(driver.continue(host, new Uint8Array(), () => true));
  expect(early.message).toBe('a driver that is new cannot be continued');
  expect(await driver.run(host)).toBe('suspended');
  expect(submissions).toEqual([
    { commands: [{ type: 'START_TIMER', timerId: 'timer-0', durationMs: 1_000 }], status: 'SUSPENDED' },
  ]);
  expect((await failureOf(driver.run(host))).message).toBe('a driver that is suspended cannot be run');
  expect(driver.isContinuable).toBe(true);
  driver.close();
  driver.close();
  expect(driver.isContinuable).toBe(false);
  const late = await failureOf(driver.continue(host, new Uint8Array(), () => true));
  expect(late.message).toBe('a driver that is closed cannot be continued');
});

test('a driver whose function has ended is not continued', async () => {
  const { driver, host, submissions } = driven(() => 'done');
  expect(await driver.run(host)).toBe('ended');
  expect(submissions).toEqual([
    { commands: [{ type: 'COMPLETE_WORKFLOW', output: 'done' }], status: 'COMPLETED' },
  ]);
  expect(driver.isContinuable).toBe(false);
  driver.close();
});
