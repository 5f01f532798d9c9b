export { Duration } from '../duration.js';
export { checkEveryPrefix } from './replay/check-every-prefix.js';
export { FlovynTestEnvironment } from './environment.js';
export type {
  FetchedHistory,
  HistoryEvent,
  HistoryEventLike,
  HistorySource,
  WorkflowHistory,
} from './history-types.js';
export { MockTaskContext, type TrackedStreamEvent } from './mock/task-context.js';
export type {
  MockOptions,
  MockWorkflowContextOptions,
  TrackedChildWorkflow,
  TrackedOperation,
  TrackedPromise,
  TrackedTask,
  TrackedTimer,
} from './mock/types.js';
export { MockWorkflowContext } from './mock/workflow-context.js';
export type { HarnessConfig, TestAwaitOptions, TestEnvironmentOptions, TestStartOptions } from './options.js';

export { replayHistory } from './replay/replay-history.js';
export type {
  CheckEveryPrefixOptions,
  Replay,
  ReplayedCommand,
  ReplayHistoryOptions,
  ReplayResult,
} from './replay/types.js';

export {
  cleanupTestHarness,
  getTestHarness,
  TestHarness,
  type TestHarnessConfig,
} from './test-harness.js';

/** The version of this kit, that of the package. */
export const TESTING_VERSION: string = '0.1.0';
