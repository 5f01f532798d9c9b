import type { Logger } from '../logger.js';
import type { Serializer } from '../serde.js';
import type { Activation } from './activation.js';
import type { CancelScope } from './cancel-scope.js';
import type { WorkflowContext } from './context-types.js';
import type { AnyWorkflow } from './define.js';
import type { Operations } from './operations.js';
import type { HandleName, PendingHandles } from './pending.js';
import type { Turn } from './turn.js';

/** What a context is made of. All contexts of an execution share everything but the scope. */
export interface ContextParts {
  readonly activation: Activation;
  readonly definition: AnyWorkflow;
  readonly turn: Turn;
  readonly pending: PendingHandles;
  readonly operations: Operations;
  readonly serializer: Serializer;
  readonly logger: Logger;
  /** What is needed to cancel each child, by its id; not its promise, which would keep its output. */
  readonly children: Map<string, { readonly handle: number; readonly name: HandleName }>;
  /** What the work of this context belongs to. */
  readonly scope: CancelScope;
  /** The context of another scope. */
  readonly contextOf: (scope: CancelScope) => WorkflowContext;
}
