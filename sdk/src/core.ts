import * as glue from './generated/core.js';
import { textOf } from './errors/base.js';
import { ConfigurationError, CoreError, CoreTrapped, DeterminismViolation, Unsupported } from './errors.js';

// The one file that knows that the core is wasm. Below, in the order of wasm/src: every function of the glue,
// with errors turned into those of this package.

// --- The instance ------------------------------------------------------------------------------------------

/**
 * Numbers of the core count from 1 in every instance. What leaves this file also holds which instance it
 * belongs to, so that a number from before a trap never reaches what another owner has under the same number
 * now.
 */
const INSTANCE = 2 ** 32;

let instance = 0;
let installed = false;
const resetListeners = new Set<(trap: CoreTrapped) => void>();

/** Loads the core from its wasm: the bytes, or a compiled module. A second call is ignored. */
export function install(module: Uint8Array | ArrayBuffer | WebAssembly.Module): void {
  if (installed) return;
  glue.initSync({ module: module as glue.SyncInitInput });
  installed = true;
}

/** Loads the core from an address. A second call is ignored. */
export async function installFrom(address: URL): Promise<void> {
  if (installed) return;
  await glue.default({ module_or_path: address as glue.InitInput });
  installed = true;
}

/** Whether `install` or `installFrom` has been done. */
export function isInstalled(): boolean {
  return installed;
}

/** Calls `listener` each time the core was loaded anew after a trap. Returns how to stop that. */
export function onCoreReset(listener: (trap: CoreTrapped) => void): () => void {
  resetListeners.add(listener);
  return () => resetListeners.delete(listener);
}

/**
 * The thing that was called lived in an instance that has trapped since: the trap was the fault of something
 * else.
 */
export class InstanceGone extends CoreTrapped {}

type Call<A extends unknown[], R> = (...args: A) => R;

function guarded<A extends unknown[], R>(call: Call<A, R>): Call<A, R> {
  return (...args) => {
    try {
      return call(...args);
    } catch (error) {
      throw refusal(error);
    }
  };
}

/** As `guarded`, for calls whose first argument is a number that `opening` gave. */
function guardedById<A extends unknown[], R>(
  call: (id: number, ...args: A) => R,
): (id: number, ...args: A) => R {
  return (id, ...args) => {
    try {
      return call(numberHere(id), ...args);
    } catch (error) {
      throw refusal(error);
    }
  };
}

/** As `guarded`, for calls that give a number; 0 stays 0, since it stands for nothing. */
function opening<A extends unknown[]>(call: Call<A, number>): Call<A, number> {
  const open = guarded(call);
  return (...args) => {
    const id = open(...args);
    return id === 0 ? 0 : instance * INSTANCE + id;
  };
}

function numberHere(id: number): number {
  const number = id - instance * INSTANCE;
  if (number > 0) return number;
  throw new InstanceGone('The core was loaded anew after a trap: what it held before is gone');
}

function refusal(thrown: unknown): Error {
  if (thrown instanceof InstanceGone) return thrown;
  if (isTrap(thrown)) return reset(thrown);
  if (!installed) return notInstalled(thrown);
  const code: unknown = thrown instanceof Error ? Reflect.get(thrown, 'code') : undefined;
  if (typeof code !== 'string')
    return thrown instanceof Error ? thrown : new CoreError('INTERNAL', textOf(thrown), thrown);
  const { message } = thrown as Error;
  if (code === 'VIOLATION') return new DeterminismViolation(message, Reflect.get(thrown as Error, 'details'));
  if (code === 'UNSUPPORTED') return new Unsupported(message, thrown);
  // A status of the embedded engine: its transport knows which call it belongs to.
  if ('grpcCode' in (thrown as Error)) return thrown as Error;
  return new CoreError(code, message, thrown);
}

// A stack that overflowed inside the core left it half-way through something, like a panic does.
function isTrap(thrown: unknown): boolean {
  return thrown instanceof WebAssembly.RuntimeError || thrown instanceof RangeError;
}

function reset(cause: unknown): CoreTrapped {
  const trap = new CoreTrapped(`The core hit a bug of its own and was loaded anew: ${textOf(cause)}`, cause);
  instance += 1;
  glue.resetInstance();
  for (const listener of resetListeners) listener(trap);
  return trap;
}

