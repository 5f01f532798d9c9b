//! What a task worker asks for and reports.

use flovyn_protocol::messages::{
    CompleteTaskRequest, CompleteTaskResponse, FailTaskRequest, HeartbeatRequest, HeartbeatResponse, PollTaskRequest,
    PollTaskResponse,
};
use prost::Message;
use wasm_bindgen::prelude::*;

use crate::{
    convert::{Fields, json_text, number, object},
    error::Error,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Asks for a task that is ready. */
export interface PollTask {
  /** The name that the worker registered under, or the id it got. */
  readonly workerId: string;
  /** Id or slug of the organisation. */
  readonly orgId: string;
  /** Exactly this queue. */
  readonly queue: string;
  /** How long to wait for work. */
  readonly timeoutSeconds: number;
  /** Extension: really wait that long. */
  readonly longPoll: boolean;
  /** For people. */
  readonly workerLabels?: Readonly<Record<string, string>> | undefined;
}

/** A task that was claimed. */
export interface ClaimedTask {
  /** A UUID. */
  readonly taskExecutionId: string;
  /** The kind of task. */
  readonly kind: string;
  /** JSON. */
  readonly input: string;
  /** The execution that scheduled it; empty for a task of its own. */
  readonly workflowExecutionId: string;
  /** 1 for the first attempt. */
  readonly executionCount: number;
  /** The queue it was claimed from. */
  readonly queue: string;
  /** The trace that it belongs to, empty if none. */
  readonly traceparent: string;
  /** Goes back as metadata `flovyn-claim`; empty from a server without the extension. */
  readonly claimToken: string;
  /** The claim ends this long after it was given or renewed; 0 from a server without the extension. */
  readonly leaseMs: number;
  /** Extension: the attempt may take this long; 0 for no limit. */
  readonly startToCloseTimeoutMs: number;
  /** Extension: the attempt fails this long after its last heartbeat; 0 for no limit. */
  readonly heartbeatTimeoutMs: number;
  /** Extension: JSON, what an earlier attempt said last of how far it was. */
  readonly heartbeatDetails: string | undefined;
}

/** Reports the result of a task. */
export interface CompleteTask {
  /** Which one. */
  readonly taskExecutionId: string;
  /** JSON. */
  readonly output: string;
  /** Extension: the bytes of the PollTask that the answer answers too, see `decodeNextTask`. */
  readonly poll?: Uint8Array | undefined;
}

/** Reports that an attempt of a task has failed. */
export interface FailTask {
  /** Which one. */
  readonly taskExecutionId: string;
  /** What the error says. */
  readonly error: string;
  /** Extension: false fails the task for good; undefined leaves it to the retry policy. */
  readonly retryable?: boolean | undefined;
  /** Extension: the name of the error class. */
  readonly errorType?: string | undefined;
  /** Extension: where the error was thrown. */
  readonly stackTrace?: string | undefined;
  /** Extension: when the next attempt begins, whatever the retry policy says. */
  readonly nextRetryDelayMs?: number | undefined;
  /** Extension: the bytes of the PollTask that the answer answers too, see `decodeNextTask`. */
  readonly poll?: Uint8Array | undefined;
}

/** Says that a task is alive. */
export interface Heartbeat {
  /** Which one. */
  readonly taskExecutionId: string;
  /** Extension: JSON, shown with the task. */
  readonly details?: string | undefined;
}

/** What the server says to a heartbeat; nothing of it from a server without the extension. */
export interface AnsweredHeartbeat {
  /** The task was cancelled: work on it is in vain. */
  readonly cancelled: boolean;
  /** The claim was prolonged and ends this long after now; 0 if the server does not say. */
  readonly leaseMs: number;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "PollTask")]
    pub type PollTask;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "ClaimedTask")]
    pub type ClaimedTask;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "CompleteTask")]
    pub type CompleteTask;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "FailTask")]
    pub type FailTask;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "Heartbeat")]
    pub type Heartbeat;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "AnsweredHeartbeat")]
    pub type AnsweredHeartbeat;
}

