import { Duration } from '../../src/duration.js';
import { MockWorkflowContext, type MockWorkflowContextOptions } from '../../src/testing/index.js';
import { workflow } from '../../src/workflow/define.js';
import { type Observation, type Observations, only } from './difference.js';
import { child, echo, ms, outcomeOf } from './play.js';

const START = new Date('2026-01-01');
const DAY = Duration.days(1);

/** What code gets from a context of which something is mocked, or not. */
const mocked =
  (mock: (ctx: MockWorkflowContext) => unknown, run: (ctx: MockWorkflowContext) => unknown): Observation =>
  async (given) => {
    const ctx = new MockWorkflowContext({ currentTime: START });
    if (given) mock(ctx);
    return outcomeOf(Promise.resolve().then(() => run(ctx)));
  };

/** What is seen of a context that was made with an option, or without. */
const made =
  <Name extends keyof MockWorkflowContextOptions>(
    name: Name,
    value: MockWorkflowContextOptions[Name],
    see: (ctx: MockWorkflowContext) => unknown,
  ): Observation =>
  (given) =>
    see(new MockWorkflowContext(only(given, name, value)));

/** Whether something that is tracked has an error once it came to its end. */
const tracking =
  (track: (ctx: MockWorkflowContext, result: unknown) => Promise<unknown>): Observation =>
  async (given) => {
    const ctx = new MockWorkflowContext({ currentTime: START });
    await track(ctx, given ? new Error('odd') : 'fine').catch(() => {});
    const [tracked] = [...ctx.executedTasks, ...ctx.startedChildWorkflows, ...ctx.executedOperations];
    return [Object.hasOwn(tracked ?? {}, 'error'), String(tracked?.error)];
  };

/** What mocks of a workflow's surroundings do. */
export const mockWorkflow: Observations = {
  'MockWorkflowContext.mockTaskResult': mocked(
    (ctx) => ctx.mockTaskResult(echo, 'mocked'),
    (ctx) => ctx.task(echo, 'x'),
  ),
  'MockWorkflowContext.mockTaskResultByName': mocked(
    (ctx) => ctx.mockTaskResultByName('echo', 'mocked'),
    (ctx) => ctx.scheduleByName('echo', 'x'),
  ),
  'MockWorkflowContext.mockPromiseResolution': mocked(
    (ctx) => ctx.mockPromiseResolution('p', 'mocked'),
    (ctx) => ctx.promise('p'),
  ),
  'MockWorkflowContext.mockPromiseRejection': mocked(
    (ctx) => ctx.mockPromiseRejection('p', 'no'),
    (ctx) => ctx.promise('p'),
  ),
  'MockWorkflowContext.mockChildWorkflowResult': mocked(
    (ctx) => ctx.mockChildWorkflowResult(child, 'mocked'),
    (ctx) => ctx.workflow(child, 'x'),
  ),
  'MockWorkflowContext.mockChildWorkflowResultByName': mocked(
    (ctx) => ctx.mockChildWorkflowResultByName('child', 'mocked'),
    (ctx) => ctx.scheduleWorkflowByName('child', 'x'),
  ),
  'MockWorkflowContext.mockOperationResult': mocked(
    (ctx) => ctx.mockOperationResult('op', 'mocked'),
    (ctx) => ctx.run('op', () => 'called'),
  ),
  'MockWorkflowContext.mockSignal': mocked(
    (ctx) => ctx.mockSignal('s', 'mocked'),
    (ctx) => ctx.waitForSignal('s'),
  ),
  'MockWorkflowContext.markCancelled': mocked(
    (ctx) => ctx.markCancelled('enough'),
    (ctx) => ctx.sleep(DAY),
  ),
  'MockWorkflowContext.advanceTime': mocked(
    (ctx) => ctx.advanceTime(DAY),
    (ctx) => ctx.currentTime(),
  ),
  'MockWorkflowContext.stop': async (given) => {
    const ctx = new MockWorkflowContext({ currentTime: START });
    void ctx.sleep(DAY);
    if (given) ctx.stop();
    await ctx.advanceTime(DAY);
    return ctx.startedTimers.map(({ firedAt }) => firedAt);
  },
  'MockWorkflowContextOptions.currentTime': made(
    'currentTime',
    START,
    (ctx) => ctx.currentTime().getTime() === START.getTime(),
  ),
  'MockWorkflowContextOptions.randomSeed': made('randomSeed', 7, (ctx) => ctx.random()),
  'MockWorkflowContextOptions.workflow': made(
    'workflow',
    workflow({
      name: 'noting',
      handlers: { signals: { s: (ctx, value) => ctx.set('s', value) } },
      run: () => null,
    }),
    (ctx) => [ctx.mockSignal('s', 1).get('s'), ctx.info.workflowKind],
  ),
  'MockOptions.after': async (given) => {
    const ctx = new MockWorkflowContext({ currentTime: START });
    ctx.mockTaskResult(echo, 'mocked', only(given, 'after', ms(5_000)));
    await ctx.task(echo, 'x');
    return ctx.currentTime();
  },
  'TrackedTask.error': tracking((ctx, result) => ctx.mockTaskResultByName('echo', result).task(echo, 'x')),
  'TrackedChildWorkflow.error': tracking((ctx, result) =>
    ctx.mockChildWorkflowResultByName('child', result).workflow(child, 'x'),
  ),
  'TrackedOperation.error': tracking((ctx, result) =>
    ctx.mockOperationResult('op', result).run('op', () => null),
  ),
};
