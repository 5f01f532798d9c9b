//! What a workflow worker asks for between activations.

use std::mem::take;

use flovyn_protocol::messages::{
    GetEventsRequest, GetEventsResponse, PollRequest, PollResponse, QueryTask, StateEntry,
    SubmitWorkflowCommandsResponse, WorkflowEvent, ext,
};
use js_sys::Array;
use prost::Message;
use wasm_bindgen::prelude::*;

use crate::{
    convert::{Fields, json_text, number, object},
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
  /** Extension: executions are kept in memory and need only their new events. */
  readonly continuesExecutions?: boolean | undefined;
  /** Extension: the answer may be a query. */
  readonly answersQueries?: boolean | undefined;
}

/** What the answer of PollWorkflow brings, without taking it in. */
export interface Polled {
  /** The execution that is claimed, or of which something is asked. */
  readonly executionId: string;
  /** The kind of workflow. */
  readonly kind: string;
  /** Goes back as metadata `flovyn-claim`; empty from a server without the extension, and for a query. */
  readonly claimToken: string;
  /** The claim ends this long after it was given or renewed; 0 from a server without the extension. */
  readonly leaseMs: number;
  /** Its events begin after this one: 0 for the whole history. */
  readonly afterSequence: number;
  /** A query: there is no claim then. */
  readonly query: PolledQuery | undefined;
}

/** A query that a worker answers from the state of an execution. */
export interface PolledQuery {
  /** Goes back with the answer. */
  readonly queryId: string;
  /** Which query. */
  readonly name: string;
  /** JSON. */
  readonly params: string;
  /** The state of the execution: keys, in order, and JSON. */
  readonly state: [key: string, value: string][];
  /** The version that the execution was started with, where one was named. */
  readonly workflowVersion: string | undefined;
  /** The number of its last event. */
  readonly currentSequence: number;
  /** The execution that started it as a child, if one did. */
  readonly parentWorkflowExecutionId: string | undefined;
}

/** Answers a query (extension). */
export interface AnswerQuery {
  /** Which one. */
  readonly queryId: string;
  /** JSON. */
  readonly result?: string | undefined;
  /** Why there is no result. */
  readonly error?: string | undefined;
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
    #[wasm_bindgen(typescript_type = "Polled")]
    pub type Polled;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "PolledQuery")]
    pub type PolledQuery;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "AnswerQuery")]
    pub type AnswerQuery;
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
        continues_executions: fields.get::<Option<_>>("continuesExecutions")?.unwrap_or_default(),
        answers_queries: fields.get::<Option<_>>("answersQueries")?.unwrap_or_default(),
    };
    Ok(request.encode_to_vec())
}

/// What the answer of PollWorkflow brings; undefined if there was nothing to do.
#[wasm_bindgen(js_name = pollPeek)]
pub fn poll_peek(#[wasm_bindgen(js_name = pollResponse)] poll_response: &[u8]) -> Result<Option<Polled>, Error> {
    let response = PollResponse::decode(poll_response)?;
    let (id, kind, query) = match (response.workflow_execution, response.query) {
        (Some(execution), _) => (execution.id, execution.kind, JsValue::UNDEFINED),
        (None, Some(mut query)) => {
            (take(&mut query.workflow_execution_id), take(&mut query.workflow_kind), polled_query(query)?.into())
        }
        (None, None) => return Ok(None),
    };
    Ok(Some(object(&[
        ("executionId", id.into()),
        ("kind", kind.into()),
        ("claimToken", response.claim_token.into()),
        ("leaseMs", number(response.lease_ms).into()),
        ("afterSequence", response.after_sequence.into()),
        ("query", query),
    ])))
}

/// What the answer of a final SubmitWorkflowCommands brings, as an answer of PollWorkflow; undefined if nothing.
#[wasm_bindgen(js_name = submitAnswerNext)]
pub fn submit_answer_next(
    #[wasm_bindgen(js_name = submitResponse)] submit_response: &[u8],
) -> Result<Option<Vec<u8>>, Error> {
    let next = SubmitWorkflowCommandsResponse::decode(submit_response)?.next;
    Ok(next.map(|next| next.encode_to_vec()))
}

fn polled_query(query: QueryTask) -> Result<PolledQuery, Error> {
    let state = query.state.into_iter().map(|StateEntry { key, value }| -> Result<JsValue, Error> {
        Ok(Array::of2(&key.into(), &json_text(value)?).into())
    });
    Ok(object(&[
        ("queryId", query.query_id.into()),
        ("name", query.query_name.into()),
        ("params", json_text(query.params)?),
        ("state", state.collect::<Result<Array, _>>()?.into()),
        ("workflowVersion", query.workflow_version.into()),
        ("currentSequence", query.current_sequence.into()),
        ("parentWorkflowExecutionId", query.parent_workflow_execution_id.into()),
    ]))
}

/// The bytes of AnswerQuery.
#[wasm_bindgen(js_name = encodeAnswerQuery)]
pub fn encode_answer_query(request: &AnswerQuery) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = ext::AnswerQueryRequest {
        query_id: fields.get("queryId")?,
        result: fields.get::<Option<String>>("result")?.unwrap_or_default().into_bytes(),
        error: fields.get("error")?,
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
