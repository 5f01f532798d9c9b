//! What is known of an execution beside its history.

use flovyn_protocol::messages::{PollResponse, WorkflowEvent, WorkflowExecution};
use flovyn_replay::ExecutionInfo;
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
  /** Goes back as metadata `flovyn-claim`; empty from a server without the extension. */
  readonly claimToken: string;
  /** The claim ends this long after it was given or renewed; 0 from a server without the extension. */
  readonly leaseMs: number;
  /** The time of this activation, in milliseconds since 1970. */
  readonly taskTimeMs: number;
  /** There are events to fetch with GetEvents before the first job. */
  readonly hasMoreEvents: boolean;
  /** The number of the last event held. */
  readonly lastSequence: number;
  /** When the execution was created, in milliseconds since 1970. */
  readonly createdAtMs: number;
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
    claim_token: String,
    pub(super) lease_ms: i64,
    task_time_ms: i64,
    pub(super) has_more_events: bool,
    created_at_ms: i64,
}

impl Info {
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
            created_at_ms: execution.created_at_ms,
        }
    }

    /// A history in a file was claimed from nowhere.
    pub(super) fn of_file(execution: &ExecutionInfo) -> Self {
        Self {
            execution_id: execution.execution_id.clone(),
            kind: execution.kind.clone(),
            task_time_ms: execution.task_time_ms,
            ..Self::default()
        }
    }

    pub(super) fn to_js(&self, last_sequence: i32) -> ActivationInfo {
        object(&[
            ("executionId", self.execution_id.as_str().into()),
            ("kind", self.kind.as_str().into()),
            ("queue", self.queue.as_str().into()),
            ("workflowVersion", self.workflow_version.as_deref().into()),
            ("claimToken", self.claim_token.as_str().into()),
            ("leaseMs", number(self.lease_ms).into()),
            ("taskTimeMs", number(self.task_time_ms).into()),
            ("hasMoreEvents", self.has_more_events.into()),
            ("lastSequence", last_sequence.into()),
            ("createdAtMs", number(self.created_at_ms).into()),
        ])
    }
}
