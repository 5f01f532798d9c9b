//! What is known of an execution beside its history.

use flovyn_protocol::{
    json::Json,
    messages::{PollResponse, WorkflowEvent, WorkflowExecution},
};
use flovyn_replay::{Execution, ExecutionInfo};
use wasm_bindgen::prelude::*;

use crate::convert::{number, object};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What the answer of PollWorkflow said of an execution, and how far its history is loaded. */
export interface ActivationInfo {
  /** A UUID. */
  readonly executionId: string;
  /** The kind of workflow. */
  readonly kind: string;
  /** The queue it was claimed from. */
  readonly queue: string;
  /** The version it was started with, where one was named. */
  readonly workflowVersion: string | undefined;
  /** There are events to fetch with GetEvents before the first job. */
  readonly hasMoreEvents: boolean;
  /** The number of the last event held. */
  readonly lastSequence: number;
  /** The data of all events held so far, in bytes. */
  readonly historyBytes: number;
  /** The execution that started it as a child, once the first event is held. */
  readonly parentWorkflowExecutionId: string | undefined;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "ActivationInfo")]
    pub type ActivationInfo;
}

/// What an activation is asked for by `activationInfo`.
#[derive(Default)]
pub(super) struct Info {
    execution_id: String,
    kind: String,
    queue: String,
    workflow_version: Option<String>,
    pub(super) has_more_events: bool,
    parent_workflow_execution_id: Option<String>,
}

impl Info {
    pub(super) fn new(execution: WorkflowExecution, response: PollResponse, events: &[WorkflowEvent]) -> Self {
        let parent_workflow_execution_id = events.iter().find_map(parent);
        Self {
            execution_id: execution.id,
            kind: execution.kind,
            queue: execution.queue,
            workflow_version: execution.workflow_version,
            // Every history begins with an event, so an answer without any comes from a server that sends none.
            has_more_events: response.has_more_events || events.is_empty(),
            parent_workflow_execution_id,
        }
    }

    /// A history in a file was claimed from nowhere.
    pub(super) fn of_file(execution: &ExecutionInfo) -> Self {
        Self { execution_id: execution.execution_id.clone(), kind: execution.kind.clone(), ..Self::default() }
    }

    /// What a new poll's answer says of the same execution.
    pub(super) fn renew(&mut self, execution: WorkflowExecution, response: PollResponse, events: &[WorkflowEvent]) {
        let parent = self.parent_workflow_execution_id.take();
        *self = Self::new(execution, response, events);
        self.parent_workflow_execution_id = parent;
    }

    /// Events have come: the first one says who started the execution.
    pub(super) fn read(&mut self, events: &[WorkflowEvent]) {
        if let Some(parent) = events.iter().find_map(parent) {
            self.parent_workflow_execution_id = Some(parent);
        }
    }

    pub(super) fn to_js(&self, execution: &Execution) -> ActivationInfo {
        object(&[
            ("executionId", self.execution_id.as_str().into()),
            ("kind", self.kind.as_str().into()),
            ("queue", self.queue.as_str().into()),
            ("workflowVersion", self.workflow_version.as_deref().into()),
            ("hasMoreEvents", self.has_more_events.into()),
            ("lastSequence", execution.last_sequence().into()),
            ("historyBytes", number(i64::try_from(execution.history_bytes()).unwrap_or(i64::MAX)).into()),
            ("parentWorkflowExecutionId", self.parent_workflow_execution_id.as_deref().into()),
        ])
    }
}

/// What WORKFLOW_STARTED says of the execution that started this one.
fn parent(event: &WorkflowEvent) -> Option<String> {
    if event.sequence_number != 1 {
        return None;
    }
    let mut members = Json::parse(&event.event_data).ok()?.members()?;
    let (_, id) = members.find(|(name, _)| name.text() == "\"parentWorkflowExecutionId\"")?;
    id.to_str().map(std::borrow::Cow::into_owned)
}
