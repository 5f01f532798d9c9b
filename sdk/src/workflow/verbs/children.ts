import { startChild } from '../../core.js';
import { ConfigurationError, Unsupported } from '../../errors.js';
import { checkOptions, checkText } from '../../options.js';
import { parseNow } from '../../schema/check.js';
import { serializerFor } from '../../serde/choose.js';
import type { ContextParts } from '../context-parts.js';
import type { AnyWorkflow } from '../define.js';
import type { ChildWorkflowHandle, ChildWorkflowOptions } from '../handle-types.js';
import { cancelOpen, openHandle } from './handle.js';

export function startDefined<Output>(
  parts: ContextParts,
  definition: AnyWorkflow,
  input: unknown,
  options: ChildWorkflowOptions | undefined,
): ChildWorkflowHandle<Output> {
  return parts.turn.do('ctx.scheduleWorkflow', () => {
    if (typeof definition?.name !== 'string') {
      throw new ConfigurationError(
        'ctx.scheduleWorkflow takes a workflow definition; for a name use ctx.scheduleWorkflowByName',
      );
    }
    return startNamed<Output>(parts, 'ctx.scheduleWorkflow', definition.name, input, options, definition);
  });
}

export function startNamed<Output>(
  parts: ContextParts,
  verb: string,
  kind: string,
  input: unknown,
  options: ChildWorkflowOptions = {},
  definition: Partial<AnyWorkflow> = {},
): ChildWorkflowHandle<Output> {
  return parts.turn.do(verb, (id) => {
    checkText(`${verb}, name`, kind);
    checkChildOptions(kind, options);
    const serializer = serializerFor(definition, parts);
    const checked = parseNow(definition.input, input, { subject: `workflow "${kind}"`, side: 'input' });
    const payload = serializer.serialize(checked);
    const [handle, childExecutionId, name] = startChild(id, parts.scope.id, kind, payload, options);
    const handleName = { type: 'child workflow', name } as const;
    const promise = openHandle<Output>(parts, handle, handleName, serializer);
    parts.children.set(childExecutionId, { handle, name: handleName });
    const members = { childExecutionId, workflowId: childExecutionId, result: () => promise };
    // A function has a property `name`, a promise has none: nothing is hidden by it.
    return Object.assign(promise, members, { name });
  });
}

/** Cancels a child by its id. */
export async function requestCancellation(
  parts: ContextParts,
  childExecutionId: string,
  reason: string | undefined,
): Promise<void> {
  parts.turn.do('ctx.requestCancellation', () => {
    checkText('ctx.requestCancellation, childExecutionId', childExecutionId);
    const child = parts.children.get(childExecutionId);
    if (child !== undefined) return cancelOpen(parts, child.handle, child.name, reason);
    throw new Unsupported(
      `ctx.requestCancellation: ${childExecutionId} is no child of this execution, and workflow code can cancel only those. ` +
        'Cancel others by client.getWorkflowHandle(id).cancel() in a task',
    );
  });
}

function checkChildOptions(kind: string, options: ChildWorkflowOptions): void {
  const what = `Child workflow "${kind}"`;
  checkOptions(what, options, ['queue', 'prioritySeconds', 'name']);
  const { queue, prioritySeconds, name } = options;
  if (queue !== undefined) checkText(`${what}, queue`, queue);
  if (name !== undefined) checkText(`${what}, name`, name);
  if (prioritySeconds !== undefined && !Number.isInteger(prioritySeconds)) {
    throw new ConfigurationError(
      `${what}: prioritySeconds must be a whole number, got ${String(prioritySeconds)}`,
    );
  }
}
