import { drainSignals, hasSignal, pendingSignalCount, waitForSignal } from '../../core.js';
import { checkText } from '../../options.js';
import type { ContextParts } from '../context-parts.js';
import type { CancellablePromise } from '../handle-types.js';
import { openHandle } from './handle.js';

export function awaitSignal<T>(parts: ContextParts, name: string): CancellablePromise<T> {
  return parts.turn.do('ctx.waitForSignal', (id) => {
    checkText('ctx.waitForSignal, name', name);
    const [handle, payload] = waitForSignal(id, parts.scope.id, name);
    const promise = openHandle<T>(parts, handle, { type: 'signal', name });
    if (payload !== undefined) parts.pending.resolve(handle, payload);
    return promise;
  });
}

export function isSignalPending(parts: ContextParts, name: string): boolean {
  return parts.turn.do('ctx.hasSignal', (id) => {
    checkText('ctx.hasSignal, name', name);
    return hasSignal(id, name);
  });
}

export function countSignals(parts: ContextParts, name: string): number {
  return parts.turn.do('ctx.pendingSignalCount', (id) => {
    checkText('ctx.pendingSignalCount, name', name);
    return pendingSignalCount(id, name);
  });
}

export function takeSignals<T>(parts: ContextParts, name: string): T[] {
  return parts.turn.do('ctx.drainSignals', (id) => {
    checkText('ctx.drainSignals, name', name);
    return drainSignals(id, name).map((payload) => parts.serializer.deserialize<T>(payload));
  });
}
