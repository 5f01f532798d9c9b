use alloc::{string::String, vec::Vec};

use uuid::Uuid;

use super::MemoryTx;
use crate::store::{
    DefinitionRecord, Key, Lists, StoreError, TaskAttempt, TaskFilter, TaskList, TaskLog, Work, WorkerRecord,
};

type Stored<T> = Result<T, StoreError>;

impl Lists for MemoryTx<'_> {
    fn standalone_tasks(&mut self, org_id: Uuid, filter: &TaskFilter, limit: usize, offset: usize) -> Stored<TaskList> {
        let of_org = self.store.tasks.range(Key { org_id, id: Uuid::nil() }..=Key { org_id, id: Uuid::max() });
        let mut found: Vec<_> = of_org.map(|(_, task)| task).filter(|task| filter.admits(task)).collect();
        found.sort_by_key(|task| core::cmp::Reverse((task.created_at_ms, task.key)));
        let total = i64::try_from(found.len().min(TaskList::TOTAL_MAX)).unwrap_or(i64::MAX);
        Ok(TaskList { tasks: found.into_iter().skip(offset).take(limit).cloned().collect(), total })
    }

    fn task_attempts(&mut self, task: Key) -> Stored<Vec<TaskAttempt>> {
        let range = self.store.task_attempts.range((task, i32::MIN)..=(task, i32::MAX));
        Ok(range.map(|(_, attempt)| attempt.clone()).collect())
    }

    fn task_logs(&mut self, task: Key, after_number: i32, max: usize) -> Stored<Vec<TaskLog>> {
        let range = self.store.task_logs.range((task, after_number.saturating_add(1))..=(task, i32::MAX));
        Ok(range.take(max).map(|(_, log)| log.clone()).collect())
    }

    fn workers(&mut self, org_id: Uuid, limit: usize, offset: usize) -> Stored<Vec<WorkerRecord>> {
        let names = self.store.worker_names.range((org_id, String::new())..);
        let ids = names.take_while(|((of, _), _)| *of == org_id).map(|(_, id)| Key { org_id, id: *id });
        Ok(ids.skip(offset).take(limit).filter_map(|key| self.store.workers.get(&key)).cloned().collect())
    }

    fn definitions(&mut self, org_id: Uuid, work: Work, limit: usize, offset: usize) -> Stored<Vec<DefinitionRecord>> {
        let all = self.store.definitions.range((org_id, work, String::new(), String::new())..);
        let wanted = all.take_while(|((of, kind_of_work, ..), _)| (*of, *kind_of_work) == (org_id, work));
        Ok(wanted.skip(offset).take(limit).map(|(_, definition)| definition.clone()).collect())
    }
}
