use std::collections::BTreeMap;

use flovyn_protocol::messages::WorkflowEvent;
use flovyn_replay::{ExecutionInfo, OperationError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A file of `tests/histories`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Golden {
    #[serde(rename = "description")]
    _description: String,
    execution: Info,
    events: Vec<Event>,
    #[serde(default, rename = "signalHandlers")]
    pub(crate) signal_handlers: Vec<String>,
    pub(crate) turns: Vec<Entry>,
    #[serde(default)]
    pub(crate) operations: Vec<Finished>,
    #[serde(default)]
    pub(crate) commands: Vec<Box<RawValue>>,
    pub(crate) status: Option<String>,
    pub(crate) violation: Option<ExpectedViolation>,
    pub(crate) error: Option<ExpectedError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Info {
    execution_id: String,
    kind: String,
    task_time_ms: i64,
    extended: bool,
    #[serde(default)]
    tolerant: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Event {
    sequence: i32,
    event_type: String,
    data: Box<RawValue>,
}

/// A turn, or one of the three things that happen between turns.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) job: Option<Box<RawValue>>,
    #[serde(default)]
    pub(crate) calls: Vec<Call>,
    pub(crate) partial: Option<Submitted>,
    pub(crate) settled: Option<Vec<Finished>>,
    pub(crate) resume: Option<Submitted>,
}

/// One verb with its arguments, and what must come of it.
pub(crate) type Call = BTreeMap<String, Box<RawValue>>;

/// A submission after which the execution goes on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Submitted {
    #[serde(default)]
    pub(crate) operations: Vec<Finished>,
    pub(crate) commands: Vec<Box<RawValue>>,
    events: Vec<Event>,
    /// Of the activation that continues.
    #[serde(default)]
    pub(crate) task_time_ms: i64,
}

/// An operation that finishes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finished {
    pub(crate) handle: u32,
    pub(crate) result: Option<Box<RawValue>>,
    pub(crate) error: Option<OperationError>,
}

#[derive(Debug, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ExpectedViolation {
    pub(crate) event_sequence: i32,
    pub(crate) event: String,
    pub(crate) expected: String,
    pub(crate) got: String,
    pub(crate) differences: Vec<ExpectedDifference>,
    pub(crate) message: String,
}

#[derive(Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedDifference {
    pub(crate) field: String,
    pub(crate) expected: String,
    pub(crate) got: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedError {
    pub(crate) code: String,
    pub(crate) message: Option<String>,
}

impl Golden {
    pub(crate) fn info(&self) -> ExecutionInfo {
        ExecutionInfo {
            execution_id: self.execution.execution_id.clone(),
            kind: self.execution.kind.clone(),
            task_time_ms: self.execution.task_time_ms,
            extended: self.execution.extended,
            tolerant: self.execution.tolerant,
        }
    }

    pub(crate) fn history(&self) -> Vec<WorkflowEvent> {
        self.events.iter().map(Event::message).collect()
    }
}

impl Submitted {
    pub(crate) fn answer(&self) -> Vec<WorkflowEvent> {
        self.events.iter().map(Event::message).collect()
    }
}

impl Event {
    fn message(&self) -> WorkflowEvent {
        WorkflowEvent {
            sequence_number: self.sequence,
            event_type: self.event_type.clone(),
            event_data: self.data.get().as_bytes().to_vec(),
        }
    }
}
