//! What a worker says of itself.

use flovyn_protocol::messages::{
    TaskCapability, TaskConflict, WorkerHeartbeatRequest, WorkerRegistrationRequest, WorkerRegistrationResponse,
    WorkflowCapability, WorkflowConflict,
};
use js_sys::Array;
use prost::Message;
use wasm_bindgen::prelude::*;

use crate::{
    convert::{Fields, FromJs, object},
    error::Error,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Registers a worker with what it can run. */
export interface RegisterWorker {
  /** Unique per process. */
  readonly workerName: string;
  /** The version of the program. */
  readonly workerVersion: string;
  /** `workflow`, `task` or `unified`. */
  readonly workerType: string;
  /** Id or slug of the organisation. */
  readonly orgId: string;
  /** For people. */
  readonly hostName: string;
  /** For people. */
  readonly processId: string;
  /** The workflows it runs. */
  readonly workflows: readonly WorkflowRegistration[];
  /** The tasks it runs. */
  readonly tasks: readonly TaskRegistration[];
}

/** A workflow that a worker runs. */
export interface WorkflowRegistration {
  /** The kind, by which executions name it. */
  readonly kind: string;
  /** For people. */
  readonly name: string;
  /** For people. */
  readonly description: string;
  /** How long an execution may take. */
  readonly timeoutSeconds?: number | undefined;
  /** Executions can be cancelled. */
  readonly cancellable: boolean;
  /** For people. */
  readonly tags: readonly string[];
  /** For example `1.0.0`. */
  readonly version: string;
  /** Hex SHA-256 of `kind:version`. */
  readonly contentHash: string;
  /** JSON Schema of the input, as JSON. */
  readonly inputSchema?: string | undefined;
  /** JSON Schema of the result, as JSON. */
  readonly outputSchema?: string | undefined;
  /** Extension: the queries that the worker answers itself. */
  readonly queryNames?: readonly string[] | undefined;
}

/** A task that a worker runs. */
export interface TaskRegistration {
  /** The kind, by which tasks name it. */
  readonly kind: string;
  /** For people. */
  readonly name: string;
  /** For people. */
  readonly description: string;
  /** How long a task may take. */
  readonly timeoutSeconds?: number | undefined;
  /** Tasks can be cancelled. */
  readonly cancellable: boolean;
  /** For people. */
  readonly tags: readonly string[];
  /** JSON Schema of the input, as JSON. */
  readonly inputSchema?: string | undefined;
  /** JSON Schema of the result, as JSON. */
  readonly outputSchema?: string | undefined;
}

/** A worker that was registered, or was not. */
export interface RegisteredWorker {
  /** A UUID. */
  readonly workerId: string;
  /** False: see `error`. */
  readonly success: boolean;
  /** Why it was not registered. */
  readonly error: string | undefined;
  /** Workflows that another worker registered differently. */
  readonly workflowConflicts: RegistrationConflict[];
  /** Tasks that another worker registered differently. */
  readonly taskConflicts: RegistrationConflict[];
}

/** Another worker registered the same kind differently. */
export interface RegistrationConflict {
  /** The kind. */
  readonly kind: string;
  /** What differs. */
  readonly reason: string;
  /** The other worker. */
  readonly existingWorkerId: string;
}

/** Says that a worker is alive. */
export interface SendHeartbeat {
  /** The id it got when it registered. */
  readonly workerId: string;
  /** The kinds of workflow it runs. */
  readonly workflowKinds: readonly string[];
  /** The kinds of task it runs. */
  readonly taskKinds: readonly string[];
}
"#;

#[wasm_bindgen]
extern "C" {
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "RegisterWorker")]
    pub type RegisterWorker;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "RegisteredWorker")]
    pub type RegisteredWorker;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "RegistrationConflict")]
    pub type RegistrationConflict;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "SendHeartbeat")]
    pub type SendHeartbeat;
}

