//! Signals to executions, and questions to them.

use flovyn_protocol::messages::{
    QueryWorkflowRequest, QueryWorkflowResponse, SignalWithStartWorkflowRequest, SignalWithStartWorkflowResponse,
    SignalWorkflowRequest, SignalWorkflowResponse,
};
use prost::Message;
use wasm_bindgen::prelude::*;

use crate::{
    convert::{Fields, json_text, number, object},
    error::Error,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Sends a signal to an execution. */
export interface SignalWorkflow {
  /** Id or slug of the organisation. */
  readonly orgId: string;
  /** Which one. */
  readonly workflowExecutionId: string;
  /** The name that workflow code waits for. */
  readonly signalName: string;
  /** JSON. */
  readonly signalValue: string;
}

/** Sends a signal to the execution under a key, which is started if none runs. */
export interface SignalWithStartWorkflow {
  /** Id or slug of the organisation. */
  readonly orgId: string;
  /** The key: as the idempotency key of StartWorkflow. */
  readonly workflowId: string;
  /** The kind of workflow. */
  readonly workflowKind: string;
  /** JSON, of a new execution. */
  readonly workflowInput: string;
  /** The queue of the workers that may run it. */
  readonly queue: string;
  /** How far a new execution is moved ahead of its queue, in seconds. */
  readonly prioritySeconds?: number | undefined;
  /** The version to run. */
  readonly workflowVersion?: string | undefined;
  /** The name that workflow code waits for. */
  readonly signalName: string;
  /** JSON. */
  readonly signalValue: string;
  /** Extension: how long a new execution may run, in milliseconds. */
  readonly timeoutMs?: number | undefined;
}

/** What a signal with a start led to. */
export interface SignalledWithStart {
  /** A UUID. */
  readonly workflowExecutionId: string;
  /** The execution is new. */
  readonly workflowCreated: boolean;
  /** The number of the signal's event. */
  readonly signalEventSequence: number;
}

/** Asks an execution something. */
export interface QueryWorkflow {
  /** Which one. */
  readonly workflowExecutionId: string;
  /** Which query. */
  readonly queryName: string;
  /** JSON. */
  readonly params: string;
}

/** The answer to a query. */
export interface QueryAnswered {
  /** JSON. */
  readonly result: string;
  /** Why there is no result. */
  readonly error: string | undefined;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "SignalWorkflow")]
    pub type SignalWorkflow;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "SignalWithStartWorkflow")]
    pub type SignalWithStartWorkflow;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "SignalledWithStart")]
    pub type SignalledWithStart;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "QueryWorkflow")]
    pub type QueryWorkflow;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "QueryAnswered")]
    pub type QueryAnswered;
}

/// The bytes of SignalWorkflow.
#[wasm_bindgen(js_name = encodeSignalWorkflow)]
pub fn encode_signal_workflow(request: &SignalWorkflow) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = SignalWorkflowRequest {
        org_id: fields.get("orgId")?,
        workflow_execution_id: fields.get("workflowExecutionId")?,
        signal_name: fields.get("signalName")?,
        signal_value: fields.json("signalValue")?,
    };
    Ok(request.encode_to_vec())
}

/// The answer of SignalWorkflow: the number of the signal's event.
#[wasm_bindgen(js_name = decodeSignalWorkflow)]
pub fn decode_signal_workflow(bytes: &[u8]) -> Result<f64, Error> {
    Ok(number(SignalWorkflowResponse::decode(bytes)?.signal_event_sequence))
}

/// The bytes of SignalWithStartWorkflow.
#[wasm_bindgen(js_name = encodeSignalWithStartWorkflow)]
pub fn encode_signal_with_start_workflow(request: &SignalWithStartWorkflow) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = SignalWithStartWorkflowRequest {
        org_id: fields.get("orgId")?,
        workflow_id: fields.get("workflowId")?,
        workflow_kind: fields.get("workflowKind")?,
        workflow_input: fields.json("workflowInput")?,
        queue: fields.get("queue")?,
        priority_seconds: fields.get::<Option<i32>>("prioritySeconds")?.unwrap_or_default(),
        workflow_version: fields.get("workflowVersion")?,
        signal_name: fields.get("signalName")?,
        signal_value: fields.json("signalValue")?,
        timeout_ms: fields.get::<Option<i64>>("timeoutMs")?.unwrap_or_default(),
        ..Default::default()
    };
    Ok(request.encode_to_vec())
}

/// The answer of SignalWithStartWorkflow.
#[wasm_bindgen(js_name = decodeSignalWithStartWorkflow)]
pub fn decode_signal_with_start_workflow(bytes: &[u8]) -> Result<SignalledWithStart, Error> {
    let response = SignalWithStartWorkflowResponse::decode(bytes)?;
    Ok(object(&[
        ("workflowExecutionId", response.workflow_execution_id.into()),
        ("workflowCreated", response.workflow_created.into()),
        ("signalEventSequence", number(response.signal_event_sequence).into()),
    ]))
}

/// The bytes of QueryWorkflow.
#[wasm_bindgen(js_name = encodeQueryWorkflow)]
pub fn encode_query_workflow(request: &QueryWorkflow) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = QueryWorkflowRequest {
        workflow_execution_id: fields.get("workflowExecutionId")?,
        query_name: fields.get("queryName")?,
        params: fields.json("params")?,
    };
    Ok(request.encode_to_vec())
}

/// The answer of QueryWorkflow.
#[wasm_bindgen(js_name = decodeQueryWorkflow)]
pub fn decode_query_workflow(bytes: &[u8]) -> Result<QueryAnswered, Error> {
    let response = QueryWorkflowResponse::decode(bytes)?;
    Ok(object(&[("result", json_text(response.result)?), ("error", response.error.into())]))
}
