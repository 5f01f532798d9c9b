use alloc::{
    format,
    string::{String, ToString},
};
use core::fmt;

use flovyn_protocol::{
    Payload,
    messages::{WorkflowCommand, WorkflowStatus},
};

use crate::{ReplayError, WorkflowFailure, slot::Slot, wire};

/// How the workflow function ended in this activation.
#[derive(Debug)]
pub(crate) enum Outcome {
    Completed(Payload),
    Failed(WorkflowFailure),
    Cancelled { reason: String },
}

impl Outcome {
    pub(crate) fn status(&self) -> WorkflowStatus {
        match self {
            Self::Completed(_) => WorkflowStatus::Completed,
            Self::Failed(_) => WorkflowStatus::Failed,
            Self::Cancelled { .. } => WorkflowStatus::Cancelled,
        }
    }

    pub(crate) fn command(&self) -> WorkflowCommand {
        match self {
            Self::Completed(output) => wire::complete_workflow(output),
            Self::Failed(failure) => wire::fail_workflow(failure),
            Self::Cancelled { reason } => wire::cancel_workflow(reason),
        }
    }

    /// The same in the words of a history.
    pub(crate) fn ending(&self) -> Result<Ending, ReplayError> {
        Ok(match self {
            Self::Completed(output) => Ending::Completed(Slot::payload(output.clone())),
            Self::Failed(failure) => {
                let error = Slot::text(failure.error.clone())?;
                Ending::Failed { error, failure_type: failure.failure_type.clone(), by_server: false }
            }
            Self::Cancelled { reason } => Ending::Cancelled { reason: reason.clone() },
        })
    }
}

/// How an execution ended, as far as a replay must end the same way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ending {
    Completed(Slot),
    Failed { error: Slot, failure_type: String, by_server: bool },
    Cancelled { reason: String },
}

impl Ending {
    pub(crate) fn event_type(&self) -> &'static str {
        match self {
            Self::Completed(_) => "WORKFLOW_COMPLETED",
            Self::Failed { .. } => "WORKFLOW_EXECUTION_FAILED",
            Self::Cancelled { .. } => "WORKFLOW_CANCELLED",
        }
    }

    pub(crate) fn status(&self) -> WorkflowStatus {
        match self {
            Self::Completed(_) => WorkflowStatus::Completed,
            Self::Failed { .. } => WorkflowStatus::Failed,
            Self::Cancelled { .. } => WorkflowStatus::Cancelled,
        }
    }

    /// Whether a replay that ends like `got` can be the run that ended so.
    pub(crate) fn is_confirmed_by(&self, got: &Ending) -> bool {
        !self.is_of_the_code() || self == got
    }

    /// A cancelled execution may have been ended by the server, and others say so: whatever the code was about to do.
    pub(crate) fn is_of_the_code(&self) -> bool {
        match self {
            Self::Completed(_) => true,
            Self::Failed { by_server, .. } => !by_server,
            Self::Cancelled { .. } => false,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed(output) => write!(f, "completed with {}", shortened(output.as_json())),
            Self::Failed { error, failure_type, .. } => {
                write!(f, "failed as {failure_type} with {}", shortened(error.as_json()))
            }
            Self::Cancelled { reason } => write!(f, "cancelled with {}", shortened(&format!("{reason:?}"))),
        }
    }
}

/// Values can be large, and an error message is read by people.
fn shortened(json: &str) -> String {
    const CHARS_MAX: usize = 100;
    match json.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}...", &json[..end]),
        None => json.to_string(),
    }
}
