//! One task, of an execution or of none.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use flovyn_orchestrator::{Key, Lists, PageMax, PayloadSlot, TaskAttempt, TaskLog, TaskRecord, TaskState};
use flovyn_protocol::{Payload, messages::CancelTaskRequest, status::Status};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    RestError,
    call::call,
    caller::OrgCaller,
    json::{Time, raw},
    listing::{check_limit, parse, window_max},
    tasks::Task,
};
use crate::server::App;

/// Reads what belongs to a task, which must exist.
async fn read_of<T: Send + 'static>(
    app: &App,
    key: Key,
    read: impl FnOnce(&mut dyn Lists, TaskRecord) -> Result<T, Status> + Send + 'static,
) -> Result<T, Status> {
    let reading = app.host.run(move |_, attempt| match attempt.tx.task(key)? {
        Some(task) => read(attempt.tx, task),
        None => Err(Status::not_found(format!("no task execution {}", key.id))),
    });
    reading.await
}

/// The record of a task.
pub(super) async fn record(app: &App, key: Key) -> Result<TaskRecord, Status> {
    read_of(app, key, |_, task| Ok(task)).await
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Described {
    #[serde(flatten)]
    task: Task,
    input: Box<RawValue>,
    output: Box<RawValue>,
    metadata: BTreeMap<String, String>,
}

/// `GET /task-executions/{id}`.
pub(super) async fn describe(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Described>, RestError> {
    let key = Key { org_id: caller.principal.org_id, id: parse(&id)? };
    let reading = read_of(&app, key, move |tx, task| {
        let slots = [PayloadSlot::TaskInput, PayloadSlot::TaskOutput, PayloadSlot::HeartbeatDetails];
        Ok((task, slots.map(|slot| tx.payload(key, slot))))
    });
    let (mut task, [input, output, details]) = reading.await?;
    let metadata = std::mem::take(&mut task.metadata);
    let output = match (output.map_err(Status::from)?, task.execution_id) {
        (None, Some(execution)) if task.state == TaskState::Completed => in_history(&app, execution, key).await?,
        (output, _) => output.unwrap_or_default(),
    };
    let (input, details) = (input.map_err(Status::from)?.unwrap_or_default(), details.map_err(Status::from)?);
    Ok(Json(Described {
        task: Task::new(task, &details.unwrap_or_default())?,
        input: raw(input.as_json())?,
        output: raw(output.as_json())?,
        metadata,
    }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cancelled {
    task_execution_id: Uuid,
    status: &'static str,
}

/// `DELETE /task-executions/{id}`: cancels a task. What is known of it is kept, and one that has ended stays as it is.
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Cancelled>, RestError> {
    let key = Key { org_id: caller.principal.org_id, id: parse(&id)? };
    let request = CancelTaskRequest { task_execution_id: id };
    let _: () = call(&app, &caller, "/flovyn.v1.TaskExecution/CancelTask", &request).await?;
    let task = record(&app, key).await?;
    Ok(Json(Cancelled { task_execution_id: key.id, status: task.state.status() }))
}

/// What TASK_COMPLETED says of a task.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Completion {
    task_execution_id: String,
    output: Box<RawValue>,
}

/// The output of a task of an execution, which is kept in its history alone.
async fn in_history(app: &App, execution: Uuid, key: Key) -> Result<Payload, Status> {
    let (execution, id) = (Key { id: execution, ..key }, key.id.to_string());
    let mut after_sequence = 0;
    // Page by page, so that a long history does not keep other requests from the database.
    loop {
        let reading = app.host.run(move |rules, attempt| {
            let max = PageMax { events: rules.polls.page_events_max, bytes: rules.polls.page_bytes_max };
            Ok(attempt.tx.events(execution, after_sequence, max)?)
        });
        let page = reading.await?;
        let Some(last) = page.last() else { return Ok(Payload::null()) };
        after_sequence = last.sequence;
        let completions = page.iter().filter(|event| event.event_type == "TASK_COMPLETED");
        let mut completions = completions.filter_map(|event| serde_json::from_slice::<Completion>(&event.data).ok());
        if let Some(found) = completions.find(|completion| completion.task_execution_id == id) {
            return Payload::from_json(found.output.get().to_owned())
                .map_err(|_| Status::internal("a stored payload is not JSON"));
        }
    }
}

#[derive(Serialize)]
pub(super) struct Attempts {
    attempts: Vec<Attempt>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attempt {
    /// From 1.
    attempt: i32,
    /// RUNNING, COMPLETED, FAILED or CANCELLED.
    status: &'static str,
    /// As the worker calls itself.
    worker_id: Option<String>,
    started_at: Time,
    ended_at: Time,
    error: Option<String>,
}

/// `GET /task-executions/{id}/attempts`: the oldest first, the one under way included. Of very many the first are
/// forgotten.
pub(super) async fn attempts(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Attempts>, RestError> {
    let key = Key { org_id: caller.principal.org_id, id: parse(&id)? };
    let (mut past, mut task) = read_of(&app, key, move |tx, task| Ok((tx.task_attempts(key)?, task))).await?;
    past.extend(task.last_attempt.take());
    let attempts = past.into_iter().map(Attempt::from).chain(under_way(task)).collect();
    Ok(Json(Attempts { attempts }))
}

impl From<TaskAttempt> for Attempt {
    fn from(attempt: TaskAttempt) -> Self {
        Self {
            attempt: attempt.number,
            status: attempt.end.status(),
            error: attempt.end.error().map(str::to_owned),
            worker_id: named(attempt.worker),
            started_at: Time(attempt.started_at_ms),
            ended_at: Time(attempt.ended_at_ms),
        }
    }
}

fn under_way(task: TaskRecord) -> Option<Attempt> {
    let status = task.state.status();
    let TaskState::Running(claim) = task.state else { return None };
    Some(Attempt {
        attempt: task.execution_count,
        status,
        worker_id: named(claim.worker),
        started_at: Time(claim.given_at_ms),
        ended_at: Time(0),
        error: None,
    })
}

fn named(worker: String) -> Option<String> {
    Some(worker).filter(|worker| !worker.is_empty())
}

/// The query of `GET /task-executions/{id}/logs`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogsQuery {
    #[serde(default)]
    since_sequence: i32,
    #[serde(default = "window_max")]
    limit: usize,
}

#[derive(Serialize)]
pub(super) struct Logs {
    logs: Vec<Log>,
}

#[derive(Serialize)]
struct Log {
    /// From 1, without gaps.
    sequence: i32,
    /// The attempt that logged it.
    attempt: i32,
    level: String,
    message: String,
    timestamp: Time,
}

/// `GET /task-executions/{id}/logs`: the lines after `sinceSequence` in the order they came, at most `limit`.
pub(super) async fn logs(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, id)): Path<(String, String)>,
    query: Result<Query<LogsQuery>, QueryRejection>,
) -> Result<Json<Logs>, RestError> {
    let Query(LogsQuery { since_sequence, limit }) =
        query.map_err(|error| Status::invalid_argument(error.body_text()))?;
    check_limit(limit)?;
    let after = since_sequence.max(0);
    let key = Key { org_id: caller.principal.org_id, id: parse(&id)? };
    let logs = read_of(&app, key, move |tx, _| Ok(tx.task_logs(key, after, limit)?)).await?;
    let sequences = after.saturating_add(1)..;
    Ok(Json(Logs { logs: sequences.zip(logs).map(Log::from).collect() }))
}

impl From<(i32, TaskLog)> for Log {
    fn from((sequence, log): (i32, TaskLog)) -> Self {
        let TaskLog { attempt, level, message, timestamp_ms } = log;
        Self { sequence, attempt, level, message, timestamp: Time(timestamp_ms) }
    }
}
