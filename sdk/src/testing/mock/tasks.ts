import type { ClaimedTask } from '../../core.js';
import { ConfigurationError } from '../../errors.js';
import { isClaimLost } from '../../rpc/failures.js';
import { serializerFor } from '../../serde/choose.js';
import type { AnyTask } from '../../task/define.js';
import { failure, type TaskOutcome } from '../../task/run.js';
import type { TaskHandle, TaskOptions } from '../../workflow/handle-types.js';
import type { MockEngine } from './engine.js';
import { type MockedResult, MockedResults, trackEnd, type Writable } from './results.js';
import type { TrackedTask } from './types.js';
import { serializer } from '../replay/rerun.js';
import type { VirtualClock } from '../virtual-clock.js';

/** A task that was scheduled, and what its current attempt comes to. */
interface Scheduled {
  readonly name: string;
  readonly definition: Partial<AnyTask> | undefined;
  result: MockedResult;
}

/** The tasks of an execution, which the results that a test has given take the place of. */
export class MockTasks {
  readonly results = new MockedResults(false);
  readonly tracked: Writable<TrackedTask>[] = [];
  readonly #clock: VirtualClock;
  readonly #scheduled = new Map<string, Scheduled>();
  readonly #queues: Set<string>;

  /** `queues` are those that are polled. */
  constructor(clock: VirtualClock, queues: Set<string>) {
    this.#clock = clock;
    this.#queues = queues;
  }

  /** Schedules a task, by the context. Throws if there is no result for it. */
  schedule<Output>(
    task: string | Partial<AnyTask>,
    input: unknown,
    options: TaskOptions | undefined,
    schedule: () => TaskHandle<Output>,
  ): TaskHandle<Output> {
    const [name, definition] = typeof task === 'string' ? [task] : [task?.name, task];
    // What is no name is refused by the context.
    if (typeof name === 'string' && !this.results.has(name)) throw this.#unmocked(name);
    const handle = schedule();
    const result = this.results.take(name ?? '');
    if (name === undefined || result === undefined) return handle;
    this.#scheduled.set(handle.taskExecutionId, { name, definition, result });
    if (options?.queue !== undefined) this.#queues.add(options.queue);
    const tracked: Writable<TrackedTask> = { taskName: name, input, options, result: undefined };
    this.tracked.push(tracked);
    trackEnd(handle, tracked);
    return handle;
  }

  /** Does what task workers would do now; whether there was something. */
  run(engine: MockEngine): boolean {
    let attempts = 0;
    for (const queue of this.#queues) {
      for (let task = engine.pollTask(queue); task !== undefined; task = engine.pollTask(queue)) {
        attempts += 1;
        this.#attempt(engine, task);
      }
    }
    return attempts > 0;
  }

  #attempt(engine: MockEngine, task: ClaimedTask): void {
    const scheduled = this.#scheduled.get(task.taskExecutionId);
    if (scheduled === undefined)
      throw new Error(`task ${task.taskExecutionId} was not scheduled by the mock`);
    if (task.executionCount > 1) scheduled.result = this.results.take(scheduled.name) ?? scheduled.result;
    const outcome = outcomeOf(scheduled);
    const { afterMs } = scheduled.result;
    if (afterMs === 0) engine.report(task, outcome);
    else this.#clock.schedule(afterMs, () => reportLate(engine, task, outcome));
  }

  #unmocked(name: string): ConfigurationError {
    const count = this.tracked.filter(({ taskName }) => taskName === name).length;
    const before = count === 0 ? '' : `; those for the ${count} before it are used up`;
    return new ConfigurationError(
      `Task "${name}" has no result${before}: give one for each time that it is scheduled, by mockTaskResult or ` +
        `mockTaskResultByName("${name}", result)`,
    );
  }
}

function outcomeOf({ definition, result }: Scheduled): TaskOutcome {
  if ('thrown' in result) return failure(result.thrown);
  try {
    return { output: serializerFor(definition, { serializer }).serialize(result.value) };
  } catch (error) {
    return { ...failure(error), retryable: false };
  }
}

/** The attempt may have timed out meanwhile, or its task been cancelled. */
function reportLate(engine: MockEngine, task: ClaimedTask, outcome: TaskOutcome): void {
  try {
    engine.report(task, outcome);
  } catch (error) {
    if (!isClaimLost(error)) throw error;
  }
}
