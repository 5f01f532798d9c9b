//! What a workflow worker asks for between activations.

use flovyn_protocol::messages::{GetEventsRequest, GetEventsResponse, PollRequest, WorkflowEvent};
use js_sys::Array;
use prost::Message;
use wasm_bindgen::prelude::*;

use crate::{
    convert::{Fields, json_text, object},
    error::Error,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Asks for an execution that is ready. Its answer goes to `activationOpen`. */
export interface PollWorkflow {
  /** The name that the worker registered under, or the id it got. */
  readonly workerId: string;
  /** Id or slug of the organisation. */
  readonly orgId: string;
  /** Exactly this queue. */
  readonly queue: string;
  /** How long to wait for work. */
  readonly timeoutSeconds: number;
  /** Extension: really wait that long. */
  readonly longPoll: boolean;
  /** The kinds of workflow that this worker runs. */
  readonly workflowCapabilities: readonly string[];
}

/** Asks for events of a history. */
export interface GetEvents {
  /** Whose history. */
  readonly workflowExecutionId: string;
  /** Extension: only events after this one; 0 for all. */
  readonly afterSequence: number;
  /** Extension: at most this many; 0 for as many as the server gives. */
  readonly pageSize: number;
}

/** A page of a history. */
export interface Events {
  /** In order. */
  readonly events: HistoryEvent[];
  /** More events follow the last one of this page. */
  readonly hasMore: boolean;
}

/** An event as the history has it. */
export interface HistoryEvent {
  /** From 1, without gaps. */
  readonly sequence: number;
  /** For example `TASK_SCHEDULED`. */
  readonly eventType: string;
  /** A JSON object. */
  readonly data: string;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "PollWorkflow")]
    pub type PollWorkflow;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "GetEvents")]
    pub type GetEvents;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "Events")]
    pub type Events;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "HistoryEvent")]
    pub type HistoryEvent;
}

/// The bytes of PollWorkflow.
#[wasm_bindgen(js_name = encodePollWorkflow)]
pub fn encode_poll_workflow(request: &PollWorkflow) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = PollRequest {
        worker_id: fields.get("workerId")?,
        org_id: fields.get("orgId")?,
        queue: fields.get("queue")?,
        timeout_seconds: fields.get("timeoutSeconds")?,
        worker_pool_id: None,
        workflow_capabilities: fields.get("workflowCapabilities")?,
        long_poll: fields.get("longPoll")?,
        ..Default::default()
    };
    Ok(request.encode_to_vec())
}

/// The bytes of GetEvents.
#[wasm_bindgen(js_name = encodeGetEvents)]
pub fn encode_get_events(request: &GetEvents) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = GetEventsRequest {
        workflow_execution_id: fields.get("workflowExecutionId")?,
        after_sequence: fields.get("afterSequence")?,
        page_size: fields.get("pageSize")?,
    };
    Ok(request.encode_to_vec())
}

/// The answer of GetEvents, for programs that show a history or wait for its end.
#[wasm_bindgen(js_name = decodeEvents)]
pub fn decode_events(bytes: &[u8]) -> Result<Events, Error> {
    let page = GetEventsResponse::decode(bytes)?;
    let events = page.events.into_iter().map(history_event).collect::<Result<Array, _>>()?;
    Ok(object(&[("events", events.into()), ("hasMore", page.has_more.into())]))
}

fn history_event(event: WorkflowEvent) -> Result<HistoryEvent, Error> {
    Ok(object(&[
        ("sequence", event.sequence_number.into()),
        ("eventType", event.event_type.into()),
        ("data", json_text(event.event_data)?),
    ]))
}
