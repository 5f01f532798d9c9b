//! What a task tells while it runs.

use flovyn_protocol::messages::{
    LogLine, LogMessageRequest, ReportProgressRequest, StreamTaskDataRequest, StreamedData,
};
use prost::Message;
use wasm_bindgen::prelude::*;

use crate::{convert::Fields, error::Error};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Says how far a task is. */
export interface ReportProgress {
  /** Which one. */
  readonly taskExecutionId: string;
  /** From 0 to 1. */
  readonly progress: number;
  /** For people. */
  readonly details?: string | undefined;
}

/** A line of the log of a task. */
export interface LogLine {
  /** DEBUG, INFO, WARN or ERROR. */
  readonly level: string;
  /** What it says. */
  readonly message: string;
}

/** Keeps a line of its log with a task. */
export interface LogMessage extends LogLine {
  /** Which one. */
  readonly taskExecutionId: string;
  /** Extension: the lines after this one. */
  readonly more?: readonly LogLine[] | undefined;
}

/** An event that a task streams. */
export interface StreamedData {
  /** From 1, rising within an attempt. */
  readonly sequence: number;
  /** 1 token, 2 progress, 3 data, 4 error. */
  readonly type: number;
  /** JSON: the event. */
  readonly payloadJson: string;
  /** When it was given, in milliseconds since 1970. */
  readonly timestampMs: number;
}

/** Hands an event on to those who read the stream of a task. */
export interface StreamTaskData extends StreamedData {
  /** Which one. */
  readonly taskExecutionId: string;
  /** The execution that scheduled it; empty for a task of its own. */
  readonly workflowExecutionId: string;
  /** Extension: the events after this one. */
  readonly more?: readonly StreamedData[] | undefined;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "ReportProgress")]
    pub type ReportProgress;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "LogMessage")]
    pub type LogMessage;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "StreamTaskData")]
    pub type StreamTaskData;
}

/// The bytes of ReportProgress.
#[wasm_bindgen(js_name = encodeReportProgress)]
pub fn encode_report_progress(request: &ReportProgress) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = ReportProgressRequest {
        task_execution_id: fields.get("taskExecutionId")?,
        progress: fields.get("progress")?,
        details: fields.get::<Option<String>>("details")?.unwrap_or_default(),
    };
    Ok(request.encode_to_vec())
}

/// The bytes of LogMessage.
#[wasm_bindgen(js_name = encodeLogMessage)]
pub fn encode_log_message(request: &LogMessage) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = LogMessageRequest {
        task_execution_id: fields.get("taskExecutionId")?,
        level: fields.get("level")?,
        message: fields.get("message")?,
        more: more(&fields)?.iter().map(log_line).collect::<Result<_, _>>()?,
    };
    Ok(request.encode_to_vec())
}

/// The bytes of StreamTaskData.
#[wasm_bindgen(js_name = encodeStreamTaskData)]
pub fn encode_stream_task_data(request: &StreamTaskData) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = StreamTaskDataRequest {
        task_execution_id: fields.get("taskExecutionId")?,
        workflow_execution_id: fields.get("workflowExecutionId")?,
        sequence: fields.get("sequence")?,
        r#type: fields.get("type")?,
        payload: fields.get("payloadJson")?,
        timestamp_ms: fields.get("timestampMs")?,
        more: more(&fields)?.iter().map(streamed_data).collect::<Result<_, _>>()?,
    };
    Ok(request.encode_to_vec())
}

fn more(fields: &Fields<'_>) -> Result<Vec<JsValue>, Error> {
    Ok(fields.get::<Option<_>>("more")?.unwrap_or_default())
}

fn log_line(line: &JsValue) -> Result<LogLine, Error> {
    let fields = Fields(line);
    Ok(LogLine { level: fields.get("level")?, message: fields.get("message")? })
}

fn streamed_data(event: &JsValue) -> Result<StreamedData, Error> {
    let fields = Fields(event);
    Ok(StreamedData {
        sequence: fields.get("sequence")?,
        r#type: fields.get("type")?,
        payload: fields.get("payloadJson")?,
        timestamp_ms: fields.get("timestampMs")?,
    })
}
