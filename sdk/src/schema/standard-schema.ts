// The interfaces of the Standard Schema specification, version 1, and of Standard JSON Schema, as far as they are used
// here. They are copied so that this package depends on nothing: whatever has the shape fits.

/** A schema of zod, valibot, arktype or any other library that follows the Standard Schema specification. */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  /** What the specification keeps under this name. */
  readonly '~standard': StandardSchemaProps<Input, Output>;
}

/** What a Standard Schema says of itself. */
export interface StandardSchemaProps<Input = unknown, Output = Input> {
  /** The version of the specification. */
  readonly version: 1;
  /** Name of the library. */
  readonly vendor: string;
  /** Checks a value, and gives what it stands for. */
  readonly validate: (value: unknown) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>;
  /** Never there: carries the types. */
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  /** The same schema as JSON Schema, where the library can tell it. */
  readonly jsonSchema?: StandardJsonSchemaConverter | undefined;
}

/** What became of a value. */
export type StandardSchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardSchemaIssue[] };

/** One thing that is wrong with a value. */
export interface StandardSchemaIssue {
  /** What is wrong, for people. */
  readonly message: string;
  /** Where in the value. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Tells a schema as JSON Schema; may throw for what that cannot express. */
export interface StandardJsonSchemaConverter {
  /** The schema of what is taken. */
  readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
  /** The schema of what is given. */
  readonly output: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
}

/** The type of values that a schema takes. */
export type InferInput<Schema extends StandardSchemaV1> = NonNullable<Schema['~standard']['types']>['input'];

/** The type of values that a schema gives. */
export type InferOutput<Schema extends StandardSchemaV1> = NonNullable<
  Schema['~standard']['types']
>['output'];
