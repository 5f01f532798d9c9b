import type { Duration } from '../../duration.js';
import { ConfigurationError } from '../../errors.js';
import { checkText, wholeMs } from '../../options.js';
import type { TaskDefinition } from '../../task/define.js';
import type { WorkflowDefinition } from '../../workflow/define.js';
import { mockedAfterMs, mockedResult } from './results.js';
import type {
  MockOptions,
  MockWorkflowContextOptions,
  TrackedChildWorkflow,
  TrackedOperation,
  TrackedPromise,
  TrackedTask,
  TrackedTimer,
} from './types.js';
import { Mocks } from './mocks.js';
import { serializer } from '../replay/rerun.js';
import { TrackedContext } from './tracked-context.js';

/**
 * A context to call the function of a workflow with in a test, without a server and without workers. The test says what
 * its tasks, promises, child workflows and operations give, and then sees what the workflow asked for.
 *
 * ```ts
 * const ship = workflow({
 *   name: 'ship',
 *   run: async (ctx, input: { id: string }) => {
 *     const receipt = await ctx.task(charge, input);
 *     await ctx.sleep(Duration.days(30));
 *     return receipt;
 *   },
 * });
 * const ctx = new MockWorkflowContext({ currentTime: new Date('2026-01-01') });
 * ctx.mockTaskResult(charge, 'receipt-1');
 * assert.equal(await ship.run(ctx, { id: 'order-1' }), 'receipt-1');
 * assert.deepEqual(ctx.executedTasks[0]?.input, { id: 'order-1' });
 * assert.equal(ctx.currentTime().toISOString(), '2026-01-31T00:00:00.000Z');
 * ```
 *
 * Only what it depends on is mocked. The workflow is an execution on the engine of this package: it suspends and goes on,
 * tasks are retried by their policy, races are won, scopes, timeouts and cancellation work as in production. A context is
 * one execution; make another one for each test.
 *
 * Time stands still while anything can be done. When the workflow waits for nothing but time, it is skipped to the next
 * timer, at once; see `advanceTime` for how to stop in between.
 *
 * A workflow that would hang is told so by a `ConfigurationError`, with which what it waits for is rejected: when nobody has
 * mocked that and the test does not give it within 100 ms of the machine, and when the workflow has gone on 2,000 times
 * without a call of the test and without a task. The context does not see that a workflow has returned: if it leaves a
 * branch behind that nobody awaits, which production drops then, call `stop`.
 *
 * The context cannot tell who uses it. So the test may look at it too, as with `ctx.get`; and calls that production
 * refuses with `NOT_IN_TURN`, such as those after `await fetch(..)`, are let through here. `FlovynTestEnvironment` refuses
 * them, and finds code that is not deterministic.
 */
export class MockWorkflowContext extends TrackedContext {
  readonly #mocks: Mocks;

  /** Throws `ConfigurationError` for options that cannot be meant. */
  constructor(options: MockWorkflowContextOptions = {}) {
    const mocks = new Mocks(options);
    super(mocks);
    this.#mocks = mocks;
  }

  /**
   * What the next attempt of the task gives that has none yet, as the workflow gets it: an output schema is not asked again.
   * Each attempt takes one, so a task that is scheduled twice needs two; a task for which none is left is refused with a
   * `ConfigurationError` when it is scheduled.
   *
   * An error makes the attempt fail. The task is then tried again by its retry policy, without one three times, and takes
   * the next result; if there is none, the error once more. `new TaskFailed(message, id, false)` fails it for good.
   *
   * ```ts
   * const ctx = new MockWorkflowContext();
   * ctx.mockTaskResult(charge, new Error('busy')).mockTaskResult(charge, 'receipt-1');
   * assert.equal(await ctx.task(charge, { id: 'order-1' }), 'receipt-1');
   * ```
   */
  mockTaskResult<Input, Output>(
    definition: TaskDefinition<Input, Output>,
    result: NoInfer<Output> | Error,
    options: MockOptions = {},
  ): this {
    return this.#mockTask('mockTaskResult', nameOf('mockTaskResult', definition), result, options);
  }

  /** The same for a task by its name. */
  mockTaskResultByName(name: string, result: unknown, options: MockOptions = {}): this {
    return this.#mockTask('mockTaskResultByName', name, result, options);
  }

  /**
   * Resolves the promise that the workflow makes, or has made, by `ctx.promise(name)`. Given several times for one name,
   * the promises of that name take them in turn, and the last one is for all that follow. A promise for which there is
   * none rejects with a `ConfigurationError` when nothing but it is waited for, unless it times out before.
   */
  mockPromiseResolution(name: string, value?: unknown, options: MockOptions = {}): this {
    const what = 'mockPromiseResolution';
    checkText(`${what}, name`, name);
    // What cannot be sent is refused here, where it was given.
    const sent: unknown = serializer.deserialize(serializer.serialize(value));
    this.#mocks.promises.settlements.add(name, { afterMs: mockedAfterMs(what, options), value: sent });
    this.#mocks.execution.wake();
    return this;
  }

  /** As `mockPromiseResolution`, but the workflow sees a `PromiseRejected` with this reason. */
  mockPromiseRejection(name: string, error: string | Error, options: MockOptions = {}): this {
    const what = 'mockPromiseRejection';
    checkText(`${what}, name`, name);
    const thrown = typeof error === 'string' ? new Error(error) : error;
    if (!(thrown instanceof Error))
      throw new ConfigurationError(`${what}: expected a text or an Error, got ${String(error)}`);
    this.#mocks.promises.settlements.add(name, { afterMs: mockedAfterMs(what, options), thrown });
    this.#mocks.execution.wake();
    return this;
  }

