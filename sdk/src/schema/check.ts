import { ConfigurationError, ValidationError, type ValidationIssue } from '../errors.js';
import { pathText } from '../serde/path.js';
import type { StandardSchemaIssue, StandardSchemaResult, StandardSchemaV1 } from './standard-schema.js';

/** Whose value is checked against a schema, and which one of it. */
export interface Checked {
  /** In two words, such as `task "charge"`. */
  readonly subject: string;
  readonly side: 'input' | 'output';
}

type MaybeSchema = StandardSchemaV1 | undefined;

/**
 * What a schema makes of a value, at once: the value itself without one. Throws `ValidationError`, and
 * `ConfigurationError` for a schema that is asynchronous.
 */
export function parseNow(schema: MaybeSchema, value: unknown, what: Checked): unknown {
  if (schema === undefined) return value;
  const result = schema['~standard'].validate(value);
  if (!isPromise(result)) return accepted(result, what);
  // Nobody waits for it.
  Promise.resolve(result).catch(() => {});
  throw new ConfigurationError(
    `The ${what.side} schema of the ${what.subject} is asynchronous: what workflow code does must not wait for anything ` +
      'that Flovyn does not know. Leave out its asynchronous checks, and make them in a task',
  );
}

/** What a schema makes of a value: the value itself without one. Rejects with `ValidationError`. */
export async function parse(schema: MaybeSchema, value: unknown, what: Checked): Promise<unknown> {
  return schema === undefined ? value : accepted(await schema['~standard'].validate(value), what);
}

/** Throws `ConfigurationError` for what is no schema. */
export function checkSchema(what: string, schema: unknown): void {
  if (schema === undefined) return;
  // Schemas of some libraries are functions.
  const standard = (Object(schema) as Partial<StandardSchemaV1>)['~standard'];
  if (typeof standard?.validate === 'function') return;
  throw new ConfigurationError(
    `${what} must be a Standard Schema, such as one of zod, valibot or arktype, got ${typeof schema} without "~standard".validate`,
  );
}

function isPromise<T>(result: T | PromiseLike<T>): result is PromiseLike<T> {
  return typeof (result as Partial<PromiseLike<T>> | null)?.then === 'function';
}

function accepted(result: StandardSchemaResult<unknown>, { subject, side }: Checked): unknown {
  if (result.issues === undefined) return result.value;
  throw new ValidationError(subject, side, result.issues.map(issue));
}

function issue({ message, path = [] }: StandardSchemaIssue): ValidationIssue {
  const keys = path.map((step) => (typeof step === 'object' ? step.key : step));
  return { message, path: pathText(keys.map((key) => (typeof key === 'symbol' ? String(key) : key))) };
}
