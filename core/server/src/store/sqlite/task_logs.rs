use flovyn_orchestrator::{Key, StoreError, TaskLog};
use rusqlite::Connection;

use super::record::{execute, json, limit, shown};

pub(super) fn append(connection: &Connection, task: Key, number: i32, log: &TaskLog) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO task_logs (org, task, number, record) VALUES (?, ?, ?, ?)";
    execute(connection, sql, (task.org_id, task.id, number, json(log)?))
}

pub(super) fn after(
    connection: &Connection,
    task: Key,
    after_number: i32,
    max: usize,
) -> Result<Vec<TaskLog>, StoreError> {
    let sql = "SELECT record FROM task_logs WHERE org = ? AND task = ? AND number > ? ORDER BY number LIMIT ?";
    shown(connection, sql, (task.org_id, task.id, after_number, limit(max)))
}
