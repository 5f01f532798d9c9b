use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use flovyn_orchestrator::{Execution, Key, StoreError, Tx};
use flovyn_protocol::{
    ids,
    messages::{
        QueryWorkflowRequest, QueryWorkflowResponse,
        ext::{ListWorkflowsRequest, ListWorkflowsResponse, WorkflowDescription},
    },
    status::Status,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    RestError,
    call::call,
    caller::OrgCaller,
    json::{Time, payload, some},
};
use crate::server::App;

/// The query of `GET /workflow-executions`.
#[derive(Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    status: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    queue: String,
    limit: Option<i32>,
    #[serde(default)]
    offset: i32,
}

#[derive(Serialize)]
pub(super) struct Listed {
    workflows: Vec<Summary>,
    total: i64,
    limit: i32,
    offset: i32,
}

/// An execution without what only its history says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    id: String,
    kind: String,
    workflow_kind: String,
    queue: String,
    status: String,
    current_sequence: i32,
    workflow_version: Option<String>,
    parent_workflow_execution_id: Option<String>,
    worker_id: Option<String>,
    created_at: Time,
    started_at: Time,
    completed_at: Time,
    updated_at: Time,
}

/// What a list has without `limit`.
const LIMIT: i32 = 100;

/// `GET /workflow-executions`: the newest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Listed>, RestError> {
    let Query(query) = query.map_err(|error| Status::invalid_argument(error.body_text()))?;
    let (limit, offset) = (query.limit.unwrap_or(LIMIT), query.offset);
    let request = ListWorkflowsRequest {
        status: query.status.to_ascii_uppercase(),
        kind: query.kind,
        queue: query.queue,
        // There, 0 means the default.
        limit: if limit == 0 { 1 } else { limit },
        offset,
    };
    let found: ListWorkflowsResponse = call(&app, &caller, "/flovyn.ext.v1.Extensions/ListWorkflows", &request).await?;
    let taken = if limit == 0 { 0 } else { usize::MAX };
    let workflows = found.workflows.into_iter().take(taken).map(Summary::from).collect();
    Ok(Json(Listed { workflows, total: found.total, limit, offset }))
}

impl From<WorkflowDescription> for Summary {
    fn from(found: WorkflowDescription) -> Self {
        Self {
            id: found.workflow_execution_id,
            workflow_kind: found.kind.clone(),
            kind: found.kind,
            queue: found.queue,
            status: found.status,
            current_sequence: found.current_sequence,
            workflow_version: some(found.workflow_version),
            parent_workflow_execution_id: some(found.parent_workflow_execution_id),
            worker_id: some(found.worker_id),
            created_at: Time(found.created_at_ms),
            started_at: Time(found.started_at_ms),
            completed_at: Time(found.completed_at_ms),
            updated_at: Time(found.updated_at_ms),
        }
    }
}

#[derive(Serialize)]
pub(super) struct StateAnswer {
    state: Box<RawValue>,
}

/// `GET /workflow-executions/{id}/state`.
pub(super) async fn state(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<StateAnswer>, RestError> {
    let request = QueryWorkflowRequest {
        workflow_execution_id: id,
        query_name: "__state".to_owned(),
        ..QueryWorkflowRequest::default()
    };
    let found: QueryWorkflowResponse = call(&app, &caller, "/flovyn.v1.WorkflowQuery/QueryWorkflow", &request).await?;
    Ok(Json(StateAnswer { state: payload(&found.result)? }))
}

/// Which part of a list is wanted. Where records are long there may be fewer than `limit`: the next `offset` is what came before
/// and what is here.
#[derive(Deserialize)]
pub(super) struct WindowQuery {
    #[serde(default = "window_max")]
    pub(super) limit: usize,
    #[serde(default)]
    pub(super) offset: usize,
}

/// The most that one answer has, and what it has without `limit`.
pub(super) const fn window_max() -> usize {
    1_000
}

impl WindowQuery {
    pub(super) fn read(query: Result<Query<Self>, QueryRejection>) -> Result<Self, Status> {
        let Query(window) = query.map_err(|error| Status::invalid_argument(error.body_text()))?;
        check_limit(window.limit)?;
        Ok(window)
    }
}

pub(super) fn check_limit(limit: usize) -> Result<(), Status> {
    match window_max() {
        max if limit > max => Err(Status::invalid_argument(format!("limit: expected at most {max}, got {limit}"))),
        _ => Ok(()),
    }
}

#[derive(Serialize)]
pub(super) struct Children {
    children: Vec<Child>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Child {
    id: Uuid,
    /// What its parent calls it.
    name: Option<String>,
    kind: String,
    workflow_kind: String,
    queue: String,
    status: &'static str,
    created_at: Time,
    started_at: Time,
    completed_at: Time,
}

/// `GET /workflow-executions/{id}/children`: the oldest first, at most `limit` after the first `offset`.
pub(super) async fn children(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, id)): Path<(String, String)>,
    query: Result<Query<WindowQuery>, QueryRejection>,
) -> Result<Json<Children>, RestError> {
    let WindowQuery { limit, offset } = WindowQuery::read(query)?;
    let key = Key { org_id: caller.principal.org_id, id: parse(&id)? };
    let found = read_of(&app, key, move |tx| tx.children(key, limit, offset)).await?;
    Ok(Json(Children { children: found.into_iter().map(Child::from).collect() }))
}

impl From<Execution> for Child {
    fn from(child: Execution) -> Self {
        Self {
            id: child.key.id,
            status: child.status(),
            name: child.parent.map(|parent| parent.child_name),
            workflow_kind: child.kind.clone(),
            kind: child.kind,
            queue: child.queue,
            created_at: Time(child.created_at_ms),
            started_at: Time(child.started_at_ms.unwrap_or_default()),
            completed_at: Time(child.ended_at_ms.unwrap_or_default()),
        }
    }
}

/// The id in a path.
pub(super) fn parse(id: &str) -> Result<Uuid, Status> {
    ids::parse(id).map_err(|error| Status::invalid_argument(error.to_string()))
}

/// Reads what belongs to an execution, which must exist.
pub(super) async fn read_of<T: Send + 'static>(
    app: &App,
    key: Key,
    read: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Status> {
    let reading = app.host.run(move |_, attempt| {
        if attempt.tx.execution(key)?.is_none() {
            return Err(Status::not_found(format!("no workflow execution {}", key.id)));
        }
        Ok(read(attempt.tx)?)
    });
    reading.await
}
