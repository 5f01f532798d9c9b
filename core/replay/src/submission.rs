use alloc::{string::String, vec::Vec};

use flovyn_protocol::messages::{WorkflowCommand, WorkflowStatus};

/// What the driver does when [`poll_job`](crate::Execution::poll_job) gave no job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Start what [`poll_operation`](crate::Execution::poll_operation) gives.
    StartOperations,
    /// Stage, take and send a partial submission, then hand over the events of its answer.
    SubmitPartial,
    /// Wait until a running operation has finished.
    AwaitOperation,
    /// Call [`poll_job`](crate::Execution::poll_job) again: an operation has finished that is settled before its
    /// record is sent, as on a server without the extension.
    PollJob,
    /// Stage, take and send the last submission of this activation.
    SubmitFinal,
}

/// A submission whose payloads a codec may still change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// `Running` for a partial submission.
    pub status: WorkflowStatus,
    /// The JSON texts to encode, in order.
    pub payloads: Vec<String>,
}

/// The commands of an activation, or of a part of it, and the new status.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// In the order in which they are to be applied.
    pub commands: Vec<WorkflowCommand>,
    /// `Running` for a partial submission, else how the activation ended.
    pub status: WorkflowStatus,
    /// From 1 under each claim; 0 for a server without the extension.
    pub submission_number: i32,
    /// The last event held; 0 for a server without the extension.
    pub after_sequence: i32,
}
