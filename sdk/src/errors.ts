export { FlovynError } from './errors/base.js';
export {
  ChildWorkflowFailed,
  DeterminismViolation,
  QueryFailed,
  WorkflowCancelled,
  WorkflowFailed,
  WorkflowSuspended,
} from './errors/workflow.js';
export type { RecordedFailure } from './errors/workflow.js';
export {
  HandleCancelled,
  PromiseRejected,
  PromiseTimeout,
  TaskCancelled,
  TaskFailed,
  TaskTimeout,
  TimeoutError,
} from './errors/waiting.js';
export { AuthenticationError, ConnectionError, GrpcCode, NotFoundError, RpcError } from './errors/rpc.js';
export type { GrpcCodeName, RpcErrorOptions } from './errors/rpc.js';
export { ConfigurationError, SerializationError, Unsupported, ValidationError } from './errors/usage.js';
export type { ValidationIssue } from './errors/usage.js';
export { CoreError, CoreTrapped, EngineFailed } from './errors/core.js';
