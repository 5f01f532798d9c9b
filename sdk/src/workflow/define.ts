import type { Duration } from '../duration.js';
import { ConfigurationError } from '../errors.js';
import { checkOptions, optionalMs } from '../options.js';
import type { WorkflowHandlers } from './handlers.js';
import type { WorkflowContext } from './context-types.js';

/** A workflow function. It may return its result, a promise or a handle of it. */
export type WorkflowFunction<Input, Output> = (
  ctx: WorkflowContext,
  input: Input,
) => Output | PromiseLike<Output>;

/** What `workflow` takes. */
export interface WorkflowConfig<Input, Output> {
  /** The kind of the workflow: executions are started by it. At most 255 bytes. */
  readonly name: string;
  /** For people. */
  readonly description?: string | undefined;
  /** The version of the code, for example `1.4.0`. Default: `1.0.0`. */
  readonly version?: string | undefined;
  /**
   * How long an execution may take from its start, children and timers included; after it the execution is asked to
   * end as cancelled, and fails with failure type `TIMEOUT`. Default: no limit. `startWorkflow` can set another one.
   */
  readonly timeout?: Duration | undefined;
  /** What is done with signals as they come, and how queries are answered. */
  readonly handlers?: WorkflowHandlers | undefined;
  /**
   * Runs again from the start each time an execution goes on; must be deterministic, see `WorkflowContext`.
   */
  readonly run: WorkflowFunction<Input, Output>;
}

/** A workflow that can be registered, and started with typed input. */
export interface WorkflowDefinition<Input = unknown, Output = unknown> {
  readonly name: string;
  readonly description: string | undefined;
  readonly version: string | undefined;
  readonly timeout: Duration | undefined;
  readonly handlers: WorkflowHandlers | undefined;
  readonly run: WorkflowFunction<Input, Output>;
}

/** Any definition, whatever its input and output. */
export type AnyWorkflow = WorkflowDefinition<never, unknown>;

const KNOWN = ['name', 'description', 'version', 'timeout', 'handlers', 'run'];
const LATER = { input: 'schemas', output: 'schemas' };

/**
 * Defines a workflow. Input and output types flow from `run` to wherever the definition is used.
 *
 * ```ts
 * const order = workflow({
 *   name: 'order',
 *   run: async (ctx, input: { id: string }) => ctx.task(charge, input),
 * });
 * ```
 *
 * Throws `ConfigurationError` when the name or the function is missing, and `Unsupported` for options of
 * later versions.
 */
export function workflow<Input = unknown, Output = unknown>(
  config: WorkflowConfig<Input, Output>,
): WorkflowDefinition<Input, Output> {
  if (!config?.name) throw new ConfigurationError('Workflow name is required');
  if (typeof config.run !== 'function') throw new ConfigurationError('Workflow run function is required');
  const { name, description, version, timeout, handlers, run } = config;
  checkOptions(`Workflow "${name}"`, config, KNOWN, LATER);
  const timeoutMs = optionalMs(`Workflow "${name}", timeout`, timeout);
  if (timeoutMs !== undefined && timeoutMs <= 0) {
    throw new ConfigurationError(`Workflow "${name}": timeout must be more than no time, got ${timeout}`);
  }
  checkHandlers(`Workflow "${name}"`, handlers);
  return { name, description, version, timeout, handlers, run };
}

/** Throws `ConfigurationError` for handlers that are none. */
function checkHandlers(what: string, handlers: WorkflowHandlers | undefined): void {
  if (handlers === undefined) return;
  checkOptions(`${what}, handlers`, handlers, ['signals', 'queries']);
  for (const [type, byName] of Object.entries(handlers)) {
    for (const [name, handler] of Object.entries((byName ?? {}) as Record<string, unknown>)) {
      if (typeof handler === 'function') continue;
      throw new ConfigurationError(
        `${what}: handlers.${type}["${name}"] must be a function, got ${typeof handler}`,
      );
    }
  }
}
