use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, Query, State},
};
use flovyn_orchestrator::{EventRecord, Key, PageMax};
use flovyn_protocol::{
    ids,
    messages::{
        StartWorkflowRequest, StartWorkflowResponse,
        ext::{DescribeWorkflowRequest, WorkflowDescription},
    },
    status::Status,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    RestError,
    call::call,
    caller::OrgCaller,
    json::{JsonBody, Time, payload, some},
};
use crate::{auth::Caller, server::App};

/// The body of `POST /workflow-executions`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartBody {
    kind: String,
    #[serde(default)]
    input: Option<Box<RawValue>>,
    queue: Option<String>,
    #[serde(alias = "priority_seconds")]
    priority_seconds: Option<i32>,
    version: Option<String>,
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
pub(super) struct Started {
    workflow_execution_id: String,
    status: String,
    kind: String,
    created_at: Time,
    idempotency_key_used: bool,
    idempotency_key_new: bool,
}

/// `POST /workflow-executions`: 201 for a new execution, 200 for the one already known under the idempotency key.
pub(super) async fn start(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    JsonBody(body): JsonBody<StartBody>,
) -> Result<(StatusCode, Json<Started>), RestError> {
    let request = StartWorkflowRequest {
        workflow_kind: body.kind,
        input: body.input.map(|input| input.get().as_bytes().to_vec()).unwrap_or_default(),
        metadata: body.metadata.into_iter().collect(),
        queue: body.queue.unwrap_or_default(),
        priority_seconds: body.priority_seconds.unwrap_or_default(),
        workflow_version: body.version,
        idempotency_key: body.idempotency_key,
        idempotency_key_ttl_seconds: body.idempotency_key_ttl,
        ..StartWorkflowRequest::default()
    };
    let started: StartWorkflowResponse =
        call(&app, &caller, "/flovyn.v1.WorkflowDispatch/StartWorkflow", &request).await?;
    let description = description(&app, &caller, started.workflow_execution_id).await?;
    let known = started.idempotency_key_used && !started.idempotency_key_new;
    let answer = Started {
        workflow_execution_id: description.workflow_execution_id,
        status: description.status,
        kind: description.kind,
        created_at: Time(description.created_at_ms),
        idempotency_key_used: started.idempotency_key_used,
        idempotency_key_new: started.idempotency_key_new,
    };
    Ok((if known { StatusCode::OK } else { StatusCode::CREATED }, Json(answer)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Described {
    id: String,
    kind: String,
    workflow_kind: String,
    queue: String,
    status: String,
    input: Box<RawValue>,
    output: Box<RawValue>,
    error: Option<String>,
    current_sequence: i32,
    workflow_version: Option<String>,
    parent_workflow_execution_id: Option<String>,
    worker_id: Option<String>,
    metadata: HashMap<String, String>,
    created_at: Time,
    started_at: Time,
    completed_at: Time,
    updated_at: Time,
}

/// `GET /workflow-executions/{id}`.
pub(super) async fn describe(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Described>, RestError> {
    let found = description(&app, &caller, id).await?;
    Ok(Json(Described {
        id: found.workflow_execution_id,
        workflow_kind: found.kind.clone(),
        kind: found.kind,
        queue: found.queue,
        status: found.status,
        input: payload(&found.input)?,
        output: payload(&found.output)?,
        error: some(found.error),
        current_sequence: found.current_sequence,
        workflow_version: some(found.workflow_version),
        parent_workflow_execution_id: some(found.parent_workflow_execution_id),
        worker_id: some(found.worker_id),
        metadata: found.metadata.into_iter().collect(),
        created_at: Time(found.created_at_ms),
        started_at: Time(found.started_at_ms),
        completed_at: Time(found.completed_at_ms),
        updated_at: Time(found.updated_at_ms),
    }))
}

async fn description(app: &App, caller: &Caller, id: String) -> Result<WorkflowDescription, Status> {
    let request = DescribeWorkflowRequest { workflow_execution_id: id };
    call(app, caller, "/flovyn.ext.v1.Extensions/DescribeWorkflow", &request).await
}

/// The query of `GET /workflow-executions/{id}/events`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventsQuery {
    #[serde(default)]
    since_sequence: i32,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Events {
    events: Vec<Event>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    sequence: i32,
    sequence_number: i32,
    event_type: String,
    timestamp: Time,
    created_at: Time,
    data: Box<RawValue>,
}

/// `GET /workflow-executions/{id}/events`: those after `sinceSequence`, at most `limit`, without it all of them.
pub(super) async fn events(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, id)): Path<(String, String)>,
    query: Result<Query<EventsQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Events>, RestError> {
    let Query(EventsQuery { mut since_sequence, limit }) =
        query.map_err(|error| Status::invalid_argument(error.body_text()))?;
    let id = ids::parse(&id).map_err(|error| Status::invalid_argument(error.to_string()))?;
    let key = Key { org_id: caller.principal.org_id, id };
    let mut wanted = limit.unwrap_or(usize::MAX);
    let mut events = Vec::new();
    // Page by page, so that a long history does not keep other requests from the database.
    while wanted > 0 {
        let page = page(&app, key, since_sequence, wanted).await?;
        let Some(last) = page.last() else { break };
        since_sequence = last.sequence;
        wanted -= page.len().min(wanted);
        for event in page {
            events.push(Event::try_from(event)?);
        }
    }
    Ok(Json(Events { events }))
}

async fn page(app: &App, key: Key, after_sequence: i32, wanted: usize) -> Result<Vec<EventRecord>, Status> {
    let read = app.host.run(move |rules, attempt| {
        if attempt.tx.execution(key)?.is_none() {
            return Err(Status::not_found(format!("no workflow execution {}", key.id)));
        }
        let max = PageMax { events: wanted.min(rules.polls.page_events_max), bytes: rules.polls.page_bytes_max };
        Ok(attempt.tx.events(key, after_sequence, max)?)
    });
    read.await
}

impl TryFrom<EventRecord> for Event {
    type Error = Status;

    fn try_from(event: EventRecord) -> Result<Self, Status> {
        let EventRecord { sequence, event_type, data, timestamp_ms } = event;
        Ok(Self {
            sequence,
            sequence_number: sequence,
            event_type,
            timestamp: Time(timestamp_ms),
            created_at: Time(timestamp_ms),
            data: payload(&data)?,
        })
    }
}
