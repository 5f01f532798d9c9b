import type { Duration } from '../duration.js';
import { ConfigurationError } from '../errors.js';
import { checkOptions, positiveMs } from '../options.js';
import { borderOf, type MaybeSchemas } from '../schema/border.js';
import type { InferInput, InferOutput, StandardSchemaV1 } from '../schema/standard-schema.js';
import type { Serializer } from '../serde.js';
import type { WorkflowHandlers } from './handlers.js';
import type { WorkflowContext } from './context-types.js';

/** A workflow function. It may return its result, a promise or a handle of it. */
export type WorkflowFunction<Input, Output> = (
  ctx: WorkflowContext,
  input: Input,
) => Output | PromiseLike<Output>;

/** What `workflow` takes besides its function and schemas. */
export interface WorkflowSettings {
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
   * Writes and reads the input and output of its executions, wherever they are started by this definition; what starts
   * or reads one by name or id alone has to know of it. Default: the one of the client or worker.
   */
  readonly serializer?: Serializer | undefined;
}

/** What `workflow` takes. */
export interface WorkflowConfig<Input, Output> extends WorkflowSettings {
  /** See `WorkflowSchemas`. */
  readonly input?: undefined;
  /** See `WorkflowSchemas`. */
  readonly output?: undefined;
  /**
   * Runs again from the start each time an execution goes on; must be deterministic, see `WorkflowContext`.
   */
  readonly run: WorkflowFunction<Input, Output>;
}

/**
 * The schemas of a workflow: of any library that follows the Standard Schema specification, such as zod, valibot and
 * arktype, and synchronous. A schema must take what it gives: who starts an execution checks the input and sends what
 * the schema made of it, and the worker checks that again.
 */
export interface WorkflowSchemas<Input, Output> {
  /**
   * The input. Input that does not fit is refused with a `ValidationError` by who starts the execution; where that did
   * not check it, the execution fails with one. Input that does not fit any more when an execution goes on, since the
   * schema was changed, parks the execution and never fails it.
   */
  readonly input: Input;
  /** The output. One that does not fit fails the execution with a `ValidationError`. */
  readonly output: Output;
}

/** A workflow that can be registered, and started with typed input. */
export interface WorkflowDefinition<Input = unknown, Output = unknown> {
  /** As in the config. */
  readonly name: string;
  /** As in the config. */
  readonly description: string | undefined;
  /** As in the config. */
  readonly version: string | undefined;
  /** As in the config. */
  readonly timeout: Duration | undefined;
  /** As in the config. */
  readonly handlers: WorkflowHandlers | undefined;
  /** As in the config. */
  readonly input?: StandardSchemaV1 | undefined;
  /** As in the config. */
  readonly output?: StandardSchemaV1 | undefined;
  /** As in the config. */
  readonly serializer?: Serializer | undefined;
  /** The function as it was given: with schemas it expects what they made of the input. */
  readonly run: WorkflowFunction<Input, Output>;
}

/** Any definition, whatever its input and output. */
export type AnyWorkflow = WorkflowDefinition<never, unknown>;

const KNOWN = [
  'name',
  'description',
  'version',
  'timeout',
  'handlers',
  'input',
  'output',
  'serializer',
  'run',
];

/** With a schema of the input or the output. */
type Config<Schemas, Parsed, Returned> = WorkflowSettings &
  Schemas & { readonly run: WorkflowFunction<Parsed, Returned> };

/**
 * Defines a workflow. Input and output types flow from `run`, or from schemas, to wherever the definition is used.
 *
 * ```ts
 * const order = workflow({
 *   name: 'order',
 *   run: async (ctx, input: { id: string }) => ctx.task(charge, input),
 * });
 * ```
 *
 * Throws `ConfigurationError` when the name or the function is missing, and for options that cannot be meant.
 */
export function workflow<Input = unknown, Output = unknown>(
  config: WorkflowConfig<Input, Output>,
): WorkflowDefinition<Input, Output>;
// Three type parameters each, so that the two that programs write by hand mean the first.
/** Defines a workflow with schemas of its input and output. */
export function workflow<
  In extends StandardSchemaV1,
  Out extends StandardSchemaV1,
  Returned extends InferInput<Out>,
>(
  config: Config<WorkflowSchemas<In, Out>, InferOutput<In>, Returned>,
): WorkflowDefinition<InferInput<In>, InferOutput<Out>>;
/** Defines a workflow with a schema of its input. */
export function workflow<In extends StandardSchemaV1, Parsed extends InferOutput<In>, Output>(
  config: Config<Pick<WorkflowSchemas<In, never>, 'input'> & { readonly output?: undefined }, Parsed, Output>,
): WorkflowDefinition<InferInput<In>, Output>;
/** Defines a workflow with a schema of its output. */
export function workflow<Input, Out extends StandardSchemaV1, Returned extends InferInput<Out>>(
  config: Config<
    Pick<WorkflowSchemas<never, Out>, 'output'> & { readonly input?: undefined },
    Input,
    Returned
  >,
): WorkflowDefinition<Input, InferOutput<Out>>;
export function workflow(config: Config<MaybeSchemas, never, unknown>): AnyWorkflow {
  if (!config?.name) throw new ConfigurationError('Workflow name is required');
  if (typeof config.run !== 'function') throw new ConfigurationError('Workflow run function is required');
  const { name, description, version, timeout, handlers, run } = config;
  const what = `Workflow "${name}"`;
  checkOptions(what, config, KNOWN);
  positiveMs(`${what}, timeout`, timeout);
  checkHandlers(what, handlers);
  return { name, description, version, timeout, handlers, ...borderOf(what, config), run };
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
