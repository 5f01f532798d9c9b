//! What a client asks for: starting executions, settling promises, waiting for results.

use std::collections::BTreeMap;

use flovyn_protocol::messages::{
    RejectPromiseRequest, ResolvePromiseRequest, StartWorkflowRequest, StartWorkflowResponse, ext,
};
use prost::Message;
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use super::encode;
use crate::{
    convert::{json_text, to_js},
    error::Error,
};

/// Starts an execution.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct StartWorkflow {
    /// Id or slug of the organisation.
    pub org_id: String,
    /// The kind of workflow.
    pub workflow_kind: String,
    /// JSON.
    pub input: String,
    /// The queue of the workers that may run it.
    pub queue: String,
    /// Kept with the execution.
    #[serde(default)]
    #[tsify(optional, type = "Record<string, string> | undefined")]
    pub metadata: BTreeMap<String, String>,
    /// How far the execution is moved ahead of its queue, in seconds.
    #[serde(default)]
    #[tsify(optional, type = "number | undefined")]
    pub priority_seconds: Option<i32>,
    /// The version to run.
    #[tsify(optional, type = "string | undefined")]
    pub workflow_version: Option<String>,
    /// A run of the organisation under the same key is returned instead of a new one.
    #[tsify(optional, type = "string | undefined")]
    pub idempotency_key: Option<String>,
    /// How long the key is remembered, in seconds.
    #[tsify(optional, type = "number | undefined")]
    pub idempotency_key_ttl_seconds: Option<i64>,
}

/// The bytes of StartWorkflow.
#[wasm_bindgen(js_name = encodeStartWorkflow)]
pub fn encode_start_workflow(request: Ts<StartWorkflow>) -> Result<Vec<u8>, Error> {
    encode::<_, StartWorkflowRequest>(request)
}

impl From<StartWorkflow> for StartWorkflowRequest {
    fn from(request: StartWorkflow) -> Self {
        Self {
            org_id: request.org_id,
            workflow_kind: request.workflow_kind,
            input: request.input.into_bytes(),
            metadata: request.metadata,
            queue: request.queue,
            priority_seconds: request.priority_seconds.unwrap_or_default(),
            workflow_definition_id: None,
            parent_workflow_execution_id: None,
            workflow_version: request.workflow_version,
            idempotency_key: request.idempotency_key,
            idempotency_key_ttl_seconds: request.idempotency_key_ttl_seconds,
        }
    }
}

/// An execution that was started or found.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct StartedWorkflow {
    /// A UUID.
    pub workflow_execution_id: String,
    /// The request carried an idempotency key.
    pub idempotency_key_used: bool,
    /// The key was not taken: the execution is new.
    pub idempotency_key_new: bool,
}

/// The answer of StartWorkflow.
#[wasm_bindgen(js_name = decodeStartWorkflow)]
pub fn decode_start_workflow(bytes: &[u8]) -> Result<Ts<StartedWorkflow>, Error> {
    let response = StartWorkflowResponse::decode(bytes)?;
    to_js(&StartedWorkflow {
        workflow_execution_id: response.workflow_execution_id,
        idempotency_key_used: response.idempotency_key_used,
        idempotency_key_new: response.idempotency_key_new,
    })
}

/// Resolves a promise from outside.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct ResolvePromise {
    /// Its UUID, or `<execution id>:<name>`.
    pub promise_id: String,
    /// JSON.
    pub value: String,
}

/// The bytes of ResolvePromise.
#[wasm_bindgen(js_name = encodeResolvePromise)]
pub fn encode_resolve_promise(request: Ts<ResolvePromise>) -> Result<Vec<u8>, Error> {
    encode::<_, ResolvePromiseRequest>(request)
}

impl From<ResolvePromise> for ResolvePromiseRequest {
    fn from(request: ResolvePromise) -> Self {
        Self { promise_id: request.promise_id, value: request.value.into_bytes() }
    }
}

/// Rejects a promise from outside.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct RejectPromise {
    /// Its UUID, or `<execution id>:<name>`.
    pub promise_id: String,
    /// Why.
    pub error: String,
}

/// The bytes of RejectPromise.
#[wasm_bindgen(js_name = encodeRejectPromise)]
pub fn encode_reject_promise(request: Ts<RejectPromise>) -> Result<Vec<u8>, Error> {
    encode::<_, RejectPromiseRequest>(request)
}

impl From<RejectPromise> for RejectPromiseRequest {
    fn from(request: RejectPromise) -> Self {
        Self { promise_id: request.promise_id, error: request.error }
    }
}

/// Waits until an execution has ended (extension).
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct AwaitResult {
    /// Which one.
    pub workflow_execution_id: String,
    /// How long at most.
    pub timeout_ms: i64,
}

