//! What a worker says of itself.

use flovyn_protocol::messages::{
    TaskCapability, WorkerHeartbeatRequest, WorkerRegistrationRequest, WorkerRegistrationResponse, WorkflowCapability,
};
use prost::Message;
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use super::encode;
use crate::{convert::to_js, error::Error};

/// Registers a worker with what it can run.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct RegisterWorker {
    /// Unique per process.
    pub worker_name: String,
    /// The version of the program.
    pub worker_version: String,
    /// `workflow`, `task` or `unified`.
    pub worker_type: String,
    /// Id or slug of the organisation.
    pub org_id: String,
    /// For people.
    pub host_name: String,
    /// For people.
    pub process_id: String,
    /// The workflows it runs.
    pub workflows: Vec<WorkflowRegistration>,
    /// The tasks it runs.
    pub tasks: Vec<TaskRegistration>,
}

/// A workflow that a worker runs.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowRegistration {
    /// The kind, by which executions name it.
    pub kind: String,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// How long an execution may take.
    #[tsify(optional, type = "number | undefined")]
    pub timeout_seconds: Option<i32>,
    /// Executions can be cancelled.
    pub cancellable: bool,
    /// For people.
    pub tags: Vec<String>,
    /// For example `1.0.0`.
    pub version: String,
    /// Hex SHA-256 of `kind:version`.
    pub content_hash: String,
}

/// A task that a worker runs.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct TaskRegistration {
    /// The kind, by which tasks name it.
    pub kind: String,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// How long a task may take.
    #[tsify(optional, type = "number | undefined")]
    pub timeout_seconds: Option<i32>,
    /// Tasks can be cancelled.
    pub cancellable: bool,
    /// For people.
    pub tags: Vec<String>,
}

/// The bytes of RegisterWorker.
#[wasm_bindgen(js_name = encodeRegisterWorker)]
pub fn encode_register_worker(request: Ts<RegisterWorker>) -> Result<Vec<u8>, Error> {
    encode::<_, WorkerRegistrationRequest>(request)
}

impl From<RegisterWorker> for WorkerRegistrationRequest {
    fn from(request: RegisterWorker) -> Self {
        Self {
            worker_name: request.worker_name,
            worker_version: request.worker_version,
            worker_type: request.worker_type,
            org_id: request.org_id,
            host_name: request.host_name,
            process_id: request.process_id,
            workflows: request.workflows.into_iter().map(WorkflowCapability::from).collect(),
            tasks: request.tasks.into_iter().map(TaskCapability::from).collect(),
            ..Self::default()
        }
    }
}

impl From<WorkflowRegistration> for WorkflowCapability {
    fn from(workflow: WorkflowRegistration) -> Self {
        Self {
            kind: workflow.kind,
            name: workflow.name,
            description: workflow.description,
            timeout_seconds: workflow.timeout_seconds,
            cancellable: workflow.cancellable,
            tags: workflow.tags,
            version: workflow.version,
            content_hash: workflow.content_hash,
            ..Self::default()
        }
    }
}

impl From<TaskRegistration> for TaskCapability {
    fn from(task: TaskRegistration) -> Self {
        Self {
            kind: task.kind,
            name: task.name,
            description: task.description,
            timeout_seconds: task.timeout_seconds,
            cancellable: task.cancellable,
            tags: task.tags,
            ..Self::default()
        }
    }
}

/// A worker that was registered, or was not.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredWorker {
    /// A UUID.
    pub worker_id: String,
    /// False: see `error`.
    pub success: bool,
    /// Why it was not registered.
    pub error: Option<String>,
    /// Workflows that another worker registered differently.
    pub workflow_conflicts: Vec<RegistrationConflict>,
    /// Tasks that another worker registered differently.
    pub task_conflicts: Vec<RegistrationConflict>,
}

/// Another worker registered the same kind differently.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationConflict {
    /// The kind.
    pub kind: String,
    /// What differs.
    pub reason: String,
    /// The other worker.
    pub existing_worker_id: String,
}

/// The answer of RegisterWorker.
#[wasm_bindgen(js_name = decodeRegisterWorker)]
pub fn decode_register_worker(bytes: &[u8]) -> Result<Ts<RegisteredWorker>, Error> {
    let response = WorkerRegistrationResponse::decode(bytes)?;
    let conflict = |kind, reason, existing_worker_id| RegistrationConflict { kind, reason, existing_worker_id };
    let workflow_conflicts = response.workflow_conflicts.into_iter();
    let task_conflicts = response.task_conflicts.into_iter();
    to_js(&RegisteredWorker {
        worker_id: response.worker_id,
        success: response.success,
        error: response.error,
        workflow_conflicts: workflow_conflicts.map(|c| conflict(c.kind, c.reason, c.existing_worker_id)).collect(),
        task_conflicts: task_conflicts.map(|c| conflict(c.kind, c.reason, c.existing_worker_id)).collect(),
    })
}

/// Says that a worker is alive.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct SendHeartbeat {
    /// The id it got when it registered.
    pub worker_id: String,
    /// The kinds of workflow it runs.
    pub workflow_kinds: Vec<String>,
    /// The kinds of task it runs.
    pub task_kinds: Vec<String>,
}

/// The bytes of SendHeartbeat.
#[wasm_bindgen(js_name = encodeSendHeartbeat)]
pub fn encode_send_heartbeat(request: Ts<SendHeartbeat>) -> Result<Vec<u8>, Error> {
    encode::<_, WorkerHeartbeatRequest>(request)
}

impl From<SendHeartbeat> for WorkerHeartbeatRequest {
    fn from(request: SendHeartbeat) -> Self {
        Self {
            worker_id: request.worker_id,
            workflow_kinds: request.workflow_kinds,
            task_kinds: request.task_kinds,
            health_info: Vec::new(),
        }
    }
}
