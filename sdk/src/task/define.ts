import type { Duration } from '../duration.js';
import { ConfigurationError } from '../errors.js';
import { checkOptions, positiveMs } from '../options.js';
import { type RetryPolicy, retryPlan } from '../retry.js';
import { borderOf, type MaybeSchemas } from '../schema/border.js';
import type { InferInput, InferOutput, StandardSchemaV1 } from '../schema/standard-schema.js';
import type { Serializer } from '../serde.js';
import type { TaskContext } from './context-types.js';
import { checkHooks, type TaskHooks } from './hooks.js';

/** A task function: it may call anything, and may be called more than once for one task. */
export type TaskFunction<Input, Output> = (ctx: TaskContext, input: Input) => Output | PromiseLike<Output>;

/** What `task` takes besides its function, hooks and schemas. */
export interface TaskSettings {
  /** The kind of the task: workflows schedule it by this name. At most 255 bytes. */
  readonly name: string;
  /** For people. */
  readonly description?: string | undefined;
  /**
   * How long one attempt may take; after it the attempt fails with a `TaskTimeout` and is retried as any
   * other failure. The function's `ctx.signal` fires then, and its result is dropped. Default: no limit.
   */
  readonly timeout?: Duration | undefined;
  /**
   * The whole life of a task from when it is scheduled, retries and the time before the first attempt included; after
   * it the task fails. Default: no limit.
   */
  readonly totalTimeout?: Duration | undefined;
  /**
   * How long an attempt may go without `ctx.heartbeat()`; after it the server fails the attempt, which is retried as any
   * other failure. Servers without our extensions do not know it. Default: no limit.
   */
  readonly heartbeatTimeout?: Duration | undefined;
  /** How failed attempts are retried. Default: what the server does, 3 retries after 1 s, 2 s, 4 s. */
  readonly retry?: RetryPolicy | undefined;
  /**
   * Writes and reads the input and output of its executions, wherever they are scheduled by this definition; who
   * schedules one by name has to know of it. Default: the one of the client or worker.
   */
  readonly serializer?: Serializer | undefined;
}

/** What a task does, and who is told of it. */
export interface TaskFunctions<Input, Output> {
  /** Are told of each attempt. */
  readonly hooks?: TaskHooks<Input, Output> | undefined;
  /**
   * Does the work. What it throws fails the attempt; a `TaskFailed` with `retryable` false fails the task for
   * good.
   */
  readonly run: TaskFunction<Input, Output>;
}

/** What `task` takes. */
export interface TaskConfig<Input, Output> extends TaskSettings, TaskFunctions<Input, Output> {
  /** See `TaskSchemas`. */
  readonly input?: undefined;
  /** See `TaskSchemas`. */
  readonly output?: undefined;
}

/**
 * The schemas of a task: of any library that follows the Standard Schema specification, such as zod, valibot and
 * arktype. A schema must take what it gives: the workflow checks the input and sends what the schema made of it, and
 * every attempt checks that again.
 */
export interface TaskSchemas<Input, Output> {
  /**
   * The input. It must be synchronous where workflow code schedules the task by this definition: input that does not fit
   * makes that throw a `ValidationError`. Where it was not checked there, the task fails for good.
   */
  readonly input: Input;
  /** The output. One that does not fit fails the task for good, with a `ValidationError`. */
  readonly output: Output;
}

/** A task that can be registered, and scheduled with typed input. */
export interface TaskDefinition<Input = unknown, Output = unknown> {
  /** As in the config. */
  readonly name: string;
  /** As in the config. */
  readonly description: string | undefined;
  /** As in the config. */
  readonly timeout: Duration | undefined;
  /** As in the config. */
  readonly totalTimeout: Duration | undefined;
  /** As in the config. */
  readonly heartbeatTimeout: Duration | undefined;
  /** As in the config. */
  readonly retry: RetryPolicy | undefined;
  /** As in the config. */
  readonly hooks: TaskHooks<Input, Output> | undefined;
  /** As in the config. */
  readonly input?: StandardSchemaV1 | undefined;
  /** As in the config. */
  readonly output?: StandardSchemaV1 | undefined;
  /** As in the config. */
  readonly serializer?: Serializer | undefined;
  /** The function as it was given: with schemas it expects what they made of the input. */
  readonly run: TaskFunction<Input, Output>;
}

/** Any definition, whatever its input and output. */
export type AnyTask = TaskDefinition<never, unknown>;

const KNOWN = [
  'name',
  'description',
  'timeout',
  'totalTimeout',
  'heartbeatTimeout',
  'retry',
  'hooks',
  'input',
  'output',
  'serializer',
  'run',
];

/** With a schema of the input or the output. */
type Config<Schemas, Parsed, Returned, Output> = TaskSettings &
  Schemas & {
    readonly hooks?: TaskHooks<Parsed, Output> | undefined;
    readonly run: TaskFunction<Parsed, Returned>;
  };

/**
 * Defines a task. Input and output types flow from `run`, or from schemas, to wherever the definition is used.
 *
 * Throws `ConfigurationError` when the name or the function is missing, and for options that cannot be meant.
 */
export function task<Input = unknown, Output = unknown>(
  config: TaskConfig<Input, Output>,
): TaskDefinition<Input, Output>;
// Three type parameters each, so that the two that programs write by hand mean the first.
/** Defines a task with schemas of its input and output. */
export function task<
  In extends StandardSchemaV1,
  Out extends StandardSchemaV1,
  Returned extends InferInput<Out>,
>(
  config: Config<TaskSchemas<In, Out>, InferOutput<In>, Returned, InferOutput<Out>>,
): TaskDefinition<InferInput<In>, InferOutput<Out>>;
/** Defines a task with a schema of its input. */
export function task<In extends StandardSchemaV1, Parsed extends InferOutput<In>, Output>(
  config: Config<
    Pick<TaskSchemas<In, never>, 'input'> & { readonly output?: undefined },
    Parsed,
    Output,
    Output
  >,
): TaskDefinition<InferInput<In>, Output>;
/** Defines a task with a schema of its output. */
export function task<Input, Out extends StandardSchemaV1, Returned extends InferInput<Out>>(
  config: Config<
    Pick<TaskSchemas<never, Out>, 'output'> & { readonly input?: undefined },
    Input,
    Returned,
    InferOutput<Out>
  >,
): TaskDefinition<Input, InferOutput<Out>>;
export function task(config: Config<MaybeSchemas, never, unknown, never>): AnyTask {
  if (!config?.name) throw new ConfigurationError('Task name is required');
  if (typeof config.run !== 'function') throw new ConfigurationError('Task run function is required');
  const { name, description, timeout, totalTimeout, heartbeatTimeout, retry, hooks, run } = config;
  const what = `Task "${name}"`;
  checkOptions(what, config, KNOWN);
  positiveMs(`${what}, timeout`, timeout);
  positiveMs(`${what}, totalTimeout`, totalTimeout);
  positiveMs(`${what}, heartbeatTimeout`, heartbeatTimeout);
  if (retry !== undefined) retryPlan(what, retry);
  if (hooks !== undefined) checkHooks(what, hooks);
  const limits = { timeout, totalTimeout, heartbeatTimeout, retry };
  return { name, description, ...limits, hooks, ...borderOf(what, config), run };
}
