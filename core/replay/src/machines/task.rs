use alloc::string::String;

use crate::{
    Handle, Job, Rejection,
    by_name::ByName,
    lane::{Lane, Record},
    signature::Signature,
    slot::Slot,
};

/// The tasks of an execution.
///
/// ```text
/// scheduled --TASK_COMPLETED--> resolved
/// scheduled --TASK_FAILED-----> rejected: TaskFailed
/// scheduled --TASK_CANCELLED--> rejected: TaskCancelled
/// ```
/// A settled task is forgotten, so whatever comes after is late and finds nothing.
#[derive(Debug)]
pub(crate) struct Tasks {
    pub(crate) lane: Lane<TaskRecord>,
    scheduled: ByName<ScheduledTask>,
}

#[derive(Debug)]
struct ScheduledTask {
    handle: Handle,
    kind: String,
}

/// A TASK_SCHEDULED event.
#[derive(Debug)]
pub(crate) struct TaskRecord {
    pub(crate) kind: String,
    pub(crate) task_execution_id: String,
}

/// How a task ended.
#[derive(Debug)]
pub(crate) enum TaskEnd {
    Completed(Slot),
    Failed { error: Slot, retryable: bool },
    Cancelled { reason: String },
}

impl Tasks {
    pub(crate) fn schedule(&mut self, task_execution_id: String, kind: String, handle: Handle) {
        self.scheduled.insert(task_execution_id, ScheduledTask { handle, kind });
    }

    /// Gives no job for a task that is not pending.
    pub(crate) fn settle(&mut self, task_execution_id: String, end: TaskEnd) -> Option<Job> {
        let ScheduledTask { handle, kind } = self.scheduled.remove(&task_execution_id)?;
        let rejection = match end {
            TaskEnd::Completed(output) => return Some(Job::Resolve { handle, value: output.into_payload() }),
            TaskEnd::Failed { error, retryable } => {
                Rejection::TaskFailed { task_execution_id, kind, message: error.into_text(), retryable }
            }
            TaskEnd::Cancelled { reason } => Rejection::TaskCancelled { task_execution_id, kind, reason },
        };
        Some(Job::Reject { handle, rejection })
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self { lane: Lane::new(), scheduled: ByName::new() }
    }
}

impl Record for TaskRecord {
    fn signature(&self) -> Signature<'_> {
        Signature::Task { kind: &self.kind }
    }
}
