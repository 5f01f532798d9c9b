//! What is known of executions, and asking one to end (extensions).

use flovyn_protocol::messages::ext;
use js_sys::Array;
use prost::Message;
use wasm_bindgen::prelude::*;

use crate::{
    convert::{Fields, json_text, number, object, record},
    error::Error,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Asks what is known of an execution (extension). */
export interface DescribeWorkflow {
  /** Which one. */
  readonly workflowExecutionId: string;
}

/** What is known of an execution. Texts are empty and times 0 where nothing is known. */
export interface WorkflowDescription {
  /** A UUID. */
  readonly workflowExecutionId: string;
  /** The kind of workflow. */
  readonly kind: string;
  /** The queue of the workers that may run it. */
  readonly queue: string;
  /** `PENDING`, `RUNNING`, `WAITING`, `CANCELLING`, `COMPLETED`, `FAILED` or `CANCELLED`. */
  readonly status: string;
  /** JSON. */
  readonly input: string;
  /** JSON. */
  readonly output: string;
  /** Why it failed. */
  readonly error: string;
  /** The number of its last event. */
  readonly currentSequence: number;
  /** The version it was started with. */
  readonly workflowVersion: string;
  /** The execution that started it as a child. */
  readonly parentWorkflowExecutionId: string;
  /** The worker that claimed it last. */
  readonly workerId: string;
  /** What was kept with it at the start. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In milliseconds since 1970, as all times here. */
  readonly createdAtMs: number;
  /** The first claim. */
  readonly startedAtMs: number;
  /** The end. */
  readonly completedAtMs: number;
  /** The last change. */
  readonly updatedAtMs: number;
  /** Claims given back since the last applied submission. */
  readonly parks: number;
  /** The reason of the last one. */
  readonly parkReason: string;
  /** How long it may run from its start, 0 for no limit. */
  readonly timeoutMs: number;
  /** Why it was asked to end as cancelled. */
  readonly cancelReason: string;
}

/** Asks for executions, the newest first (extension). */
export interface ListWorkflows {
  /** Only those in this status. */
  readonly status?: string | undefined;
  /** Only those of this kind. */
  readonly kind?: string | undefined;
  /** Only those on this queue. */
  readonly queue?: string | undefined;
  /** At most so many. */
  readonly limit?: number | undefined;
  /** Leaves out so many. */
  readonly offset?: number | undefined;
}

/** A page of executions. */
export interface ListedWorkflows {
  /** The newest first. */
  readonly workflows: WorkflowDescription[];
  /** How many there are without limit and offset; 10,000 if there are more. */
  readonly total: number;
}

/** Asks an execution to end as cancelled (extension). */
export interface CancelWorkflow {
  /** Which one. */
  readonly workflowExecutionId: string;
  /** Why. */
  readonly reason: string;
  /** End it at once. */
  readonly force: boolean;
  /** Its children too. */
  readonly cascadeToChildren: boolean;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "DescribeWorkflow")]
    pub type DescribeWorkflow;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "WorkflowDescription")]
    pub type WorkflowDescription;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "ListWorkflows")]
    pub type ListWorkflows;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "ListedWorkflows")]
    pub type ListedWorkflows;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "CancelWorkflow")]
    pub type CancelWorkflow;
}

/// The bytes of DescribeWorkflow.
#[wasm_bindgen(js_name = encodeDescribeWorkflow)]
pub fn encode_describe_workflow(request: &DescribeWorkflow) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = ext::DescribeWorkflowRequest { workflow_execution_id: fields.get("workflowExecutionId")? };
    Ok(request.encode_to_vec())
}

/// The answer of DescribeWorkflow.
#[wasm_bindgen(js_name = decodeDescribeWorkflow)]
pub fn decode_describe_workflow(bytes: &[u8]) -> Result<WorkflowDescription, Error> {
    description(ext::WorkflowDescription::decode(bytes)?)
}

/// The bytes of ListWorkflows.
#[wasm_bindgen(js_name = encodeListWorkflows)]
pub fn encode_list_workflows(request: &ListWorkflows) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let text = |name| fields.get::<Option<String>>(name).map(Option::unwrap_or_default);
    let count = |name| fields.get::<Option<i32>>(name).map(Option::unwrap_or_default);
    let request = ext::ListWorkflowsRequest {
        status: text("status")?,
        kind: text("kind")?,
        queue: text("queue")?,
        limit: count("limit")?,
        offset: count("offset")?,
    };
    Ok(request.encode_to_vec())
}

/// The answer of ListWorkflows.
#[wasm_bindgen(js_name = decodeListWorkflows)]
pub fn decode_list_workflows(bytes: &[u8]) -> Result<ListedWorkflows, Error> {
    let listed = ext::ListWorkflowsResponse::decode(bytes)?;
    let workflows: Result<Array, Error> = listed.workflows.into_iter().map(description).collect();
    Ok(object(&[("workflows", workflows?.into()), ("total", number(listed.total).into())]))
}

/// The bytes of CancelWorkflow.
#[wasm_bindgen(js_name = encodeCancelWorkflow)]
pub fn encode_cancel_workflow(request: &CancelWorkflow) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = ext::CancelWorkflowRequest {
        workflow_execution_id: fields.get("workflowExecutionId")?,
        reason: fields.get("reason")?,
        force: fields.get("force")?,
        cascade_to_children: Some(fields.get("cascadeToChildren")?),
    };
    Ok(request.encode_to_vec())
}

fn description(found: ext::WorkflowDescription) -> Result<WorkflowDescription, Error> {
    Ok(object(&[
        ("workflowExecutionId", found.workflow_execution_id.into()),
        ("kind", found.kind.into()),
        ("queue", found.queue.into()),
        ("status", found.status.into()),
        ("input", json_text(found.input)?),
        ("output", json_text(found.output)?),
        ("error", found.error.into()),
        ("currentSequence", found.current_sequence.into()),
        ("workflowVersion", found.workflow_version.into()),
        ("parentWorkflowExecutionId", found.parent_workflow_execution_id.into()),
        ("workerId", found.worker_id.into()),
        ("metadata", record(&found.metadata).into()),
        ("createdAtMs", number(found.created_at_ms).into()),
        ("startedAtMs", number(found.started_at_ms).into()),
        ("completedAtMs", number(found.completed_at_ms).into()),
        ("updatedAtMs", number(found.updated_at_ms).into()),
        ("parks", found.parks.into()),
        ("parkReason", found.park_reason.into()),
        ("timeoutMs", number(found.timeout_ms).into()),
        ("cancelReason", found.cancel_reason.into()),
    ]))
}