function notInstalled(cause: unknown): ConfigurationError {
  const text =
    'The core is not loaded: import "@flovyn/sdk" by that name, so that the entry for this runtime is chosen, ' +
    'and in browsers await ready() first';
  return new ConfigurationError(text, cause);
}

// --- replay: one workflow execution during one activation --------------------------------------------------

export { CancelEffect, Step } from './generated/core.js';
export type {
  ActivationInfo,
  Job,
  Rejection,
  ScheduleTaskOptions,
  StartChildOptions,
  ViolationDetails,
} from './generated/core.js';

export const activationOpen = opening(glue.activationOpen);
export const activationOpenHistory = opening(glue.activationOpenHistory);
export const activationInfo = guardedById(glue.activationInfo);
export const activationLastSequence = guardedById(glue.activationLastSequence);
export const activationMemoryBytes = guardedById(glue.activationMemoryBytes);
export const activationHandleFirstEvents = guardedById(glue.activationHandleFirstEvents);
export const activationHandleEvents = guardedById(glue.activationHandleEvents);
export const activationEncodedPayloads = guardedById(glue.activationEncodedPayloads);
export const activationHandleDecodedPayloads = guardedById(glue.activationHandleDecodedPayloads);
export const activationResume = guardedById(glue.activationResume);
export const nextStep = guardedById(glue.nextStep);
export const stageSubmission = guardedById(glue.stageSubmission);
export const takeSubmission = guardedById(glue.takeSubmission);
export const describeSubmission = guarded(glue.describeSubmission);
export const describeCommands = guardedById(glue.describeCommands);
export const handleSubmitAnswer = guardedById(glue.handleSubmitAnswer);
export const activationClose = guardedById(glue.activationClose);

export const scheduleTask = guardedById(glue.scheduleTask);
export const startTimer = guardedById(glue.startTimer);
export const createPromise = guardedById(glue.createPromise);
export const beginOperation = guardedById(glue.beginOperation);
export const startChild = guardedById(glue.startChild);
export const setState = guardedById(glue.setState);
export const clearState = guardedById(glue.clearState);
export const clearAllState = guardedById(glue.clearAllState);
export const getState = guardedById(glue.getState);
export const stateKeys = guardedById(glue.stateKeys);
export const currentTimeMs = guardedById(glue.currentTimeMs);
export const random = guardedById(glue.random);
export const patched = guardedById(glue.patched);
export const deprecatePatch = guardedById(glue.deprecatePatch);
export const randomUuid = guardedById(glue.randomUuid);

export const waitForSignal = guardedById(glue.waitForSignal);
export const hasSignal = guardedById(glue.hasSignal);
export const pendingSignalCount = guardedById(glue.pendingSignalCount);
export const drainSignals = guardedById(glue.drainSignals);
export const setSignalHandlers = guardedById(glue.setSignalHandlers);
export const openScope = guardedById(glue.openScope);
export const cancelScope = guardedById(glue.cancelScope);
export const cancelHandle = guardedById(glue.cancelHandle);
export const isCancellationRequested = guardedById(glue.isCancellationRequested);

export const pollJob = guardedById(glue.pollJob);
export const pollOperation = guardedById(glue.pollOperation);
export const operationCompleted = guardedById(glue.operationCompleted);
export const operationFailed = guardedById(glue.operationFailed);
export const complete = guardedById(glue.complete);
export const fail = guardedById(glue.fail);
export const completeCancelled = guardedById(glue.completeCancelled);
export const isReplaying = guardedById(glue.isReplaying);
export const isFirstActivation = guardedById(glue.isFirstActivation);

// --- messages: plain objects <-> bytes of the contract -----------------------------------------------------

export type {
  AwaitedResult,
  ClaimedTask,
  Events,
  HistoryEvent,
  Polled,
  PolledQuery,
  RegisteredWorker,
  StartedWorkflow,
  StreamedEvent,
  WorkflowDescription,
} from './generated/core.js';

export const encodePollWorkflow = guarded(glue.encodePollWorkflow);
export const pollPeek = guarded(glue.pollPeek);
export const submitAnswerNext = guarded(glue.submitAnswerNext);
export const encodeAnswerQuery = guarded(glue.encodeAnswerQuery);
export const encodeGetEvents = guarded(glue.encodeGetEvents);
export const decodeEvents = guarded(glue.decodeEvents);