  /**
   * What a child of this workflow gives, as this workflow gets it; an error makes it fail. Given several times, children take
   * them in turn, and the last one is for all that follow. Starting a child for which there is none is refused with a
   * `ConfigurationError`.
   */
  mockChildWorkflowResult<Input, Output>(
    definition: WorkflowDefinition<Input, Output>,
    result: NoInfer<Output> | Error,
    options: MockOptions = {},
  ): this {
    const what = 'mockChildWorkflowResult';
    return this.#mockChild(what, nameOf(what, definition), result, options);
  }

  /** The same for a workflow by its name. */
  mockChildWorkflowResultByName(name: string, result: unknown, options: MockOptions = {}): this {
    return this.#mockChild('mockChildWorkflowResultByName', name, result, options);
  }

  /**
   * What the operation gives that the workflow begins by `ctx.run(name, ..)`, whose function is not called then; an error
   * makes its attempt fail. Given several times, the attempts take them in turn, and the last one is for all that follow.
   * An operation without one calls its function.
   */
  mockOperationResult(name: string, result: unknown): this {
    checkText('mockOperationResult, name', name);
    this.#mocks.operations.results.add(name, mockedResult('mockOperationResult', result));
    return this;
  }

  /** Sends the workflow a signal. Before the workflow is called: one that it finds when it begins. */
  mockSignal(name: string, value?: unknown, options: MockOptions = {}): this {
    checkText('mockSignal, name', name);
    const payload = serializer.serialize(value);
    const afterMs = mockedAfterMs('mockSignal', options);
    this.#mocks.execution.tell(afterMs, (engine, id) => engine.signal(id, name, payload));
    return this;
  }

  /**
   * Asks the workflow to end as cancelled, as `handle.cancel()` of a client does. One that has not been called yet is told
   * so when it waits for the first time.
   */
  markCancelled(reason: string = '', options: MockOptions = {}): this {
    checkText('markCancelled, reason', reason);
    const afterMs = mockedAfterMs('markCancelled', options);
    this.#mocks.execution.tell(afterMs, (engine, id) => engine.cancel(id, reason));
    return this;
  }

  /**
   * Lets this much time pass. With nothing under way `ctx.currentTime()` has moved when it returns; else timers fire in
   * between, each at its time, and it resolves when all that they bring about has been done.
   *
   * A workflow needs it only where a test looks at what has happened at some time: what it waits for comes by itself, as
   * soon as the test waits for anything else. So between the call of the workflow and the last look, await nothing but this.
   *
   * ```ts
   * const ctx = new MockWorkflowContext();
   * ctx.mockTaskResult(sendMail, 'sent');
   * const done = ctx.sleep(Duration.days(30)).then(() => ctx.task(sendMail, { id: 'mail-1' }));
   * await ctx.advanceTime(Duration.days(29));
   * assert.equal(ctx.executedTasks.length, 0);
   * await ctx.advanceTime(Duration.days(1));
   * assert.equal(ctx.executedTasks.length, 1);
   * await done;
   * ```
   */
  async advanceTime(duration: Duration): Promise<void> {
    const ms = wholeMs('advanceTime', duration);
    if (ms < 0) throw new ConfigurationError(`advanceTime: time does not go back, got ${duration}`);
    await this.#mocks.execution.advance(ms);
  }

  /**
   * Ends the execution, as production does when a workflow has returned: what it still waits for never settles, and time is
   * not skipped for it. What was tracked and the state can be looked at as before.
   *
   * ```ts
   * const ctx = new MockWorkflowContext();
   * void ctx.waitForSignal('hurry').then(() => ctx.set('hurried', true));
   * ctx.stop();
   * assert.equal(ctx.get('hurried'), null);
   * ```
   */
  stop(): void {
    this.#mocks.execution.stop();
  }

  /** The tasks that were scheduled, in that order. */
  get executedTasks(): readonly TrackedTask[] {
    return this.#mocks.tasks.tracked;
  }

  /** The timers that were started by `sleep` and `sleepUntil`, in that order. */
  get startedTimers(): readonly TrackedTimer[] {
    return this.#mocks.timers.tracked;
  }

  /** The promises that were made, in that order. */
  get createdPromises(): readonly TrackedPromise[] {
    return this.#mocks.promises.tracked;
  }

  /** The child workflows that were started, in that order. */
  get startedChildWorkflows(): readonly TrackedChildWorkflow[] {
    return this.#mocks.children.tracked;
  }

  /** The operations that were begun, in that order. */
  get executedOperations(): readonly TrackedOperation[] {
    return this.#mocks.operations.tracked;
  }

  #mockTask(what: string, name: string, result: unknown, options: MockOptions): this {
    checkText(`${what}, name`, name);
    this.#mocks.tasks.results.add(name, mockedResult(what, result, options));
    return this;
  }

  #mockChild(what: string, name: string, result: unknown, options: MockOptions): this {
    checkText(`${what}, name`, name);
    this.#mocks.children.results.add(name, mockedResult(what, result, options));
    return this;
  }
}

function nameOf(what: string, definition: { readonly name: string }): string {
  if (typeof definition?.name === 'string') return definition.name;
  throw new ConfigurationError(`${what} takes a definition; for a name use ${what}ByName`);
}
