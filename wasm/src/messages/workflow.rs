//! What a workflow worker asks for between activations.

use flovyn_protocol::messages::{GetEventsRequest, GetEventsResponse, PollRequest, WorkflowEvent};
use prost::Message;
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use super::encode;
use crate::{
    convert::{json_text, to_js},
    error::Error,
};

/// Asks for an execution that is ready. Its answer goes to `activationOpen`.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct PollWorkflow {
    /// The name that the worker registered under, or the id it got.
    pub worker_id: String,
    /// Id or slug of the organisation.
    pub org_id: String,
    /// Exactly this queue.
    pub queue: String,
    /// How long to wait for work.
    pub timeout_seconds: i64,
    /// Extension: really wait that long.
    pub long_poll: bool,
    /// The kinds of workflow that this worker runs.
    pub workflow_capabilities: Vec<String>,
}

/// The bytes of PollWorkflow.
#[wasm_bindgen(js_name = encodePollWorkflow)]
pub fn encode_poll_workflow(request: Ts<PollWorkflow>) -> Result<Vec<u8>, Error> {
    encode::<_, PollRequest>(request)
}

impl From<PollWorkflow> for PollRequest {
    fn from(request: PollWorkflow) -> Self {
        Self {
            worker_id: request.worker_id,
            org_id: request.org_id,
            queue: request.queue,
            timeout_seconds: request.timeout_seconds,
            worker_pool_id: None,
            workflow_capabilities: request.workflow_capabilities,
            long_poll: request.long_poll,
        }
    }
}

/// Asks for events of a history.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct GetEvents {
    /// Whose history.
    pub workflow_execution_id: String,
    /// Extension: only events after this one; 0 for all.
    pub after_sequence: i32,
    /// Extension: at most this many; 0 for as many as the server gives.
    pub page_size: i32,
}

/// The bytes of GetEvents.
#[wasm_bindgen(js_name = encodeGetEvents)]
pub fn encode_get_events(request: Ts<GetEvents>) -> Result<Vec<u8>, Error> {
    encode::<_, GetEventsRequest>(request)
}

impl From<GetEvents> for GetEventsRequest {
    fn from(request: GetEvents) -> Self {
        Self {
            workflow_execution_id: request.workflow_execution_id,
            after_sequence: request.after_sequence,
            page_size: request.page_size,
        }
    }
}

/// A page of a history.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Events {
    /// In order.
    pub events: Vec<HistoryEvent>,
    /// More events follow the last one of this page.
    pub has_more: bool,
}

/// An event as the history has it.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEvent {
    /// From 1, without gaps.
    pub sequence: i32,
    /// For example `TASK_SCHEDULED`.
    pub event_type: String,
    /// A JSON object.
    pub data: String,
}

/// The answer of GetEvents, for programs that show a history or wait for its end.
#[wasm_bindgen(js_name = decodeEvents)]
pub fn decode_events(bytes: &[u8]) -> Result<Ts<Events>, Error> {
    let page = GetEventsResponse::decode(bytes)?;
    let events = page.events.into_iter().map(history_event).collect::<Result<_, _>>()?;
    to_js(&Events { events, has_more: page.has_more })
}

fn history_event(event: WorkflowEvent) -> Result<HistoryEvent, Error> {
    Ok(HistoryEvent {
        sequence: event.sequence_number,
        event_type: event.event_type,
        data: json_text(event.event_data)?,
    })
}
