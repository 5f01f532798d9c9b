//! What tasks stream, as server-sent events.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Path, State},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use flovyn_protocol::{
    messages::{
        StreamEventType,
        ext::{ReadStreamRequest, ReadStreamResponse, StreamEvent},
    },
    status::Status,
};
use futures_util::stream;
use http::HeaderMap;

use super::{RestError, call::call, caller::OrgCaller};
use crate::{auth::Caller, host::Place, server::App};

const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// A read waits for so long, and is made again.
const READ_MS: i64 = 60_000;

/// `GET /workflow-executions/{id}/stream`: what the tasks of an execution stream, and what happens to it, from now on
/// or after `Last-Event-ID`.
pub(super) async fn of_execution(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, RestError> {
    let request = ReadStreamRequest { workflow_execution_id: id, ..ReadStreamRequest::default() };
    serve(app, caller, request, &headers, None).await
}

/// `GET /workflow-executions/{id}/stream/consolidated`: the same, each event with the ids of the execution and the task.
pub(super) async fn consolidated(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, RestError> {
    let request = ReadStreamRequest { workflow_execution_id: id.clone(), ..ReadStreamRequest::default() };
    serve(app, caller, request, &headers, Some(id)).await
}

/// `GET /task-executions/{id}/stream`: what one task streams.
pub(super) async fn of_task(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, RestError> {
    let request = ReadStreamRequest { task_execution_id: id, ..ReadStreamRequest::default() };
    serve(app, caller, request, &headers, None).await
}

async fn serve(
    app: Arc<App>,
    caller: Caller,
    mut request: ReadStreamRequest,
    headers: &HeaderMap,
    named: Option<String>,
) -> Result<Response, RestError> {
    request.after_sequence = last_event_id(headers)?;
    let place = app.host.enter_stream(caller.key, app.http.event_streams_per_key_max)?;
    // The first read is made before the answer begins, so that what cannot be read is refused as such.
    let first = read(&app, &caller, &request).await?;
    request.timeout_ms = READ_MS;
    let mut subscription =
        Subscription { app, caller, request, named, pending: VecDeque::new(), end: false, _place: place };
    subscription.take(first);
    let events = stream::unfold(subscription, |mut subscription| async {
        let event = subscription.next().await?;
        Some((Ok::<_, Infallible>(event), subscription))
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    // Proxies that gather what they pass on would keep the events.
    response.headers_mut().insert("x-accel-buffering", http::HeaderValue::from_static("no"));
    Ok(response)
}

/// Where the reader was when its last connection ended.
fn last_event_id(headers: &HeaderMap) -> Result<i64, Status> {
    let Some(id) = headers.get("last-event-id") else { return Ok(0) };
    let parsed = id.to_str().ok().and_then(|text| text.parse().ok()).filter(|number| *number >= 0);
    parsed.ok_or_else(|| Status::invalid_argument("Last-Event-ID: expected the id of an event, a number"))
}

async fn read(app: &App, caller: &Caller, request: &ReadStreamRequest) -> Result<ReadStreamResponse, Status> {
    call(app, caller, "/flovyn.ext.v1.Extensions/ReadStream", request).await
}

/// One reader.
struct Subscription {
    app: Arc<App>,
    caller: Caller,
    request: ReadStreamRequest,
    /// The execution to name in each event.
    named: Option<String>,
    pending: VecDeque<StreamEvent>,
    end: bool,
    _place: Place,
}

impl Subscription {
    /// The next event; `None` at the end, and when the server stops: the reader comes again with its last id.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(self.write(&event));
            }
            if self.end || self.app.host.is_closing() {
                return None;
            }
            match read(&self.app, &self.caller, &self.request).await {
                Ok(response) => self.take(response),
                Err(status) => {
                    let ReadStreamRequest { workflow_execution_id, task_execution_id, .. } = &self.request;
                    tracing::warn!(
                        workflow_execution_id,
                        task_execution_id,
                        "a stream of events ends early: {}",
                        status.message
                    );
                    return None;
                }
            }
        }
    }

    fn take(&mut self, response: ReadStreamResponse) {
        self.end = response.end;
        if let Some(last) = response.events.last() {
            self.request.after_sequence = last.sequence;
        }
        self.pending.extend(response.events);
    }

    fn write(&self, event: &StreamEvent) -> Event {
        let data = match &self.named {
            Some(execution) => with_ids(&event.payload, execution, &event.task_execution_id),
            None => event.payload.clone(),
        };
        // JSON has this character between its parts only, and server-sent events have no way to carry it.
        let data = data.replace('\r', " ");
        Event::default().event(name(event.r#type())).id(event.sequence.to_string()).data(data)
    }
}

fn name(event_type: StreamEventType) -> &'static str {
    match event_type {
        StreamEventType::Token => "token",
        StreamEventType::Progress => "progress",
        StreamEventType::Data | StreamEventType::Unspecified => "data",
        StreamEventType::Error => "error",
    }
}

/// An object with two members more. What is no object stays as it is.
fn with_ids(payload: &str, execution: &str, task: &str) -> String {
    let Some(rest) = payload.trim_start().strip_prefix('{') else { return payload.to_owned() };
    let task = if task.is_empty() { String::new() } else { format!(",\"taskExecutionId\":\"{task}\"") };
    let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
    format!("{{\"workflowExecutionId\":\"{execution}\"{task}{comma}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_go_into_objects() {
        assert_eq!(with_ids(r#"{"a":1}"#, "e", "t"), r#"{"workflowExecutionId":"e","taskExecutionId":"t","a":1}"#);
        assert_eq!(with_ids(" { }", "e", ""), r#"{"workflowExecutionId":"e" }"#);
        assert_eq!(with_ids("[1]", "e", "t"), "[1]");
    }
}
