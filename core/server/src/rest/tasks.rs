//! Lists of tasks, and making those that belong to no execution.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use flovyn_orchestrator::{Key, PayloadSlot, StoreError, TaskFilter, TaskRecord, Tx};
use flovyn_protocol::{
    Payload,
    messages::{SubmitTaskRequest, SubmitTaskResponse},
    status::Status,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    RestError,
    call::call,
    caller::OrgCaller,
    json::{JsonBody, Time, raw},
    listing::{WindowQuery, check_limit, parse, read_of},
    task,
};
use crate::server::App;

/// What heartbeats said may be long, and a list is read while other requests wait for the database.
const DETAILS_BYTES_MAX: usize = 1024 * 1024;

/// A task without its input and output.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Task {
    id: Uuid,
    kind: String,
    queue: String,
    pub(super) status: &'static str,
    workflow_execution_id: Option<Uuid>,
    execution_count: i32,
    max_retries: i32,
    /// As the task says, from 0 to 1.
    progress: Option<Box<RawValue>>,
    progress_details: Option<String>,
    /// Of the last failed attempt.
    error: Option<String>,
    stack_trace: Option<String>,
    /// What the last heartbeat said that said anything.
    heartbeat_details: Box<RawValue>,
    created_at: Time,
    updated_at: Time,
}

impl Task {
    pub(super) fn new(task: TaskRecord, heartbeat_details: &Payload) -> Result<Self, Status> {
        let (progress, progress_details) = match task.progress {
            Some(progress) => (Some(raw(&progress.value)?), Some(progress.details).filter(|text| !text.is_empty())),
            None => (None, None),
        };
        Ok(Self {
            id: task.key.id,
            kind: task.kind,
            queue: task.queue,
            status: task.state.status(),
            workflow_execution_id: task.execution_id,
            execution_count: task.execution_count,
            max_retries: task.max_retries,
            progress,
            progress_details,
            error: task.error,
            stack_trace: task.stack_trace,
            heartbeat_details: raw(heartbeat_details.as_json())?,
            created_at: Time(task.created_at_ms),
            updated_at: Time(task.updated_at_ms),
        })
    }
}

type WithDetails = (TaskRecord, Payload);

/// As many of the first tasks as the bound of a list has room for with what their heartbeats said; one at least.
fn with_details(tx: &mut dyn Tx, tasks: Vec<TaskRecord>) -> Result<Vec<WithDetails>, StoreError> {
    let mut listed = Vec::with_capacity(tasks.len());
    let mut bytes = 0;
    for task in tasks {
        let details = tx.payload(task.key, PayloadSlot::HeartbeatDetails)?.unwrap_or_default();
        bytes += details.as_json().len();
        if bytes > DETAILS_BYTES_MAX && !listed.is_empty() {
            break;
        }
        listed.push((task, details));
    }
    Ok(listed)
}

fn shown(tasks: Vec<WithDetails>) -> Result<Vec<Task>, Status> {
    tasks.into_iter().map(|(task, details)| Task::new(task, &details)).collect()
}

#[derive(Serialize)]
pub(super) struct Tasks {
    tasks: Vec<Task>,
}

/// `GET /workflow-executions/{id}/tasks`: the oldest first, at most `limit` after the first `offset`; fewer where heartbeats
/// said much, so the next `offset` is what came before and what is here.
pub(super) async fn of_execution(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, id)): Path<(String, String)>,
    query: Result<Query<WindowQuery>, QueryRejection>,
) -> Result<Json<Tasks>, RestError> {
    let WindowQuery { limit, offset } = WindowQuery::read(query)?;
    let key = Key { org_id: caller.principal.org_id, id: parse(&id)? };
    let tasks = read_of(&app, key, move |tx| {
        let tasks = tx.execution_tasks(key, limit, offset)?;
        with_details(tx, tasks)
    });
    Ok(Json(Tasks { tasks: shown(tasks.await?)? }))
}

/// The query of `GET /task-executions`.
#[derive(Deserialize)]
pub(super) struct ListQuery {
    status: Option<String>,
    kind: Option<String>,
    queue: Option<String>,
    #[serde(default = "list_limit")]
    limit: usize,
    #[serde(default)]
    offset: usize,
}

