import type { StandardSchemaV1 } from './standard-schema.js';

/**
 * A schema as the text of a JSON Schema: of the values it takes (`input`) or gives (`output`). Undefined where there is
 * no schema, where its library cannot tell, and for what JSON Schema cannot express.
 */
export function jsonSchemaOf(
  schema: StandardSchemaV1 | undefined,
  side: 'input' | 'output',
): string | undefined {
  try {
    const told = schema?.['~standard'].jsonSchema?.[side]({ target: 'draft-2020-12' });
    return told && JSON.stringify(told);
  } catch {
    return undefined;
  }
}
