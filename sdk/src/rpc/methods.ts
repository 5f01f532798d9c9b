/** Full paths of the calls that this package makes. */
export const Method = {
  PollWorkflow: '/flovyn.v1.WorkflowDispatch/PollWorkflow',
  StartWorkflow: '/flovyn.v1.WorkflowDispatch/StartWorkflow',
  GetEvents: '/flovyn.v1.WorkflowDispatch/GetEvents',
  SubmitWorkflowCommands: '/flovyn.v1.WorkflowDispatch/SubmitWorkflowCommands',
  ResolvePromise: '/flovyn.v1.WorkflowDispatch/ResolvePromise',
  RejectPromise: '/flovyn.v1.WorkflowDispatch/RejectPromise',
  SignalWorkflow: '/flovyn.v1.WorkflowDispatch/SignalWorkflow',
  SignalWithStartWorkflow: '/flovyn.v1.WorkflowDispatch/SignalWithStartWorkflow',
  QueryWorkflow: '/flovyn.v1.WorkflowQuery/QueryWorkflow',
  PollTask: '/flovyn.v1.TaskExecution/PollTask',
  CompleteTask: '/flovyn.v1.TaskExecution/CompleteTask',
  FailTask: '/flovyn.v1.TaskExecution/FailTask',
  Heartbeat: '/flovyn.v1.TaskExecution/Heartbeat',
  ReportProgress: '/flovyn.v1.TaskExecution/ReportProgress',
  LogMessage: '/flovyn.v1.TaskExecution/LogMessage',
  StreamTaskData: '/flovyn.v1.TaskExecution/StreamTaskData',
  GetState: '/flovyn.v1.TaskExecution/GetState',
  SetState: '/flovyn.v1.TaskExecution/SetState',
  ClearState: '/flovyn.v1.TaskExecution/ClearState',
  ClearAllState: '/flovyn.v1.TaskExecution/ClearAllState',
  GetStateKeys: '/flovyn.v1.TaskExecution/GetStateKeys',
  RegisterWorker: '/flovyn.v1.WorkerLifecycle/RegisterWorker',
  SendHeartbeat: '/flovyn.v1.WorkerLifecycle/SendHeartbeat',
  RenewClaim: '/flovyn.ext.v1.Extensions/RenewClaim',
  ReleaseClaim: '/flovyn.ext.v1.Extensions/ReleaseClaim',
  AnswerQuery: '/flovyn.ext.v1.Extensions/AnswerQuery',
  AwaitResult: '/flovyn.ext.v1.Extensions/AwaitResult',
  DescribeWorkflow: '/flovyn.ext.v1.Extensions/DescribeWorkflow',
  ListWorkflows: '/flovyn.ext.v1.Extensions/ListWorkflows',
  CancelWorkflow: '/flovyn.ext.v1.Extensions/CancelWorkflow',
  ReadStream: '/flovyn.ext.v1.Extensions/ReadStream',
} as const;

/** How long a call that does not wait for anything may take. */
export const CALL_DEADLINE_MS = 30_000;

/** How much longer than the server's own wait a waiting call may take. */
export const WAIT_MARGIN_MS = 10_000;

/** Request metadata that names a claim; none for servers that give no token. */
export function claimMetadata(claimToken: string): Record<string, string> | undefined {
  return claimToken === '' ? undefined : { 'flovyn-claim': claimToken };
}
