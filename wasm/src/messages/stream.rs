//! What those ask for who read the streams of tasks.

use flovyn_protocol::messages::ext;
use js_sys::Array;
use prost::Message;
use wasm_bindgen::prelude::*;

use crate::{
    convert::{Fields, number, object},
    error::Error,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Waits for what the tasks of an execution stream, or one task (extension). */
export interface ReadStream {
  /** All tasks of this execution. */
  readonly workflowExecutionId?: string | undefined;
  /** This task. */
  readonly taskExecutionId?: string | undefined;
  /** 0 for everything that is still there. */
  readonly afterSequence: number;
  /** How long to wait. */
  readonly timeoutMs: number;
  /** At most so many. */
  readonly limit: number;
}

/** An event of a stream. */
export interface StreamedEvent {
  /** Given by the server, rising within a stream. */
  readonly sequence: number;
  /** Which task it is of. */
  readonly taskExecutionId: string;
  /** 1 token, 2 progress, 3 data, 4 error. */
  readonly type: number;
  /** JSON: the event. */
  readonly payloadJson: string;
  /** When the task gave it, in milliseconds since 1970. */
  readonly timestampMs: number;
}

/** What a stream had. */
export interface StreamPage {
  /** In order; empty when none came in time. */
  readonly events: StreamedEvent[];
  /** Nothing comes after these. */
  readonly end: boolean;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "ReadStream")]
    pub type ReadStream;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "StreamPage")]
    pub type StreamPage;
}

/// The bytes of ReadStream.
#[wasm_bindgen(js_name = encodeReadStream)]
pub fn encode_read_stream(request: &ReadStream) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let id = |name| fields.get::<Option<String>>(name).map(Option::unwrap_or_default);
    let request = ext::ReadStreamRequest {
        workflow_execution_id: id("workflowExecutionId")?,
        task_execution_id: id("taskExecutionId")?,
        after_sequence: fields.get("afterSequence")?,
        timeout_ms: fields.get("timeoutMs")?,
        limit: fields.get("limit")?,
    };
    Ok(request.encode_to_vec())
}

/// The answer of ReadStream.
#[wasm_bindgen(js_name = decodeReadStream)]
pub fn decode_read_stream(bytes: &[u8]) -> Result<StreamPage, Error> {
    let page = ext::ReadStreamResponse::decode(bytes)?;
    let events: Array = page.events.into_iter().map(event).collect();
    Ok(object(&[("events", events.into()), ("end", page.end.into())]))
}

fn event(event: ext::StreamEvent) -> JsValue {
    object(&[
        ("sequence", number(event.sequence).into()),
        ("taskExecutionId", event.task_execution_id.into()),
        ("type", event.r#type.into()),
        ("payloadJson", event.payload.into()),
        ("timestampMs", number(event.timestamp_ms).into()),
    ])
}
