import { ConfigurationError, FlovynError } from '../errors.js';
import type { AnyTask } from '../task/define.js';
import type { AnyWorkflow } from '../workflow/define.js';

/** Adds a definition under its name. Throws for what is none, and for a name that is taken. */
export function register<D extends AnyWorkflow | AnyTask>(
  type: 'Workflow' | 'Task',
  all: Map<string, D>,
  definition: D,
): void {
  if (!definition?.name) throw new ConfigurationError(`${type} name is required`);
  if (typeof definition.run !== 'function') throw new ConfigurationError(`${type} run function is required`);
  if (all.has(definition.name)) throw new FlovynError(`${type} "${definition.name}" is already registered`);
  all.set(definition.name, definition);
}
