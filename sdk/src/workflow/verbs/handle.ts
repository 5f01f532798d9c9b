import { CancelEffect, cancelHandle } from '../../core.js';
import { HandleCancelled } from '../../errors.js';
import { checkText } from '../../options.js';
import type { Serializer } from '../../serde.js';
import type { ContextParts } from '../context-parts.js';
import type { CancellablePromise } from '../handle-types.js';
import type { HandleName } from '../pending.js';

/** The promise of a new handle, with the means to cancel it. Its value is read by `serializer`, if one is given. */
export function openHandle<T>(
  parts: ContextParts,
  handle: number,
  name: HandleName,
  serializer?: Serializer,
): CancellablePromise<T> {
  const cancel = (reason?: string): void => cancelOpen(parts, handle, name, reason);
  return Object.assign(parts.pending.open<T>(handle, name, serializer), { cancel });
}

/** What `cancel` of the promise does; nothing once the handle is settled. */
export function cancelOpen(
  parts: ContextParts,
  handle: number,
  { type, name }: HandleName,
  reason?: string,
): void {
  const what = `${type} "${name}"`;
  const verb = `cancel of ${what}`;
  parts.turn.do(verb, (id) => {
    if (reason !== undefined) checkText(`${verb}, reason`, reason);
    // Tasks and children are settled by the event of their end.
    if (cancelHandle(id, handle, reason) !== CancelEffect.Rejected) return;
    const error = new HandleCancelled(what, reason);
    parts.operations.cancel(handle, error);
    parts.pending.rejectWith(handle, error);
  });
}
