import { createPromise } from '../../core.js';
import { ConfigurationError } from '../../errors.js';
import { checkOptions, checkText, optionalMs } from '../../options.js';
import type { ContextParts } from '../context-parts.js';
import type { CancellablePromise, PromiseOptions } from '../handle-types.js';
import { openHandle } from './handle.js';

export function openPromise<T>(
  parts: ContextParts,
  name: string,
  options: PromiseOptions,
): CancellablePromise<T> {
  return parts.turn.do('ctx.promise', (id) => {
    checkText('ctx.promise, name', name);
    const { timeoutMs, idempotencyKey } = promisePlan(name, options);
    const handle = createPromise(id, parts.scope.id, name, timeoutMs, idempotencyKey);
    return openHandle<T>(parts, handle, { type: 'promise', name });
  });
}

function promisePlan(name: string, options: PromiseOptions) {
  const what = `Promise "${name}"`;
  checkOptions(what, options, ['timeout', 'idempotencyKey']);
  const { timeout, idempotencyKey } = options;
  const timeoutMs = optionalMs(`${what}, timeout`, timeout);
  if (timeoutMs !== undefined && timeoutMs < 0)
    throw new ConfigurationError(`${what}: timeout must be no negative time, got ${timeout}`);
  if (idempotencyKey !== undefined) checkText(`${what}, idempotencyKey`, idempotencyKey);
  return { timeoutMs, idempotencyKey };
}