export const encodeStartWorkflow = guarded(glue.encodeStartWorkflow);
export const decodeStartWorkflow = guarded(glue.decodeStartWorkflow);
export const encodeResolvePromise = guarded(glue.encodeResolvePromise);
export const encodeRejectPromise = guarded(glue.encodeRejectPromise);
export const encodeAwaitResult = guarded(glue.encodeAwaitResult);
export { WorkflowStatus } from './generated/core.js';
export const decodeAwaitResult = guarded(glue.decodeAwaitResult);
export const encodeDescribeWorkflow = guarded(glue.encodeDescribeWorkflow);
export const decodeDescribeWorkflow = guarded(glue.decodeDescribeWorkflow);
export const encodeListWorkflows = guarded(glue.encodeListWorkflows);
export const decodeListWorkflows = guarded(glue.decodeListWorkflows);
export const encodeCancelWorkflow = guarded(glue.encodeCancelWorkflow);

export const encodeSignalWorkflow = guarded(glue.encodeSignalWorkflow);
export const decodeSignalWorkflow = guarded(glue.decodeSignalWorkflow);
export const encodeSignalWithStartWorkflow = guarded(glue.encodeSignalWithStartWorkflow);
export const decodeSignalWithStartWorkflow = guarded(glue.decodeSignalWithStartWorkflow);
export const encodeQueryWorkflow = guarded(glue.encodeQueryWorkflow);
export const decodeQueryWorkflow = guarded(glue.decodeQueryWorkflow);

export const encodePollTask = guarded(glue.encodePollTask);
export const decodePollTask = guarded(glue.decodePollTask);
export const decodeNextTask = guarded(glue.decodeNextTask);
export const encodeCompleteTask = guarded(glue.encodeCompleteTask);
export const encodeFailTask = guarded(glue.encodeFailTask);
export const encodeHeartbeat = guarded(glue.encodeHeartbeat);
export const decodeHeartbeat = guarded(glue.decodeHeartbeat);
export const encodeReportProgress = guarded(glue.encodeReportProgress);
export const encodeLogMessage = guarded(glue.encodeLogMessage);
export const encodeStreamTaskData = guarded(glue.encodeStreamTaskData);
export const encodeTaskStateKey = guarded(glue.encodeTaskStateKey);
export const decodeGetTaskState = guarded(glue.decodeGetTaskState);
export const encodeSetTaskState = guarded(glue.encodeSetTaskState);
export const decodeTaskStateKeys = guarded(glue.decodeTaskStateKeys);
export const encodeReadStream = guarded(glue.encodeReadStream);
export const decodeReadStream = guarded(glue.decodeReadStream);

export const encodeRegisterWorker = guarded(glue.encodeRegisterWorker);
export const decodeRegisterWorker = guarded(glue.decodeRegisterWorker);
export const encodeSendHeartbeat = guarded(glue.encodeSendHeartbeat);

export const encodeRenewClaim = guarded(glue.encodeRenewClaim);
export const decodeRenewClaim = guarded(glue.decodeRenewClaim);
export const encodeReleaseClaim = guarded(glue.encodeReleaseClaim);
export const encodeFailExecution = guarded(glue.encodeFailExecution);

// --- frame: messages <-> bytes of gRPC ---------------------------------------------------------------------

export type { Frame } from './generated/core.js';

export const encodeFrame = guarded(glue.encodeFrame);
export const decoderOpen = opening(glue.decoderOpen);
export const decoderPush = guardedById(glue.decoderPush);
export const decoderFinish = guardedById(glue.decoderFinish);

// --- orchestrator: a whole server in memory ----------------------------------------------------------------

export type { Parked, Wakes } from './generated/core.js';

export const engineOpen = opening(glue.engineOpen);
export const engineHandle = guardedById(glue.engineHandle);
export const engineTook = guardedById(glue.engineTook);
export const engineTick = guardedById(glue.engineTick);
export const engineTakeWakes = guardedById(glue.engineTakeWakes);
export const engineTakeWarnings = guardedById(glue.engineTakeWarnings);
export const engineClose = guardedById(glue.engineClose);

// --- trap: only in builds with the feature trap-test -------------------------------------------------------

/** Traps as a panic in the core would. Refused by builds without the feature `trap-test`. */
export const trapNow = guarded((): never => {
  const trap: unknown = Reflect.get(glue, 'trapNow');
  if (typeof trap !== 'function')
    throw new Unsupported('trapNow exists only in builds with the feature trap-test');
  trap();
  throw new CoreError('INTERNAL', 'trapNow came back');
});
