//! The submission of a worker that cannot let the code speak for itself.

use flovyn_protocol::messages::{
    CommandType, FailWorkflowCommand, SubmitWorkflowCommandsRequest, WorkflowCommand, WorkflowStatus,
    workflow_command::CommandData,
};
use serde::Deserialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use super::encode;
use crate::error::Error;

/// Ends an execution as failed, whatever its code has asked for: its submission was refused, or it disagrees with its
/// history.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct FailExecution {
    /// Which one.
    pub workflow_execution_id: String,
    /// The number of this submission under the claim; 0 for a server without the extension.
    pub submission_number: i32,
    /// What the error says.
    pub error: String,
    /// Where it came from; may be empty.
    pub stack_trace: String,
    /// For example `DETERMINISM_VIOLATION`.
    pub failure_type: String,
}

/// The bytes of SubmitWorkflowCommands with nothing but the failure.
#[wasm_bindgen(js_name = encodeFailExecution)]
pub fn encode_fail_execution(request: Ts<FailExecution>) -> Result<Vec<u8>, Error> {
    encode::<FailExecution, SubmitWorkflowCommandsRequest>(request)
}

impl From<FailExecution> for SubmitWorkflowCommandsRequest {
    fn from(request: FailExecution) -> Self {
        let failure = FailWorkflowCommand {
            error: request.error,
            stack_trace: request.stack_trace,
            failure_type: request.failure_type,
        };
        let command = WorkflowCommand {
            command_type: CommandType::FailWorkflow.into(),
            command_data: Some(CommandData::FailWorkflow(failure)),
            ..WorkflowCommand::default()
        };
        Self {
            workflow_execution_id: request.workflow_execution_id,
            commands: vec![command],
            status: WorkflowStatus::Failed.into(),
            submission_number: request.submission_number,
            ..Self::default()
        }
    }
}
