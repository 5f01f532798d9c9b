import * as core from '../core.js';
import { Unsupported } from '../errors.js';

// Verbs of the core that are being written: until they are there they refuse, by name.

export const CancelEffect = { None: 0, Rejected: 1, Requested: 2 } as const;

export type WorkflowJob =
  | [kind: 0, handle: 0, input: string, signals: [name: string, payload: string][]]
  | [kind: 1, handle: number, payload: string]
  | [kind: 2, handle: number, rejection: string]
  | [kind: 3, handle: 0, payload: string, name: string]
  | [kind: 4, handle: 0, reason: string, handles: number[]];

function later<F extends (...args: never[]) => unknown>(name: string): F {
  const call = (...args: never[]): unknown => {
    const verb: unknown = Reflect.get(core, name);
    if (typeof verb !== 'function')
      throw new Unsupported(`${name} is not supported by this version of the core`);
    return Reflect.apply(verb, undefined, args);
  };
  return call as F;
}

export const scheduleTask = (
  id: number,
  _scope: number,
  kind: string,
  input: string,
  options?: core.ScheduleTaskOptions,
) => core.scheduleTask(id, kind, input, options);
export const startTimer = (id: number, _scope: number, ms: number) => core.startTimer(id, ms);
export const createPromise = (id: number, _scope: number, name: string, timeoutMs?: number, key?: string) =>
  core.createPromise(id, name, timeoutMs, key);
export const beginOperation = (id: number, _scope: number, name: string) => core.beginOperation(id, name);

export const startChild =
  later<
    (id: number, scope: number, kind: string, input: string, options?: object) => [number, string, string]
  >('startChild');
export const waitForSignal =
  later<(id: number, scope: number, name: string) => [number, string | undefined]>('waitForSignal');
export const hasSignal = later<(id: number, name: string) => boolean>('hasSignal');
export const pendingSignalCount = later<(id: number, name: string) => number>('pendingSignalCount');
export const drainSignals = later<(id: number, name: string) => string[]>('drainSignals');
export const setSignalHandlers = later<(id: number, names: string[]) => void>('setSignalHandlers');
export const openScope = later<(id: number, parent: number, cancellable: boolean) => number>('openScope');
export const cancelScope = later<(id: number, scope: number) => number[]>('cancelScope');
export const cancelHandle = later<(id: number, handle: number, reason?: string) => 0 | 1 | 2>('cancelHandle');
export const patched = later<(id: number, patch: string) => boolean>('patched');
export const deprecatePatch = later<(id: number, patch: string) => void>('deprecatePatch');
export const completeCancelled = later<(id: number, reason: string) => void>('completeCancelled');
