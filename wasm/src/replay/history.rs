//! A history in JSON, as golden files have it.

use flovyn_protocol::messages::WorkflowEvent;
use flovyn_replay::ExecutionInfo;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::info::ActivationInfo;
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

    /// A history in a file was claimed from nowhere.
    pub(super) fn activation_info(self) -> ActivationInfo {
        ActivationInfo {
            execution_id: self.execution.execution_id,
            kind: self.execution.kind,
            queue: String::new(),
            workflow_version: None,
            claim_token: String::new(),
            lease_ms: 0,
            task_time_ms: self.execution.task_time_ms,
            has_more_events: false,
            last_sequence: 0,
            created_at_ms: 0,
        }
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
