// The verbs that workflow code reaches through its context.

export {
  beginOperation,
  CancelEffect,
  cancelHandle,
  cancelScope,
  completeCancelled,
  createPromise,
  deprecatePatch,
  drainSignals,
  hasSignal,
  openScope,
  patched,
  pendingSignalCount,
  scheduleTask,
  setSignalHandlers,
  startChild,
  startTimer,
  waitForSignal,
} from '../core.js';
export type { Job as WorkflowJob } from '../core.js';
