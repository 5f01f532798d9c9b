import type { ActivationInfo } from '../core.js';
import type { Logger } from '../logger.js';
import type { Serializer } from '../serde.js';
import type { AnyWorkflow } from './define.js';
import type { Operations } from './operations.js';
import type { PendingHandles } from './pending.js';
import type { Turn } from './turn.js';

/** What a context is made of. */
export interface ContextParts {
  /** The activation's number in the core. */
  readonly id: number;
  readonly info: ActivationInfo;
  readonly definition: AnyWorkflow;
  readonly turn: Turn;
  readonly pending: PendingHandles;
  readonly operations: Operations;
  readonly serializer: Serializer;
  readonly logger: Logger;
}
