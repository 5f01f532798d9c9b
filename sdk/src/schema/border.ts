import type { Serializer } from '../serde.js';
import { checkSerializer, trusted } from '../serde/choose.js';
import { checkSchema } from './check.js';
import type { StandardSchemaV1 } from './standard-schema.js';

/** The schemas of a definition, each of which may be missing. */
export interface MaybeSchemas {
  readonly input?: StandardSchemaV1 | undefined;
  readonly output?: StandardSchemaV1 | undefined;
}

/** What the input and the output of a definition go through. */
export interface Border extends MaybeSchemas {
  readonly serializer?: Serializer | undefined;
}

/** The border of a definition, from what was given for it. Throws `ConfigurationError` for what cannot be meant. */
export function borderOf(what: string, { input, output, serializer }: Border): Border {
  checkSchema(`${what}: input`, input);
  checkSchema(`${what}: output`, output);
  checkSerializer(`${what}: serializer`, serializer);
  return { input, output, serializer: serializer && trusted(serializer) };
}
