/**
 * Where processes are killed: the n-th call of a method, before it is sent or after the server's commit.
 *
 * Calls are named by occurrence of their method and not by a global number, because polls of the workflow and of the task
 * worker interleave differently from run to run; the report prints the global number each time.
 */
const point = (method, occurrence, moment) => ({ method, occurrence, moment });
const both = (method, occurrence) => [
  point(method, occurrence, 'before send'),
  point(method, occurrence, 'after commit'),
];

export const workerPoints = [
  ...both('RegisterWorker', 1),
  ...both('PollWorkflow', 1),
  ...both('GetEvents', 1),
  ...both('SubmitWorkflowCommands', 1),
  ...both('SubmitWorkflowCommands', 2),
  ...both('SubmitWorkflowCommands', 5),
  ...both('RenewClaim', 1),
  ...both('PollTask', 1),
  ...both('CompleteTask', 1),
  ...both('CompleteTask', 2),
  ...both('FailTask', 1),
  ...both('Heartbeat', 1),
];

export const serverPoints = [
  ...both('StartWorkflow', 1),
  ...both('ResolvePromise', 1),
  ...both('AwaitResult', 1),
  ...both('PollWorkflow', 1),
  ...both('SubmitWorkflowCommands', 1),
  ...both('SubmitWorkflowCommands', 3),
  ...both('PollTask', 1),
  ...both('CompleteTask', 1),
  ...both('FailTask', 1),
  ...both('GetEvents', 1),
  ...both('RenewClaim', 1),
];
