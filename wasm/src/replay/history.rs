//! A history in JSON, as golden files have it.

use flovyn_protocol::messages::WorkflowEvent;
use flovyn_replay::ExecutionInfo;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::info::Info;
use crate::error::Error;

#[derive(Deserialize)]
pub(super) struct History {
    execution: ExecutionFields,
    events: Vec<EventFields>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecutionFields {
    execution_id: String,
    kind: String,
    task_time_ms: i64,
    extended: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventFields {
    sequence: i32,
    event_type: String,
    data: Box<RawValue>,
}

impl History {
    pub(super) fn parse(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json)
            .map_err(|error| Error::invalid_argument(format!("history: expected {{ execution, events }}: {error}")))
    }

    pub(super) fn execution_info(&self) -> ExecutionInfo {
        let ExecutionFields { execution_id, kind, task_time_ms, extended } = &self.execution;
        ExecutionInfo {
            execution_id: execution_id.clone(),
            kind: kind.clone(),
            task_time_ms: *task_time_ms,
            extended: *extended,
        }
    }

    pub(super) fn events(&self) -> Vec<WorkflowEvent> {
        self.events.iter().map(EventFields::to_message).collect()
    }

    pub(super) fn info(self) -> Info {
        Info::of_file(self.execution.execution_id, self.execution.kind, self.execution.task_time_ms)
    }
}

impl EventFields {
    fn to_message(&self) -> WorkflowEvent {
        WorkflowEvent {
            sequence_number: self.sequence,
            event_type: self.event_type.clone(),
            event_data: self.data.get().as_bytes().to_vec(),
        }
    }
}
