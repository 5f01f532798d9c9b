//! What a client asks for: starting executions, settling promises, waiting for results.

use flovyn_protocol::messages::{
    RejectPromiseRequest, ResolvePromiseRequest, StartWorkflowRequest, StartWorkflowResponse, ext,
};
use prost::Message;
use wasm_bindgen::prelude::*;

use crate::{
    convert::{Fields, json_text, object},
    error::Error,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Starts an execution. */
export interface StartWorkflow {
  /** Id or slug of the organisation. */
  readonly orgId: string;
  /** The kind of workflow. */
  readonly workflowKind: string;
  /** JSON. */
  readonly input: string;
  /** The queue of the workers that may run it. */
  readonly queue: string;
  /** Kept with the execution. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** How far the execution is moved ahead of its queue, in seconds. */
  readonly prioritySeconds?: number | undefined;
  /** The version to run. */
  readonly workflowVersion?: string | undefined;
  /** A run of the organisation under the same key is returned instead of a new one. */
  readonly idempotencyKey?: string | undefined;
  /** How long the key is remembered, in seconds. */
  readonly idempotencyKeyTtlSeconds?: number | undefined;
  /** Extension: how long it may run, in milliseconds. */
  readonly timeoutMs?: number | undefined;
}

/** An execution that was started or found. */
export interface StartedWorkflow {
  /** A UUID. */
  readonly workflowExecutionId: string;
  /** The request carried an idempotency key. */
  readonly idempotencyKeyUsed: boolean;
  /** The key was not taken: the execution is new. */
  readonly idempotencyKeyNew: boolean;
}

/** Resolves a promise from outside. */
export interface ResolvePromise {
  /** Its UUID, or `<execution id>:<name>`. */
  readonly promiseId: string;
  /** JSON. */
  readonly value: string;
}

/** Rejects a promise from outside. */
export interface RejectPromise {
  /** Its UUID, or `<execution id>:<name>`. */
  readonly promiseId: string;
  /** Why. */
  readonly error: string;
}

/** Waits until an execution has ended (extension). */
export interface AwaitResult {
  /** Which one. */
  readonly workflowExecutionId: string;
  /** How long at most. */
  readonly timeoutMs: number;
}

/** How an execution ended. */
export interface AwaitedResult {
  /** `Running` while it has not ended: ask again. */
  readonly status: WorkflowStatus;
  /** JSON, of `Completed`. */
  readonly output: string;
  /** Of `Failed` and `Cancelled`. */
  readonly error: string;
  /** Of `Failed`, for example `BUSINESS_LOGIC`. */
  readonly failureType: string;
  /** Of `Failed`. */
  readonly stackTrace: string;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "StartWorkflow")]
    pub type StartWorkflow;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "StartedWorkflow")]
    pub type StartedWorkflow;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "ResolvePromise")]
    pub type ResolvePromise;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "RejectPromise")]
    pub type RejectPromise;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "AwaitResult")]
    pub type AwaitResult;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "AwaitedResult")]
    pub type AwaitedResult;
}

/// The bytes of StartWorkflow.
#[wasm_bindgen(js_name = encodeStartWorkflow)]
pub fn encode_start_workflow(request: &StartWorkflow) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = StartWorkflowRequest {
        org_id: fields.get("orgId")?,
        workflow_kind: fields.get("workflowKind")?,
        input: fields.json("input")?,
        metadata: fields.get::<Option<_>>("metadata")?.unwrap_or_default(),
        queue: fields.get("queue")?,
        priority_seconds: fields.get::<Option<i32>>("prioritySeconds")?.unwrap_or_default(),
        workflow_definition_id: None,
        parent_workflow_execution_id: None,
        workflow_version: fields.get("workflowVersion")?,
        idempotency_key: fields.get("idempotencyKey")?,
        idempotency_key_ttl_seconds: fields.get("idempotencyKeyTtlSeconds")?,
        timeout_ms: fields.get::<Option<i64>>("timeoutMs")?.unwrap_or_default(),
    };
    Ok(request.encode_to_vec())
}

/// The answer of StartWorkflow.
#[wasm_bindgen(js_name = decodeStartWorkflow)]
pub fn decode_start_workflow(bytes: &[u8]) -> Result<StartedWorkflow, Error> {
    let response = StartWorkflowResponse::decode(bytes)?;
    Ok(object(&[
        ("workflowExecutionId", response.workflow_execution_id.into()),
        ("idempotencyKeyUsed", response.idempotency_key_used.into()),
        ("idempotencyKeyNew", response.idempotency_key_new.into()),
    ]))
}

/// The bytes of ResolvePromise.
#[wasm_bindgen(js_name = encodeResolvePromise)]
pub fn encode_resolve_promise(request: &ResolvePromise) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = ResolvePromiseRequest { promise_id: fields.get("promiseId")?, value: fields.json("value")? };
    Ok(request.encode_to_vec())
}

/// The bytes of RejectPromise.
#[wasm_bindgen(js_name = encodeRejectPromise)]
pub fn encode_reject_promise(request: &RejectPromise) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = RejectPromiseRequest { promise_id: fields.get("promiseId")?, error: fields.get("error")? };
    Ok(request.encode_to_vec())
}

/// The bytes of AwaitResult.
#[wasm_bindgen(js_name = encodeAwaitResult)]
pub fn encode_await_result(request: &AwaitResult) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = ext::AwaitResultRequest {
        workflow_execution_id: fields.get("workflowExecutionId")?,
        timeout_ms: fields.get("timeoutMs")?,
    };
    Ok(request.encode_to_vec())
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

/// The answer of AwaitResult.
#[wasm_bindgen(js_name = decodeAwaitResult)]
pub fn decode_await_result(bytes: &[u8]) -> Result<AwaitedResult, Error> {
    let response = ext::AwaitResultResponse::decode(bytes)?;
    Ok(object(&[
        ("status", response.status.into()),
        ("output", json_text(response.output)?),
        ("error", response.error.into()),
        ("failureType", response.failure_type.into()),
        ("stackTrace", response.stack_trace.into()),
    ]))
}
