import { beginOperation } from '../../core.js';
import { ConfigurationError } from '../../errors.js';
import { checkText } from '../../options.js';
import type { ContextParts } from '../context-parts.js';
import type { CancellablePromise, OperationFunction, OperationOptions } from '../handle-types.js';
import { operationPlan } from '../operations.js';
import { openHandle } from './handle.js';

export function openOperation<T>(
  parts: ContextParts,
  name: string,
  fn: OperationFunction<T>,
  options: OperationOptions,
): CancellablePromise<T> {
  return parts.turn.do('ctx.run', (id) => {
    checkText('ctx.run, name', name);
    if (typeof fn !== 'function')
      throw new ConfigurationError(`ctx.run: operation "${name}" has no function`);
    const plan = operationPlan(name, options);
    const handle = beginOperation(id, parts.scope.id, name);
    parts.operations.begin(handle, name, fn, plan);
    return openHandle<T>(parts, handle, { type: 'operation', name });
  });
}
