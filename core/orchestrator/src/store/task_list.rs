use alloc::{string::String, vec::Vec};

use super::TaskRecord;

/// Which tasks are listed, of those that belong to no execution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Those with this [`TaskState::status`](super::TaskState::status).
    pub status: Option<String>,
    /// Those of this kind.
    pub kind: Option<String>,
    /// Those of this queue.
    pub queue: Option<String>,
}

impl TaskFilter {
    /// Whether a task is listed.
    pub fn admits(&self, task: &TaskRecord) -> bool {
        task.execution_id.is_none()
            && self.status.as_deref().is_none_or(|status| task.state.status() == status)
            && self.kind.as_ref().is_none_or(|kind| task.kind == *kind)
            && self.queue.as_ref().is_none_or(|queue| task.queue == *queue)
    }
}

/// Part of a list of tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskList {
    /// Those asked for.
    pub tasks: Vec<TaskRecord>,
    /// How many the filter admits; [`TOTAL_MAX`](Self::TOTAL_MAX) if there are more.
    pub total: i64,
}

impl TaskList {
    /// So many are counted and no more: counting all of them would keep other requests waiting.
    pub const TOTAL_MAX: usize = 10_000;
}