/// The bytes of PollTask.
#[wasm_bindgen(js_name = encodePollTask)]
pub fn encode_poll_task(request: &PollTask) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = PollTaskRequest {
        worker_id: fields.get("workerId")?,
        org_id: fields.get("orgId")?,
        worker_labels: fields.get::<Option<_>>("workerLabels")?.unwrap_or_default(),
        timeout_seconds: fields.get("timeoutSeconds")?,
        queue: fields.get("queue")?,
        worker_pool_id: None,
        long_poll: fields.get("longPoll")?,
    };
    Ok(request.encode_to_vec())
}

/// The answer of PollTask; undefined if there was nothing to do.
#[wasm_bindgen(js_name = decodePollTask)]
pub fn decode_poll_task(bytes: &[u8]) -> Result<Option<ClaimedTask>, Error> {
    claimed_task(PollTaskResponse::decode(bytes)?)
}

/// The task that came with the answer of CompleteTask or FailTask; undefined if none did.
#[wasm_bindgen(js_name = decodeNextTask)]
pub fn decode_next_task(bytes: &[u8]) -> Result<Option<ClaimedTask>, Error> {
    // The answers of both are alike.
    match CompleteTaskResponse::decode(bytes)?.next {
        Some(next) => claimed_task(next),
        None => Ok(None),
    }
}

fn claimed_task(response: PollTaskResponse) -> Result<Option<ClaimedTask>, Error> {
    let Some(task) = response.task else { return Ok(None) };
    let heartbeat_details = match task.heartbeat_details {
        none if none.is_empty() => JsValue::UNDEFINED,
        details => json_text(details)?,
    };
    Ok(Some(object(&[
        ("taskExecutionId", task.task_execution_id.into()),
        ("kind", task.kind.into()),
        ("input", json_text(task.input)?),
        ("workflowExecutionId", task.workflow_execution_id.into()),
        ("executionCount", task.execution_count.into()),
        ("queue", task.queue.into()),
        ("traceparent", task.traceparent.into()),
        ("claimToken", response.claim_token.into()),
        ("leaseMs", number(response.lease_ms).into()),
        ("startToCloseTimeoutMs", number(task.start_to_close_timeout_ms).into()),
        ("heartbeatTimeoutMs", number(task.heartbeat_timeout_ms).into()),
        ("heartbeatDetails", heartbeat_details),
    ])))
}

/// The bytes of CompleteTask.
#[wasm_bindgen(js_name = encodeCompleteTask)]
pub fn encode_complete_task(request: &CompleteTask) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = CompleteTaskRequest {
        task_execution_id: fields.get("taskExecutionId")?,
        output: fields.json("output")?,
        poll: fields.message("poll")?,
    };
    Ok(request.encode_to_vec())
}

/// The bytes of FailTask.
#[wasm_bindgen(js_name = encodeFailTask)]
pub fn encode_fail_task(request: &FailTask) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = FailTaskRequest {
        task_execution_id: fields.get("taskExecutionId")?,
        error: fields.get("error")?,
        retryable: fields.get("retryable")?,
        error_type: fields.get::<Option<String>>("errorType")?.unwrap_or_default(),
        stack_trace: fields.get::<Option<String>>("stackTrace")?.unwrap_or_default(),
        next_retry_delay_ms: fields.get("nextRetryDelayMs")?,
        poll: fields.message("poll")?,
    };
    Ok(request.encode_to_vec())
}

/// The bytes of Heartbeat.
#[wasm_bindgen(js_name = encodeHeartbeat)]
pub fn encode_heartbeat(request: &Heartbeat) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = HeartbeatRequest {
        task_execution_id: fields.get("taskExecutionId")?,
        details: fields.get::<Option<String>>("details")?.unwrap_or_default().into_bytes(),
    };
    Ok(request.encode_to_vec())
}

/// The answer of Heartbeat.
#[wasm_bindgen(js_name = decodeHeartbeat)]
pub fn decode_heartbeat(bytes: &[u8]) -> Result<AnsweredHeartbeat, Error> {
    let response = HeartbeatResponse::decode(bytes)?;
    Ok(object(&[("cancelled", response.cancelled.into()), ("leaseMs", number(response.lease_ms).into())]))
}
