import { encodeOne } from '../codec.js';
import {
  decodeDescribeWorkflow,
  decodeListWorkflows,
  decodeQueryWorkflow,
  decodeSignalWithStartWorkflow,
  decodeSignalWorkflow,
  encodeCancelWorkflow,
  encodeDescribeWorkflow,
  encodeListWorkflows,
  encodeQueryWorkflow,
  encodeSignalWithStartWorkflow,
  encodeSignalWorkflow,
} from '../core.js';
import { ConnectionError, QueryFailed, RpcError, Unsupported } from '../errors.js';
import { checkOptions } from '../options.js';
import { isTransient } from '../rpc/failures.js';
import type { Serializer } from '../serde.js';
import { CALL_DEADLINE_MS, Method } from '../rpc/methods.js';
import type { Subject } from '../transport/transport.js';
import { CALL_CONTROL } from './call-control.js';
import { type ClientCalls, executionSubject, type Startable } from './calls.js';
import { describe, summarize } from './describe.js';
import type { ListWorkflowsOptions, WorkflowDescription, WorkflowList } from './description.js';
import type { CancelWorkflowOptions, SignalWithStartOptions } from './options.js';
import type { RestCalls } from './rest.js';

/** Sends a signal; the number of its event. */
export async function signalWorkflow(
  calls: ClientCalls,
  workflowExecutionId: string,
  signalName: string,
  value: unknown,
): Promise<number> {
  const { orgId, codec, serializer } = calls.settings;
  const signalValue = await encodeOne(codec, serializer.serialize(value));
  const request = encodeSignalWorkflow({ orgId, workflowExecutionId, signalName, signalValue });
  const subject = executionSubject(workflowExecutionId);
  return decodeSignalWorkflow(await sentOnce(calls, Method.SignalWorkflow, request, subject));
}

/** Sends a signal to the execution under a key, which is started if none runs. */
export async function signalWithStart(
  calls: ClientCalls,
  workflow: Startable,
  options: SignalWithStartOptions,
  timeoutMs: number | undefined,
): Promise<{ workflowExecutionId: string; workflowCreated: boolean }> {
  const { orgId, queue, codec, serializer } = calls.settings;
  const { workflowId, signalName, workflowVersion = workflow.version, prioritySeconds } = options;
  const workflowKind = workflow.name;
  const request = encodeSignalWithStartWorkflow({
    orgId,
    workflowId,
    workflowKind,
    workflowInput: await calls.inputPayload(workflow, options.input),
    queue: options.queue ?? queue,
    workflowVersion,
    prioritySeconds,
    signalName,
    signalValue: await encodeOne(codec, serializer.serialize(options.signalValue)),
    timeoutMs,
  });
  const subject = { type: 'Workflow', id: workflowKind };
  return decodeSignalWithStartWorkflow(
    await sentOnce(calls, Method.SignalWithStartWorkflow, request, subject),
  );
}

/** Asks an execution something. */
export async function queryWorkflow(
  calls: ClientCalls,
  workflowExecutionId: string,
  queryName: string,
  args: unknown,
): Promise<unknown> {
  const { codec, serializer } = calls.settings;
  const params = await encodeOne(codec, serializer.serialize(args));
  const request = encodeQueryWorkflow({ workflowExecutionId, queryName, params });
  const subject = executionSubject(workflowExecutionId);
  const { result, error } = decodeQueryWorkflow(await calls.repeated(Method.QueryWorkflow, request, subject));
  if (error !== undefined) throw new QueryFailed(workflowExecutionId, queryName, error);
  return calls.decode(result);
}

/** Asks an execution to end as cancelled. */
export async function cancelWorkflow(
  calls: ClientCalls,
  workflowExecutionId: string,
  reason: string | undefined,
  options: CancelWorkflowOptions,
): Promise<void> {
  checkOptions('cancel', options, ['force', 'cascadeToChildren', ...CALL_CONTROL]);
  const { force = false, cascadeToChildren = true } = options;
  // For people and other clients: it goes through no codec.
  const text = reason ?? '';
  const subject = executionSubject(workflowExecutionId);
  if (await calls.isExtended(workflowExecutionId)) {
    const request = encodeCancelWorkflow({ workflowExecutionId, reason: text, force, cascadeToChildren });
    await calls.repeated(Method.CancelWorkflow, request, subject);
    return;
  }
  const rest = overRest(calls, 'handle.cancel');
  const body = { reason: text, force, cascadeToChildren };
  await rest.cancel(workflowExecutionId, body, subject, calls.signal);
}

/** What the server knows of an execution. */
export async function describeWorkflow(
  calls: ClientCalls,
  id: string,
  serializer: Serializer = calls.settings.serializer,
): Promise<WorkflowDescription> {
  const subject = executionSubject(id);
  const settings = { ...calls.settings, serializer };
  if (await calls.isExtended(id)) {
    const request = encodeDescribeWorkflow({ workflowExecutionId: id });
    const answer = await calls.repeated(Method.DescribeWorkflow, request, subject);
    return describe(settings, decodeDescribeWorkflow(answer));
  }
  const rest = overRest(calls, 'handle.describe');
  return describe(settings, await rest.describe(id, subject, calls.signal));
}

/** A page of the executions of the organisation. */
export async function listWorkflows(
  calls: ClientCalls,
  options: ListWorkflowsOptions,
): Promise<WorkflowList> {
  checkOptions('listWorkflows', options, ['status', 'kind', 'queue', 'limit', 'offset', ...CALL_CONTROL]);
  const { workflows, total } = await listed(calls, options);
  return { workflows: workflows.map(summarize), total };
}

async function listed(calls: ClientCalls, { status, kind, queue, limit, offset }: ListWorkflowsOptions) {
  const filter = { status, kind, queue, limit, offset };
  if (await calls.isExtended()) {
    const subject = { type: 'Organisation', id: calls.settings.orgId };
    return decodeListWorkflows(
      await calls.repeated(Method.ListWorkflows, encodeListWorkflows(filter), subject),
    );
  }
  const rest = overRest(calls, 'client.listWorkflows');
  return rest.list(filter, calls.signal);
}

/** A call that would take effect twice if it was made twice, and is therefore made once. */
async function sentOnce(
  calls: ClientCalls,
  method: string,
  request: Uint8Array,
  subject: Subject,
): Promise<Uint8Array> {
  try {
    const { signal } = calls;
    return await calls.call(method, request, { deadlineMs: CALL_DEADLINE_MS, subject, signal });
  } catch (error) {
    throw isTransient(error) ? unknownFate(error) : error;
  }
}

function unknownFate(error: unknown): unknown {
  const advice = 'Whether the server took it is not known, so it was not sent again';
  if (error instanceof ConnectionError)
    return new ConnectionError(`${error.message}. ${advice}`, error.serverUrl, error);
  if (error instanceof RpcError)
    return new RpcError(error.code, `${error.message}. ${advice}`, { method: error.method, cause: error });
  return error;
}

function overRest(calls: ClientCalls, what: string): RestCalls {
  const { rest } = calls.settings;
  if (rest !== undefined) return rest;
  throw new Unsupported(
    `${what}: the server has not announced our extensions (or the option extensions is false), and the gRPC contract has ` +
      'no such call: give the client httpUrl, the address of the REST interface of the server, and orgSlug',
  );
}