/// The bytes of RegisterWorker.
#[wasm_bindgen(js_name = encodeRegisterWorker)]
pub fn encode_register_worker(request: &RegisterWorker) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = WorkerRegistrationRequest {
        worker_name: fields.get("workerName")?,
        worker_version: fields.get("workerVersion")?,
        worker_type: fields.get("workerType")?,
        org_id: fields.get("orgId")?,
        host_name: fields.get("hostName")?,
        process_id: fields.get("processId")?,
        workflows: fields.get("workflows")?,
        tasks: fields.get("tasks")?,
        ..WorkerRegistrationRequest::default()
    };
    Ok(request.encode_to_vec())
}

impl FromJs for WorkflowCapability {
    fn from_js(_: &str, value: &JsValue) -> Result<Self, Error> {
        let fields = Fields(value);
        Ok(Self {
            kind: fields.get("kind")?,
            name: fields.get("name")?,
            description: fields.get("description")?,
            timeout_seconds: fields.get("timeoutSeconds")?,
            cancellable: fields.get("cancellable")?,
            tags: fields.get("tags")?,
            version: fields.get("version")?,
            content_hash: fields.get("contentHash")?,
            input_schema: schema(&fields, "inputSchema")?,
            output_schema: schema(&fields, "outputSchema")?,
            query_names: fields.get::<Option<_>>("queryNames")?.unwrap_or_default(),
            ..Self::default()
        })
    }
}

impl FromJs for TaskCapability {
    fn from_js(_: &str, value: &JsValue) -> Result<Self, Error> {
        let fields = Fields(value);
        Ok(Self {
            kind: fields.get("kind")?,
            name: fields.get("name")?,
            description: fields.get("description")?,
            timeout_seconds: fields.get("timeoutSeconds")?,
            cancellable: fields.get("cancellable")?,
            tags: fields.get("tags")?,
            input_schema: schema(&fields, "inputSchema")?,
            output_schema: schema(&fields, "outputSchema")?,
            ..Self::default()
        })
    }
}

/// The bytes of a schema; none where there is none.
fn schema(fields: &Fields<'_>, name: &'static str) -> Result<Vec<u8>, Error> {
    Ok(fields.get::<Option<String>>(name)?.unwrap_or_default().into_bytes())
}

/// The answer of RegisterWorker.
#[wasm_bindgen(js_name = decodeRegisterWorker)]
pub fn decode_register_worker(bytes: &[u8]) -> Result<RegisteredWorker, Error> {
    let response = WorkerRegistrationResponse::decode(bytes)?;
    let workflow_conflicts: Array = response.workflow_conflicts.into_iter().map(workflow_conflict).collect();
    let task_conflicts: Array = response.task_conflicts.into_iter().map(task_conflict).collect();
    Ok(object(&[
        ("workerId", response.worker_id.into()),
        ("success", response.success.into()),
        ("error", response.error.into()),
        ("workflowConflicts", workflow_conflicts.into()),
        ("taskConflicts", task_conflicts.into()),
    ]))
}

fn workflow_conflict(conflict: WorkflowConflict) -> RegistrationConflict {
    registration_conflict(conflict.kind, conflict.reason, conflict.existing_worker_id)
}

fn task_conflict(conflict: TaskConflict) -> RegistrationConflict {
    registration_conflict(conflict.kind, conflict.reason, conflict.existing_worker_id)
}

fn registration_conflict(kind: String, reason: String, existing_worker_id: String) -> RegistrationConflict {
    object(&[("kind", kind.into()), ("reason", reason.into()), ("existingWorkerId", existing_worker_id.into())])
}

/// The bytes of SendHeartbeat.
#[wasm_bindgen(js_name = encodeSendHeartbeat)]
pub fn encode_send_heartbeat(request: &SendHeartbeat) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = WorkerHeartbeatRequest {
        worker_id: fields.get("workerId")?,
        workflow_kinds: fields.get("workflowKinds")?,
        task_kinds: fields.get("taskKinds")?,
        health_info: Vec::new(),
    };
    Ok(request.encode_to_vec())
}
