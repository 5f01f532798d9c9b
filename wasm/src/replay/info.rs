//! What is known of an execution beside its history.

use flovyn_protocol::messages::{PollResponse, WorkflowEvent, WorkflowExecution};
use serde::Serialize;
use tsify::Tsify;

/// What the answer of PollWorkflow said of an execution, and how far its history is loaded.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct ActivationInfo {
    /// A UUID.
    pub execution_id: String,
    /// The kind of workflow.
    pub kind: String,
    /// The queue it was claimed from.
    pub queue: String,
    /// The version it was started with, where one was named.
    pub workflow_version: Option<String>,
    /// Goes back as metadata `flovyn-claim`; empty from a server without the extension.
    pub claim_token: String,
    /// The claim ends this long after it was given or renewed; 0 from a server without the extension.
    pub lease_ms: i64,
    /// The time of this activation, in milliseconds since 1970.
    pub task_time_ms: i64,
    /// There are events to fetch with GetEvents before the first job.
    pub has_more_events: bool,
    /// The number of the last event held.
    pub last_sequence: i32,
    /// When the execution was created, in milliseconds since 1970.
    pub created_at_ms: i64,
}

impl ActivationInfo {
    pub(super) fn new(execution: WorkflowExecution, response: PollResponse, events: &[WorkflowEvent]) -> Self {
        Self {
            execution_id: execution.id,
            kind: execution.kind,
            queue: execution.queue,
            workflow_version: execution.workflow_version,
            claim_token: response.claim_token,
            lease_ms: response.lease_ms,
            task_time_ms: execution.workflow_task_time_millis,
            // Every history begins with an event, so an answer without any comes from a server that sends none.
            has_more_events: response.has_more_events || events.is_empty(),
            last_sequence: 0,
            created_at_ms: execution.created_at_ms,
        }
    }
}
