//! What a task worker asks for and reports.

use std::collections::BTreeMap;

use flovyn_protocol::messages::{
    CompleteTaskRequest, FailTaskRequest, HeartbeatRequest, PollTaskRequest, PollTaskResponse,
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

/// Asks for a task that is ready.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct PollTask {
    /// The name that the worker registered under, or the id it got.
    pub worker_id: String,
    /// Id or slug of the organisation.
    pub org_id: String,
    /// Exactly this queue.
    pub queue: String,
    /// How long to wait for work.
    pub timeout_seconds: i64,
    /// Extension: really wait that long.
    pub long_poll: bool,
    /// For people.
    #[serde(default)]
    #[tsify(optional, type = "Record<string, string> | undefined")]
    pub worker_labels: BTreeMap<String, String>,
}

/// The bytes of PollTask.
#[wasm_bindgen(js_name = encodePollTask)]
pub fn encode_poll_task(request: Ts<PollTask>) -> Result<Vec<u8>, Error> {
    encode::<_, PollTaskRequest>(request)
}

impl From<PollTask> for PollTaskRequest {
    fn from(request: PollTask) -> Self {
        Self {
            worker_id: request.worker_id,
            org_id: request.org_id,
            worker_labels: request.worker_labels,
            timeout_seconds: request.timeout_seconds,
            queue: request.queue,
            worker_pool_id: None,
            long_poll: request.long_poll,
        }
    }
}

/// A task that was claimed.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct ClaimedTask {
    /// A UUID.
    pub task_execution_id: String,
    /// The kind of task.
    pub kind: String,
    /// JSON.
    pub input: String,
    /// The execution that scheduled it; empty for a task of its own.
    pub workflow_execution_id: String,
    /// 1 for the first attempt.
    pub execution_count: i32,
    /// The queue it was claimed from.
    pub queue: String,
    /// The trace that it belongs to, empty if none.
    pub traceparent: String,
    /// Goes back as metadata `flovyn-claim`; empty from a server without the extension.
    pub claim_token: String,
    /// The claim ends this long after it was given or renewed; 0 from a server without the extension.
    pub lease_ms: i64,
}

/// The answer of PollTask; undefined if there was nothing to do.
#[wasm_bindgen(js_name = decodePollTask)]
pub fn decode_poll_task(bytes: &[u8]) -> Result<Option<Ts<ClaimedTask>>, Error> {
    let response = PollTaskResponse::decode(bytes)?;
    let Some(task) = response.task else { return Ok(None) };
    to_js(&ClaimedTask {
        task_execution_id: task.task_execution_id,
        kind: task.kind,
        input: json_text(task.input)?,
        workflow_execution_id: task.workflow_execution_id,
        execution_count: task.execution_count,
        queue: task.queue,
        traceparent: task.traceparent,
        claim_token: response.claim_token,
        lease_ms: response.lease_ms,
    })
    .map(Some)
}

/// Reports the result of a task.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct CompleteTask {
    /// Which one.
    pub task_execution_id: String,
    /// JSON.
    pub output: String,
}

/// The bytes of CompleteTask.
#[wasm_bindgen(js_name = encodeCompleteTask)]
pub fn encode_complete_task(request: Ts<CompleteTask>) -> Result<Vec<u8>, Error> {
    encode::<_, CompleteTaskRequest>(request)
}

impl From<CompleteTask> for CompleteTaskRequest {
    fn from(request: CompleteTask) -> Self {
        Self { task_execution_id: request.task_execution_id, output: request.output.into_bytes() }
    }
}

/// Reports that an attempt of a task has failed.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct FailTask {
    /// Which one.
    pub task_execution_id: String,
    /// What the error says.
    pub error: String,
    /// Extension: false fails the task for good; undefined leaves it to the retry policy.
    #[tsify(optional, type = "boolean | undefined")]
    pub retryable: Option<bool>,
    /// Extension: the name of the error class.
    #[serde(default)]
    #[tsify(optional, type = "string | undefined")]
    pub error_type: Option<String>,
}

/// The bytes of FailTask.
#[wasm_bindgen(js_name = encodeFailTask)]
pub fn encode_fail_task(request: Ts<FailTask>) -> Result<Vec<u8>, Error> {
    encode::<_, FailTaskRequest>(request)
}

impl From<FailTask> for FailTaskRequest {
    fn from(request: FailTask) -> Self {
        Self {
            task_execution_id: request.task_execution_id,
            error: request.error,
            retryable: request.retryable,
            error_type: request.error_type.unwrap_or_default(),
        }
    }
}

/// Says that a task is alive.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Heartbeat {
    /// Which one.
    pub task_execution_id: String,
}

/// The bytes of Heartbeat.
#[wasm_bindgen(js_name = encodeHeartbeat)]
pub fn encode_heartbeat(request: Ts<Heartbeat>) -> Result<Vec<u8>, Error> {
    encode::<_, HeartbeatRequest>(request)
}

impl From<Heartbeat> for HeartbeatRequest {
    fn from(request: Heartbeat) -> Self {
        Self { task_execution_id: request.task_execution_id }
    }
}
