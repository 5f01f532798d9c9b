use flovyn_orchestrator::{Key, StoreError, TaskAttempt};
use rusqlite::Connection;

use super::record::{execute, json, records};

pub(super) fn all(connection: &Connection, task: Key) -> Result<Vec<TaskAttempt>, StoreError> {
    let sql = "SELECT record FROM task_attempts WHERE org = ? AND task = ? ORDER BY number";
    records(connection, sql, (task.org_id, task.id))
}

pub(super) fn put(connection: &Connection, task: Key, attempt: &TaskAttempt) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO task_attempts (org, task, number, record) VALUES (?, ?, ?, ?)";
    execute(connection, sql, (task.org_id, task.id, attempt.number, json(attempt)?))
}

pub(super) fn remove(connection: &Connection, task: Key, number: i32) -> Result<(), StoreError> {
    let sql = "DELETE FROM task_attempts WHERE org = ? AND task = ? AND number = ?";
    execute(connection, sql, (task.org_id, task.id, number))
}
