use alloc::vec::Vec;

use uuid::Uuid;

use super::{DefinitionRecord, Key, StoreError, TaskAttempt, TaskFilter, TaskList, TaskLog, Tx, Work, WorkerRecord};

/// What hosts show to people and no rule reads. A list may have fewer than were asked for, one at least, where a store bounds
/// the bytes that it reads at once. It is apart from [`Tx`] so that a host that shows nothing carries
/// nothing of it.
pub trait Lists: Tx {
    /// The tasks that a filter admits, the newest first, of equal ones that with the higher id: `limit` of them after
    /// the first `offset`.
    fn standalone_tasks(
        &mut self,
        org_id: Uuid,
        filter: &TaskFilter,
        limit: usize,
        offset: usize,
    ) -> Result<TaskList, StoreError>;
    /// The attempts that [`Tx::put_task_attempt`] stored, in order.
    fn task_attempts(&mut self, task: Key) -> Result<Vec<TaskAttempt>, StoreError>;
    /// The lines of the log of a task with a higher number, in order; at most `max`.
    fn task_logs(&mut self, task: Key, after_number: i32, max: usize) -> Result<Vec<TaskLog>, StoreError>;

    /// The workers of an organisation, by name: `limit` of them after the first `offset`.
    fn workers(&mut self, org_id: Uuid, limit: usize, offset: usize) -> Result<Vec<WorkerRecord>, StoreError>;
    /// The definitions of workflows or of tasks, by kind and version: `limit` of them after the first `offset`.
    fn definitions(
        &mut self,
        org_id: Uuid,
        work: Work,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<DefinitionRecord>, StoreError>;
}
