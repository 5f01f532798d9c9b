export { FlovynClient, type StartedWorkflow } from './client/client.js';
export { type WorkflowHandle, WorkflowHandleImpl } from './client/handle.js';
export type { CallControl } from './client/call-control.js';
export type {
  ListWorkflowsOptions,
  WorkflowDescription,
  WorkflowList,
  WorkflowStatus,
  WorkflowSummary,
} from './client/description.js';
export type {
  CancelWorkflowOptions,
  FlovynClientOptions,
  FlovynWorkerOptions,
  SignalledStart,
  SignalWithStartOptions,
  StartWorkflowOptions,
} from './client/options.js';
export type { StreamOptions, WorkflowStreamEvent } from './client/stream-types.js';
export { Duration } from './duration.js';
export * from './errors.js';
export { atLevel, consoleLogger, type Logger, type LogLevel, silentLogger } from './logger.js';
export type { RetryPolicy } from './retry.js';
export type {
  InferInput,
  InferOutput,
  StandardJsonSchemaConverter,
  StandardSchemaIssue,
  StandardSchemaProps,
  StandardSchemaResult,
  StandardSchemaV1,
} from './schema/standard-schema.js';
export { deserialize, JsonSerializer, serialize, type Serializer } from './serde.js';
export { TaskContextImpl, type TaskContextParts } from './task/context.js';
export type { TaskContext } from './task/context-types.js';
export type { TaskHooks } from './task/hooks.js';
export type { ReportedLevel, TaskReports, TaskState } from './task/reports.js';
export type { InternalStreamEvent, StreamEvent, StreamEventType } from './task/stream-events.js';
export {
  type AnyTask,
  task,
  type TaskConfig,
  type TaskDefinition,
  type TaskFunction,
  type TaskFunctions,
  type TaskSchemas,
  type TaskSettings,
} from './task/define.js';
export { createTransport, type TransportKind, type TransportOptions } from './transport/create.js';
export { EMBEDDED_ORG_ID, type EmbeddedOptions, EmbeddedTransport } from './transport/embedded.js';
export { type GrpcWebOptions, GrpcWebTransport } from './transport/grpc-web.js';
export type { RequestOptions } from './transport/grpc-request.js';
export type { Pem, TlsOptions } from './transport/tls.js';
export type { CallOptions, Subject, Transport, UnaryAnswer } from './transport/transport.js';
export type { ExecutionCacheMetrics } from './worker/cache-metrics.js';
export { ClaimLost } from './worker/lease.js';
export { WorkerStopped } from './worker/worker-stopped.js';
export type {
  PollingOptions,
  TaskWorkerOptions,
  ViolationReaction,
  WorkflowWorkerOptions,
} from './worker/options.js';
export type {
  AbandonReason,
  ConflictEvent,
  DisconnectedEvent,
  ReconnectedEvent,
  RegistrationConflict,
  TaskAbandonedEvent,
  TaskEndedEvent,
  TaskEvent,
  TaskFailedEvent,
  ViolationReport,
  WorkerEvents,
  WorkerListener,
  WorkerStartedEvent,
  WorkflowEvent,
  WorkflowFailedEvent,
} from './worker/events.js';
export type { Histogram, HistogramBucket } from './worker/histogram.js';
export type { WorkflowHook } from './worker/hooks.js';
export type { PollMetrics, TaskMetrics, WorkerMetrics, WorkflowMetrics } from './worker/metrics.js';
export type { TaskReportMetrics } from './worker/report-counters.js';
export type { DrainEnd, DrainOptions, DrainReport } from './worker/drain-types.js';
export type { ShutdownReport, WorkIds } from './worker/shutdown-report.js';
export {
  type RunOptions,
  type ShutdownOptions,
  type StartOptions,
  Worker,
  type WorkerStatus,
} from './worker/worker.js';
export { WorkflowContextImpl } from './workflow/context.js';
export type { WorkflowContext } from './workflow/context-types.js';
export type {
  CancellablePromise,
  ChildWorkflowHandle,
  ChildWorkflowOptions,
  InputAndOptions,
  OperationFunction,
  OperationOptions,
  PromiseOptions,
  ScopeHandle,
  ScopeOptions,
  TaskHandle,
  TaskOptions,
  WorkflowInfo,
} from './workflow/handle-types.js';
export type {
  QueryContext,
  QueryHandler,
  QueryInfo,
  SignalHandler,
  WorkflowHandlers,
} from './workflow/handlers.js';
export { type Saga, saga } from './workflow/saga.js';
export {
  type AnyWorkflow,
  workflow,
  type WorkflowConfig,
  type WorkflowDefinition,
  type WorkflowFunction,
  type WorkflowSchemas,
  type WorkflowSettings,
} from './workflow/define.js';
