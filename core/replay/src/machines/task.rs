use alloc::{boxed::Box, string::String};

use crate::{
    Handle, Job, Rejection,
    by_name::ByName,
    handles::{Awaited, Handles},
    slot::Slot,
};

/// The tasks of an execution, by their ids.
///
/// ```text
/// scheduled --TASK_COMPLETED--> resolved
/// scheduled --TASK_FAILED-----> rejected: TaskFailed
/// scheduled --TASK_CANCELLED--> rejected: TaskCancelled
/// scheduled --its scope is cancelled--> forgotten
/// ```
/// A settled task is forgotten, so whatever comes after is late and finds nothing.
#[derive(Debug, Default)]
pub(crate) struct Tasks(pub(crate) ByName<Handle>);

/// How a task ended.
#[derive(Debug)]
pub(crate) enum TaskEnd {
    Completed(Slot),
    Failed(Box<TaskFailure>),
    Cancelled { reason: String },
}

/// What is known of a failed task.
#[derive(Debug)]
pub(crate) struct TaskFailure {
    pub(crate) error: Slot,
    pub(crate) error_type: Option<String>,
    pub(crate) stack_trace: Option<Slot>,
    pub(crate) retryable: bool,
}

impl Tasks {
    /// Gives no job for a task that is not pending.
    pub(crate) fn settle(&mut self, handles: &mut Handles, task_execution_id: String, end: TaskEnd) -> Option<Job> {
        let handle = self.0.remove(&task_execution_id)?;
        let Awaited::Task { kind, .. } = handles.remove(handle)? else { return None };
        let rejection = match end {
            TaskEnd::Completed(output) => return Some(Job::Resolve { handle, value: output.into_payload() }),
            TaskEnd::Failed(failure) => Rejection::TaskFailed {
                task_execution_id,
                kind,
                message: failure.error.into_text(),
                error_type: failure.error_type,
                stack_trace: failure.stack_trace.map(Slot::into_text),
                retryable: failure.retryable,
            },
            TaskEnd::Cancelled { reason } => Rejection::TaskCancelled { task_execution_id, kind, reason },
        };
        Some(Job::Reject { handle, rejection })
    }
}
