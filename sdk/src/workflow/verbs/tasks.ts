import { scheduleTask } from '../../core.js';
import { ConfigurationError } from '../../errors.js';
import { checkText } from '../../options.js';
import { parseNow } from '../../schema/check.js';
import { serializerFor } from '../../serde/choose.js';
import type { AnyTask } from '../../task/define.js';
import type { ContextParts } from '../context-parts.js';
import type { TaskHandle, TaskOptions } from '../handle-types.js';
import { coreTaskOptions } from '../task-options.js';
import { openHandle } from './handle.js';

export function scheduleDefined<Output>(
  parts: ContextParts,
  definition: AnyTask,
  input: unknown,
  options: TaskOptions | undefined,
): TaskHandle<Output> {
  return parts.turn.do('ctx.schedule', () => {
    if (typeof definition?.name !== 'string') {
      throw new ConfigurationError('ctx.schedule takes a task definition; for a name use ctx.scheduleByName');
    }
    return scheduleNamed<Output>(parts, 'ctx.schedule', definition.name, input, options, definition);
  });
}

export function scheduleNamed<Output>(
  parts: ContextParts,
  verb: string,
  name: string,
  input: unknown,
  options: TaskOptions = {},
  defaults: Partial<AnyTask> = {},
): TaskHandle<Output> {
  return parts.turn.do(verb, (id) => {
    checkText(`${verb}, name`, name);
    const coreOptions = coreTaskOptions(name, options, defaults, parts.activation.extended);
    const serializer = serializerFor(defaults, parts);
    const checked = parseNow(defaults.input, input, { subject: `task "${name}"`, side: 'input' });
    const payload = serializer.serialize(checked);
    const [handle, taskExecutionId] = scheduleTask(id, parts.scope.id, name, payload, coreOptions);
    const promise = openHandle<Output>(parts, handle, { type: 'task', name }, serializer);
    return Object.assign(promise, { taskExecutionId, result: () => promise });
  });
}