/// What a list has without `limit`.
const fn list_limit() -> usize {
    100
}

const STATUSES: [&str; 5] = ["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"];

impl ListQuery {
    fn filter(self) -> Result<TaskFilter, Status> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let status = given(self.status).map(|status| status.to_ascii_uppercase());
        if let Some(got) = status.as_deref().filter(|status| !STATUSES.contains(status)) {
            let statuses = STATUSES.join(", ");
            return Err(Status::invalid_argument(format!("status: expected one of {statuses}, got {got:?}")));
        }
        Ok(TaskFilter { status, kind: given(self.kind), queue: given(self.queue) })
    }
}

#[derive(Serialize)]
pub(super) struct Listed {
    tasks: Vec<Task>,
    total: i64,
    limit: usize,
    offset: usize,
}

/// `GET /task-executions`: the tasks that belong to no execution, the newest first; fewer than `limit` where heartbeats said
/// much.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Listed>, RestError> {
    let Query(query) = query.map_err(|error| Status::invalid_argument(error.body_text()))?;
    let (limit, offset) = (query.limit, query.offset);
    check_limit(limit)?;
    let (org_id, filter) = (caller.principal.org_id, query.filter()?);
    let reading = app.host.run(move |_, attempt| {
        let found = attempt.tx.standalone_tasks(org_id, &filter, limit, offset)?;
        Ok((with_details(attempt.tx, found.tasks)?, found.total))
    });
    let (tasks, total) = reading.await?;
    Ok(Json(Listed { tasks: shown(tasks)?, total, limit, offset }))
}

/// The body of `POST /task-executions`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubmitBody {
    kind: String,
    #[serde(default)]
    input: Option<Box<RawValue>>,
    queue: Option<String>,
    #[serde(alias = "max_retries")]
    max_retries: Option<i32>,
    #[serde(alias = "timeout_ms")]
    timeout_ms: Option<i64>,
    #[serde(alias = "idempotency_key")]
    idempotency_key: Option<String>,
    /// In seconds.
    #[serde(rename = "idempotencyKeyTTL", alias = "idempotency_key_ttl")]
    idempotency_key_ttl: Option<i64>,
    #[serde(default)]
    metadata: HashMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Submitted {
    task_execution_id: Uuid,
    status: &'static str,
    kind: String,
    created_at: Time,
    idempotency_key_used: bool,
    idempotency_key_new: bool,
}

/// `POST /task-executions`: 201 for a new task, 200 for the one already known under the idempotency key.
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    JsonBody(body): JsonBody<SubmitBody>,
) -> Result<(StatusCode, Json<Submitted>), RestError> {
    let request = SubmitTaskRequest {
        kind: body.kind,
        input: body.input.map(|input| input.get().as_bytes().to_vec()).unwrap_or_default(),
        queue: body.queue.unwrap_or_default(),
        max_retries: body.max_retries.unwrap_or_default(),
        timeout_ms: body.timeout_ms.unwrap_or_default(),
        idempotency_key: body.idempotency_key,
        idempotency_key_ttl_seconds: body.idempotency_key_ttl,
        metadata: body.metadata.into_iter().collect(),
        ..SubmitTaskRequest::default()
    };
    let answer: SubmitTaskResponse = call(&app, &caller, "/flovyn.v1.TaskExecution/SubmitTask", &request).await?;
    let key = Key { org_id: caller.principal.org_id, id: parse(&answer.task_execution_id)? };
    let task = task::record(&app, key).await?;
    let known = answer.idempotency_key_used && !answer.idempotency_key_new;
    let submitted = Submitted {
        task_execution_id: key.id,
        status: task.state.status(),
        kind: task.kind,
        created_at: Time(task.created_at_ms),
        idempotency_key_used: answer.idempotency_key_used,
        idempotency_key_new: answer.idempotency_key_new,
    };
    Ok((if known { StatusCode::OK } else { StatusCode::CREATED }, Json(submitted)))
}
