use flovyn_orchestrator::{
    DefinitionRecord, Key, Lists, StoreError, TaskAttempt, TaskFilter, TaskList, TaskLog, Work, WorkerRecord,
};
use uuid::Uuid;

use super::{task_attempts, task_lists, task_logs, transaction::Transaction, workers};

impl Lists for Transaction<'_> {
    fn standalone_tasks(
        &mut self,
        org_id: Uuid,
        filter: &TaskFilter,
        limit: usize,
        offset: usize,
    ) -> Result<TaskList, StoreError> {
        task_lists::list(self.connection, org_id, filter, limit, offset)
    }

    fn task_attempts(&mut self, task: Key) -> Result<Vec<TaskAttempt>, StoreError> {
        task_attempts::all(self.connection, task)
    }

    fn task_logs(&mut self, task: Key, after_number: i32, max: usize) -> Result<Vec<TaskLog>, StoreError> {
        task_logs::after(self.connection, task, after_number, max)
    }

    fn workers(&mut self, org_id: Uuid, limit: usize, offset: usize) -> Result<Vec<WorkerRecord>, StoreError> {
        workers::list(self.connection, org_id, limit, offset)
    }

    fn definitions(
        &mut self,
        org_id: Uuid,
        work: Work,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<DefinitionRecord>, StoreError> {
        workers::definitions(self.connection, org_id, work, limit, offset)
    }
}
