//! What tasks stream while they run, and who reads it.

use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use flovyn_protocol::{
    Payload,
    messages::{
        StreamEventType, StreamTaskDataRequest, StreamTaskDataResponse, StreamedData,
        ext::{ReadStreamRequest, ReadStreamResponse, StreamEvent},
    },
};
use uuid::Uuid;

use crate::{
    Answer, Status, border,
    context::{Caller, Ctx, not_found, reply},
    execution,
    store::{Key, PageMax, StreamRecord, TaskRecord, TaskState, WaitKey},
    tasks,
};

/// StreamTaskData: what an attempt streams goes to whoever reads, and is kept for a while. Acknowledged unless the
/// attempt is over.
pub(crate) fn write(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: StreamTaskDataRequest) -> Result<Answer, Status> {
    let StreamTaskDataRequest { task_execution_id, sequence, r#type, payload, timestamp_ms, more, .. } = request;
    let first = StreamedData { sequence, r#type, payload, timestamp_ms };
    let more = if caller.extended { more } else { Vec::new() };
    border::count("more", more.len(), ctx.config.limits.reports_per_call_max)?;
    let events: Vec<_> = [first].into_iter().chain(more).collect();
    for event in &events {
        check(ctx, event)?;
    }
    let Some(task) = tasks::attempt_of(ctx, caller, &task_execution_id)? else {
        return Ok(reply(&StreamTaskDataResponse { acknowledged: false }));
    };
    let key = stream_of(&task);
    for event in events {
        // Others always send 0, and each of their calls counts.
        if let Some(token) = caller.claim.filter(|_| event.sequence > 0)
            && !ctx.tx.advance_stream(key, task.key.id, token, event.sequence, ctx.now_ms)
        {
            continue;
        }
        push(ctx, key, Some(task.key.id), event.r#type, event.payload, event.timestamp_ms);
    }
    Ok(reply(&StreamTaskDataResponse { acknowledged: true }))
}

fn check(ctx: &Ctx<'_>, event: &StreamedData) -> Result<(), Status> {
    match StreamEventType::try_from(event.r#type) {
        Ok(StreamEventType::Unspecified) | Err(_) => {
            return Err(Status::invalid_argument(format!(
                "type: expected TOKEN, PROGRESS, DATA or ERROR, got the number {}",
                event.r#type
            )));
        }
        Ok(_) => {}
    }
    border::at_most("payload", event.payload.len(), ctx.config.limits.stream_payload_bytes_max)?;
    match Payload::from_bytes(event.payload.as_bytes()) {
        Ok(_) => Ok(()),
        Err(error) => Err(Status::invalid_argument(format!("payload: {error}"))),
    }
}

/// ReadStream: parks until there is something to read, or nothing more to come.
pub(crate) fn read(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: ReadStreamRequest) -> Result<Answer, Status> {
    let wait_ms = border::not_negative("timeout_ms", request.timeout_ms)?.min(ctx.config.polls.long_wait_ms_max);
    let after = border::not_negative("after_sequence", request.after_sequence)?;
    let (events_max, bytes) = (ctx.config.polls.page_events_max, ctx.config.polls.page_bytes_max);
    let events = match border::not_negative("limit", request.limit.into())? {
        0 => events_max,
        limit => usize::try_from(limit).unwrap_or(events_max).min(events_max),
    };
    let Source { key, task, ended } = source(ctx, caller, &request)?;
    if !ended {
        ctx.tx.open_stream(key, ctx.now_ms);
    }
    let events = ctx.tx.stream(key, task, after, PageMax { events, bytes });
    let read = events.last().map_or(after, |last| last.sequence);
    let end = ended && ctx.tx.stream(key, task, read, PageMax { events: 1, bytes }).is_empty();
    if !events.is_empty() || end {
        return Ok(reply(&ReadStreamResponse { events: events.into_iter().map(message).collect(), end }));
    }
    let keys = vec![WaitKey::stream(key), WaitKey::execution(key)];
    Ok(caller.park_or(ctx, wait_ms, keys, &ReadStreamResponse::default()))
}

struct Source {
    key: Key,
    task: Option<Uuid>,
    ended: bool,
}

fn source(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: &ReadStreamRequest) -> Result<Source, Status> {
    match (request.workflow_execution_id.as_str(), request.task_execution_id.as_str()) {
        (id, "") => {
            let key = caller.key(border::id("workflow_execution_id", id)?);
            let ended = execution::load(ctx, key)?.state.is_ended();
            Ok(Source { key, task: None, ended })
        }
        ("", id) => {
            let id = border::id("task_execution_id", id)?;
            let task = ctx.tx.task(caller.key(id))?.ok_or_else(|| not_found("task execution", id))?;
            Ok(Source { key: stream_of(&task), task: Some(id), ended: task.state.is_ended() })
        }
        _ => Err(Status::invalid_argument(
            "expected either workflow_execution_id or task_execution_id, got both: a stream is of one of the two",
        )),
    }
}

fn message(record: StreamRecord) -> StreamEvent {
    StreamEvent {
        sequence: record.sequence,
        task_execution_id: record.task_id.map(|id| id.to_string()).unwrap_or_default(),
        r#type: record.event_type,
        payload: record.payload,
        timestamp_ms: record.timestamp_ms,
    }
}

/// How far a task has come, for those who read.
pub(crate) fn progressed(ctx: &mut Ctx<'_>, task: &TaskRecord, progress: &str, details: &str) -> Result<(), Status> {
    let details = match details {
        "" => String::new(),
        details => format!(",\"details\":{}", quoted(details)?),
    };
    let payload = format!("{{\"type\":\"progress\",\"progress\":{progress}{details}}}");
    push(ctx, stream_of(task), Some(task.key.id), StreamEventType::Progress.into(), payload, ctx.now_ms);
    Ok(())
}

/// A task has begun an attempt or ended, for those who read.
pub(crate) fn task_changed(ctx: &mut Ctx<'_>, task: &TaskRecord) -> Result<(), Status> {
    let event = match task.state {
        TaskState::Running(_) => "TASK_STARTED",
        TaskState::Completed => "TASK_COMPLETED",
        TaskState::Failed => "TASK_FAILED",
        TaskState::Cancelled => "TASK_CANCELLED",
        TaskState::Ready | TaskState::BackingOff { .. } => "TASK_RETRYING",
    };
    let key = stream_of(task);
    if !ctx.tx.is_stream_open(key) {
        return Ok(());
    }
    let (id, kind) = (task.key.id, quoted(&task.kind)?);
    let data = format!("{{\"taskExecutionId\":\"{id}\",\"kind\":{kind},\"attempt\":{}}}", task.execution_count);
    changed(ctx, key, Some(id), event, &data);
    Ok(())
}

/// An event was added to a history, for those who read. Those about tasks are told with the tasks.
pub(crate) fn history_grew(ctx: &mut Ctx<'_>, execution: Key, event_type: &str, sequence: i32) {
    let told_with_tasks = event_type.starts_with("TASK_") && event_type != "TASK_SCHEDULED";
    if !told_with_tasks && ctx.tx.is_stream_open(execution) {
        changed(ctx, execution, None, event_type, &format!("{{\"sequence\":{sequence}}}"));
    }
}

fn changed(ctx: &mut Ctx<'_>, key: Key, task: Option<Uuid>, event: &str, data: &str) {
    let now_ms = ctx.now_ms;
    let payload = format!("{{\"type\":\"Event\",\"event\":\"{event}\",\"data\":{data},\"timestampMs\":{now_ms}}}");
    push(ctx, key, task, StreamEventType::Data.into(), payload, now_ms);
}

fn push(ctx: &mut Ctx<'_>, key: Key, task_id: Option<Uuid>, event_type: i32, payload: String, timestamp_ms: i64) {
    ctx.tx.push_stream(key, StreamRecord { sequence: 0, task_id, event_type, payload, timestamp_ms }, ctx.now_ms);
    ctx.tx.wake(WaitKey::stream(key).into());
}

fn stream_of(task: &TaskRecord) -> Key {
    Key { id: task.execution_id.unwrap_or(task.key.id), ..task.key }
}

fn quoted(text: &str) -> Result<String, Status> {
    serde_json::to_string(text).map_err(|_| Status::internal("a text cannot be written as JSON"))
}
