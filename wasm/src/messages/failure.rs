//! The submission of a worker that cannot let the code speak for itself.

use flovyn_protocol::messages::{
    CommandType, FailWorkflowCommand, SubmitWorkflowCommandsRequest, WorkflowCommand, WorkflowStatus,
    workflow_command::CommandData,
};
use prost::Message;
use wasm_bindgen::prelude::*;

use crate::{convert::Fields, error::Error};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/**
 * Ends an execution as failed, whatever its code has asked for: its submission was refused, or it disagrees with its
 * history.
 */
export interface FailExecution {
  /** Which one. */
  readonly workflowExecutionId: string;
  /** The number of this submission under the claim; 0 for a server without the extension. */
  readonly submissionNumber: number;
  /** What the error says. */
  readonly error: string;
  /** Where it came from; may be empty. */
  readonly stackTrace: string;
  /** For example `DETERMINISM_VIOLATION`. */
  readonly failureType: string;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "FailExecution")]
    pub type FailExecution;
}

/// The bytes of SubmitWorkflowCommands with nothing but the failure.
#[wasm_bindgen(js_name = encodeFailExecution)]
pub fn encode_fail_execution(request: &FailExecution) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let failure = FailWorkflowCommand {
        error: fields.get("error")?,
        stack_trace: fields.get("stackTrace")?,
        failure_type: fields.get("failureType")?,
    };
    let command = WorkflowCommand {
        command_type: CommandType::FailWorkflow.into(),
        command_data: Some(CommandData::FailWorkflow(failure)),
        ..WorkflowCommand::default()
    };
    let request = SubmitWorkflowCommandsRequest {
        workflow_execution_id: fields.get("workflowExecutionId")?,
        commands: vec![command],
        status: WorkflowStatus::Failed.into(),
        submission_number: fields.get("submissionNumber")?,
        ..SubmitWorkflowCommandsRequest::default()
    };
    Ok(request.encode_to_vec())
}
