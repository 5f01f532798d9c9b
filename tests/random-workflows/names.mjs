/** What a workflow can ask for, as traces and histograms name it. */
export const VERBS = (
  'task sleep promise run signal child set clear clearAll get stateKeys currentTime random randomUUID ' +
  'hasSignal pendingSignalCount drainSignals patched deprecatePatch handler cancel isCancellationRequested checkCancellation'
).split(' ');

/** How a workflow can put promises together, and what it can do around them. */
export const COMBINATORS =
  'all race any allSettled branch scope nonCancellable withTimeout try loop if throw return start'.split(' ');

/** What can happen to a workflow. */
export const FAULTS = [
  'run of the function',
  'continued from the cache',
  'task completes',
  'task fails',
  'task fails for good',
  'task ends twice',
  'promise answered twice',
  'operation ends',
  'operation fails',
  'signal',
  'cancel request',
  'landed in an activation',
  'request lost',
  'answer lost',
  'killed before',
  'killed after',
  'killed at rest',
  'stopped',
  'claim taken over',
  'other code deployed',
  'plain submission',
  'query answered',
  'state asked',
];
