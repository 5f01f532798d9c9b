//! Who works, and on what.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use flovyn_orchestrator::{DefinitionRecord, Key, Registration, Work, WorkerRecord};
use flovyn_protocol::{ids, status::Status};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    RestError,
    caller::OrgCaller,
    json::{Time, raw, some},
    listing::WindowQuery,
};
use crate::{clock, server::App};

#[derive(Serialize)]
pub(super) struct Workers {
    workers: Vec<Worker>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Worker {
    id: Uuid,
    name: String,
    /// ONLINE or OFFLINE.
    status: &'static str,
    last_seen_at: Time,
    /// What it said when it registered; `null` of one that only ever polled.
    registration: Option<Registered>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Registered {
    version: Option<String>,
    worker_type: Option<String>,
    host_name: Option<String>,
    process_id: Option<String>,
    registered_at: Time,
    workflow_kinds: BTreeSet<String>,
    task_kinds: BTreeSet<String>,
    /// By kind, of the workflows that have one.
    workflow_timeouts_ms: BTreeMap<String, i64>,
    metadata: Box<RawValue>,
}

/// `GET /workers`: by name, at most `limit` after the first `offset`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    query: Result<Query<WindowQuery>, QueryRejection>,
) -> Result<Json<Workers>, RestError> {
    let WindowQuery { limit, offset } = WindowQuery::read(query)?;
    let org_id = caller.principal.org_id;
    let reading = app.host.run(move |rules, attempt| {
        let workers = attempt.tx.workers(org_id, limit, offset)?;
        Ok(workers.into_iter().map(|worker| (rules.workers.offline_at_ms(&worker), worker)).collect::<Vec<_>>())
    });
    let workers = reading.await?.into_iter().map(Worker::try_from).collect::<Result<_, Status>>()?;
    Ok(Json(Workers { workers }))
}

/// `GET /workers/{id}`: a worker by its id or its name.
pub(super) async fn describe(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, id_or_name)): Path<(String, String)>,
) -> Result<Json<Worker>, RestError> {
    let org_id = caller.principal.org_id;
    let reading = app.host.run(move |rules, attempt| {
        let found = match (attempt.tx.worker_by_name(org_id, &id_or_name)?, ids::parse(&id_or_name)) {
            (None, Ok(id)) => attempt.tx.worker(Key { org_id, id })?,
            (named, _) => named,
        };
        let worker = found.ok_or_else(|| Status::not_found(format!("no worker {id_or_name:?}")))?;
        Ok((rules.workers.offline_at_ms(&worker), worker))
    });
    Ok(Json(Worker::try_from(reading.await?)?))
}

impl TryFrom<(i64, WorkerRecord)> for Worker {
    type Error = Status;

    fn try_from((offline_at_ms, worker): (i64, WorkerRecord)) -> Result<Self, Status> {
        Ok(Self {
            id: worker.key.id,
            name: worker.name,
            status: if clock::now_ms() < offline_at_ms { "ONLINE" } else { "OFFLINE" },
            last_seen_at: Time(worker.last_seen_ms),
            registration: worker.registration.map(Registered::try_from).transpose()?,
        })
    }
}

impl TryFrom<Registration> for Registered {
    type Error = Status;

    fn try_from(registration: Registration) -> Result<Self, Status> {
        Ok(Self {
            version: some(registration.version),
            worker_type: some(registration.worker_type),
            host_name: some(registration.host_name),
            process_id: some(registration.process_id),
            registered_at: Time(registration.registered_at_ms),
            workflow_kinds: registration.workflow_kinds,
            task_kinds: registration.task_kinds,
            workflow_timeouts_ms: registration.workflow_timeouts_ms,
            metadata: raw(registration.metadata.as_json())?,
        })
    }
}

#[derive(Serialize)]
pub(super) struct Definitions {
    definitions: Vec<Definition>,
}

/// What was registered last for a kind and version.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    kind: String,
    version: String,
    content_hash: Option<String>,
    name: Option<String>,
    description: Option<String>,
    tags: Vec<String>,
    timeout_seconds: Option<i32>,
    cancellable: bool,
    retry_policy: Box<RawValue>,
    input_schema: Box<RawValue>,
    output_schema: Box<RawValue>,
    metadata: Box<RawValue>,
    /// Who registered it last.
    worker_id: Uuid,
}

/// `GET /workflow-definitions`: by kind and version, at most `limit` after the first `offset`.
pub(super) async fn workflow_definitions(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    query: Result<Query<WindowQuery>, QueryRejection>,
) -> Result<Json<Definitions>, RestError> {
    definitions(&app, caller.principal.org_id, Work::Workflow, WindowQuery::read(query)?).await
}

/// `GET /task-definitions`: by kind and version, at most `limit` after the first `offset`.
pub(super) async fn task_definitions(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    query: Result<Query<WindowQuery>, QueryRejection>,
) -> Result<Json<Definitions>, RestError> {
    definitions(&app, caller.principal.org_id, Work::Task, WindowQuery::read(query)?).await
}

async fn definitions(
    app: &App,
    org_id: Uuid,
    work: Work,
    WindowQuery { limit, offset }: WindowQuery,
) -> Result<Json<Definitions>, RestError> {
    let reading = app.host.run(move |_, attempt| Ok(attempt.tx.definitions(org_id, work, limit, offset)?));
    let definitions = reading.await?.into_iter().map(Definition::try_from).collect::<Result<_, Status>>()?;
    Ok(Json(Definitions { definitions }))
}

impl TryFrom<DefinitionRecord> for Definition {
    type Error = Status;

    fn try_from(definition: DefinitionRecord) -> Result<Self, Status> {
        Ok(Self {
            kind: definition.kind,
            version: definition.version,
            content_hash: some(definition.content_hash),
            name: some(definition.name),
            description: some(definition.description),
            tags: definition.tags,
            timeout_seconds: definition.timeout_seconds,
            cancellable: definition.cancellable,
            retry_policy: raw(definition.retry_policy.as_json())?,
            input_schema: raw(definition.input_schema.as_json())?,
            output_schema: raw(definition.output_schema.as_json())?,
            metadata: raw(definition.metadata.as_json())?,
            worker_id: definition.worker_id,
        })
    }
}
