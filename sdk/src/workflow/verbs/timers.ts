import { currentTimeMs, startTimer } from '../../core.js';
import type { Duration } from '../../duration.js';
import { ConfigurationError } from '../../errors.js';
import { wholeMs } from '../../options.js';
import type { ContextParts } from '../context-parts.js';
import type { CancellablePromise } from '../handle-types.js';
import { openHandle } from './handle.js';

export function sleep(parts: ContextParts, duration: Duration): CancellablePromise<void> {
  return parts.turn.do('ctx.sleep', () => openTimer(parts, wholeMs('ctx.sleep', duration)));
}

export function sleepUntil(parts: ContextParts, time: Date): CancellablePromise<void> {
  return parts.turn.do('ctx.sleepUntil', (id) => {
    const untilMs = time instanceof Date ? time.getTime() : Number.NaN;
    if (Number.isNaN(untilMs))
      throw new ConfigurationError(`ctx.sleepUntil: expected a valid Date, got ${String(time)}`);
    // By the clock of the workflow, so that every replay issues the same command.
    return openTimer(parts, untilMs - currentTimeMs(id));
  });
}

/** A timer, in a turn. */
export function openTimer(parts: ContextParts, durationMs: number): CancellablePromise<void> {
  return parts.turn.do('ctx.sleep', (id) => {
    const handle = startTimer(id, parts.scope.id, Math.max(0, durationMs));
    return openHandle(parts, handle, { type: 'timer', name: `${durationMs} ms` });
  });
}
