import { ConfigurationError } from '../../errors.js';
import { Duration } from '../../duration.js';
import { silentLogger } from '../../logger.js';
import { Activation } from '../../workflow/activation.js';
import type { AnyWorkflow } from '../../workflow/define.js';
import { Driver } from '../../workflow/driver.js';
import type { ChildWorkflowHandle, ChildWorkflowOptions } from '../../workflow/handle-types.js';
import type { ClaimedExecution, MockEngine } from './engine.js';
import { type MockedResult, MockedResults, trackEnd, type Writable } from './results.js';
import type { TrackedChildWorkflow } from './types.js';
import { serializer } from '../replay/rerun.js';
import type { VirtualClock } from '../virtual-clock.js';

/** The children of an execution: executions whose code takes its time and gives the result that a test has given. */
export class MockChildren {
  readonly results = new MockedResults(true);
  readonly tracked: Writable<TrackedChildWorkflow>[] = [];
  readonly #clock: VirtualClock;
  readonly #definitions = new Map<string, AnyWorkflow>();
  readonly #drivers = new Map<string, Driver>();
  readonly #queues: Set<string>;

  /** `queues` are those that are polled. */
  constructor(clock: VirtualClock, queues: Set<string>) {
    this.#clock = clock;
    this.#queues = queues;
  }

  /** Starts a child, by the context. Throws if there is no result for it. */
  start<Output>(
    workflow: string | Partial<AnyWorkflow>,
    input: unknown,
    options: ChildWorkflowOptions | undefined,
    start: () => ChildWorkflowHandle<Output>,
  ): ChildWorkflowHandle<Output> {
    const [name, definition] = typeof workflow === 'string' ? [workflow] : [workflow?.name, workflow];
    // What is no name is refused by the context.
    if (typeof name === 'string' && !this.results.has(name)) throw unmocked(name);
    const handle = start();
    const result = this.results.take(name ?? '');
    if (name === undefined || result === undefined) return handle;
    this.#definitions.set(handle.childExecutionId, playing(name, definition, result));
    if (options?.queue !== undefined) this.#queues.add(options.queue);
    const tracked: Writable<TrackedChildWorkflow> = { workflowName: name, input, options, result: undefined };
    this.tracked.push(tracked);
    trackEnd(handle, tracked);
    return handle;
  }

  /** Does what a workflow worker would do with a child that it has claimed. */
  async run(engine: MockEngine, { polled, answer }: ClaimedExecution): Promise<void> {
    const { executionId } = polled;
    const kept = this.#drivers.get(executionId);
    const driver = kept ?? this.#open(executionId, answer);
    const host = engine.host(polled);
    const end = await (kept === undefined ? driver.run(host) : driver.continue(host, answer, () => true));
    if (end === 'suspended') return void this.#drivers.set(executionId, driver);
    this.#drivers.delete(executionId);
    driver.close();
  }

  #open(executionId: string, answer: Uint8Array): Driver {
    const definition = this.#definitions.get(executionId);
    const activation = Activation.open(answer, true, undefined);
    if (definition === undefined || activation === undefined)
      throw new Error(`execution ${executionId} was not started by the mock`);
    return new Driver(activation, { definition, serializer, logger: silentLogger, clock: this.#clock });
  }
}

function playing(
  name: string,
  definition: Partial<AnyWorkflow> | undefined,
  result: MockedResult,
): AnyWorkflow {
  return {
    name,
    description: undefined,
    version: undefined,
    timeout: undefined,
    handlers: undefined,
    serializer: definition?.serializer,
    run: async (ctx) => {
      if (result.afterMs > 0) await ctx.sleep(Duration.milliseconds(result.afterMs));
      if ('thrown' in result) throw result.thrown;
      return result.value;
    },
  };
}

function unmocked(name: string): ConfigurationError {
  return new ConfigurationError(
    `Child workflow "${name}" has no result: give one by mockChildWorkflowResult or ` +
      `mockChildWorkflowResultByName("${name}", result)`,
  );
}