/// The bytes of AwaitResult.
#[wasm_bindgen(js_name = encodeAwaitResult)]
pub fn encode_await_result(request: Ts<AwaitResult>) -> Result<Vec<u8>, Error> {
    encode::<_, ext::AwaitResultRequest>(request)
}

impl From<AwaitResult> for ext::AwaitResultRequest {
    fn from(request: AwaitResult) -> Self {
        Self { workflow_execution_id: request.workflow_execution_id, timeout_ms: request.timeout_ms }
    }
}

/// The numbers of an execution's status on the wire.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkflowStatus {
    /// It has not ended.
    Running = 1,
    /// It has not ended and waits.
    Suspended = 2,
    /// It returned a value.
    Completed = 3,
    /// It was cancelled.
    Cancelled = 4,
    /// It failed.
    Failed = 5,
}

/// How an execution ended.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct AwaitedResult {
    /// `Running` while it has not ended: ask again.
    #[tsify(type = "WorkflowStatus")]
    pub status: i32,
    /// JSON, of `Completed`.
    pub output: String,
    /// Of `Failed` and `Cancelled`.
    pub error: String,
    /// Of `Failed`, for example `BUSINESS_LOGIC`.
    pub failure_type: String,
    /// Of `Failed`.
    pub stack_trace: String,
}

/// The answer of AwaitResult.
#[wasm_bindgen(js_name = decodeAwaitResult)]
pub fn decode_await_result(bytes: &[u8]) -> Result<Ts<AwaitedResult>, Error> {
    let response = ext::AwaitResultResponse::decode(bytes)?;
    to_js(&AwaitedResult {
        status: response.status,
        output: json_text(response.output)?,
        error: response.error,
        failure_type: response.failure_type,
        stack_trace: response.stack_trace,
    })
}

/// Asks what is known of an execution (extension).
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct DescribeWorkflow {
    /// Which one.
    pub workflow_execution_id: String,
}

/// The bytes of DescribeWorkflow.
#[wasm_bindgen(js_name = encodeDescribeWorkflow)]
pub fn encode_describe_workflow(request: Ts<DescribeWorkflow>) -> Result<Vec<u8>, Error> {
    encode::<_, ext::DescribeWorkflowRequest>(request)
}

impl From<DescribeWorkflow> for ext::DescribeWorkflowRequest {
    fn from(request: DescribeWorkflow) -> Self {
        Self { workflow_execution_id: request.workflow_execution_id }
    }
}

/// What is known of an execution. Texts are empty and times 0 where nothing is known.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(hashmap_as_object)]
pub struct WorkflowDescription {
    /// A UUID.
    pub workflow_execution_id: String,
    /// The kind of workflow.
    pub kind: String,
    /// The queue of the workers that may run it.
    pub queue: String,
    /// `PENDING`, `RUNNING`, `WAITING`, `COMPLETED`, `FAILED` or `CANCELLED`.
    pub status: String,
    /// JSON.
    pub input: String,
    /// JSON.
    pub output: String,
    /// Why it failed.
    pub error: String,
    /// The number of its last event.
    pub current_sequence: i32,
    /// The version it was started with.
    pub workflow_version: String,
    /// The execution that started it as a child.
    pub parent_workflow_execution_id: String,
    /// The worker that claimed it last.
    pub worker_id: String,
    /// What was kept with it at the start.
    #[tsify(type = "Record<string, string>")]
    pub metadata: BTreeMap<String, String>,
    /// In milliseconds since 1970, as all times here.
    pub created_at_ms: i64,
    /// The first claim.
    pub started_at_ms: i64,
    /// The end.
    pub completed_at_ms: i64,
    /// The last change.
    pub updated_at_ms: i64,
    /// Claims given back since the last applied submission.
    pub parks: i32,
    /// The reason of the last one.
    pub park_reason: String,
}

/// The answer of DescribeWorkflow.
#[wasm_bindgen(js_name = decodeDescribeWorkflow)]
pub fn decode_describe_workflow(bytes: &[u8]) -> Result<Ts<WorkflowDescription>, Error> {
    let found = ext::WorkflowDescription::decode(bytes)?;
    to_js(&WorkflowDescription {
        workflow_execution_id: found.workflow_execution_id,
        kind: found.kind,
        queue: found.queue,
        status: found.status,
        input: json_text(found.input)?,
        output: json_text(found.output)?,
        error: found.error,
        current_sequence: found.current_sequence,
        workflow_version: found.workflow_version,
        parent_workflow_execution_id: found.parent_workflow_execution_id,
        worker_id: found.worker_id,
        metadata: found.metadata,
        created_at_ms: found.created_at_ms,
        started_at_ms: found.started_at_ms,
        completed_at_ms: found.completed_at_ms,
        updated_at_ms: found.updated_at_ms,
        parks: found.parks,
        park_reason: found.park_reason,
    })
}
