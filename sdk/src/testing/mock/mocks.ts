import { ConfigurationError } from '../../errors.js';
import { checkOptions } from '../../options.js';
import { systemClock } from '../../runtime/clock.js';
import { MockChildren } from './children.js';
import { MOCK_QUEUE } from './engine.js';
import { MockExecution } from './execution.js';
import { MockOperations } from './operations.js';
import { MockPromises } from './promises.js';
import { MockTasks } from './tasks.js';
import { MockTimers } from './timers.js';
import type { MockWorkflowContextOptions } from './types.js';
import { TrackedContext } from './tracked-context.js';
import { VirtualClock } from '../virtual-clock.js';

/** An execution and what is mocked of it. */
export class Mocks {
  readonly clock: VirtualClock;
  readonly tasks: MockTasks;
  readonly timers: MockTimers;
  readonly promises: MockPromises;
  readonly children: MockChildren;
  readonly operations = new MockOperations();
  readonly execution: MockExecution;

  constructor(options: MockWorkflowContextOptions) {
    checkMockOptions(options);
    const { currentTime, randomSeed = 1, workflow } = options;
    const clock = new VirtualClock(currentTime?.getTime() ?? systemClock.nowMs());
    const queues = new Set([MOCK_QUEUE]);
    this.clock = clock;
    this.tasks = new MockTasks(clock, queues);
    this.timers = new MockTimers(clock);
    this.promises = new MockPromises(clock);
    this.children = new MockChildren(clock, queues);
    this.execution = new MockExecution({
      clock,
      // The engine takes 32 bits.
      seed: randomSeed >>> 0,
      workflow,
      queues,
      contextFor: (ctx) => TrackedContext.of(this, ctx),
      runTasks: (engine) => this.tasks.run(engine),
      settlePromises: (engine, executionId) => this.promises.settle(engine, executionId),
      isTimed: ({ type, name }) => (type === 'promise' ? this.promises.isTimed(name) : type !== 'signal'),
      runChild: (engine, child) => this.children.run(engine, child),
    });
  }
}

function checkMockOptions(options: MockWorkflowContextOptions): void {
  const what = 'MockWorkflowContext';
  checkOptions(what, options, ['currentTime', 'randomSeed', 'workflow']);
  const { currentTime, randomSeed, workflow } = options;
  if (currentTime !== undefined && !(currentTime instanceof Date && currentTime.getTime() >= 0))
    throw new ConfigurationError(`${what}: currentTime must be a valid Date, got ${String(currentTime)}`);
  if (randomSeed !== undefined && !Number.isSafeInteger(randomSeed))
    throw new ConfigurationError(`${what}: randomSeed must be a whole number, got ${String(randomSeed)}`);
  if (workflow !== undefined && typeof workflow?.run !== 'function')
    throw new ConfigurationError(`${what}: workflow must be a definition, as workflow({ .. }) gives it`);
}
