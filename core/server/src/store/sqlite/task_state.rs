use flovyn_orchestrator::{Key, StoreError};
use flovyn_protocol::Payload;
use rusqlite::{Connection, params};

use super::record::{corrupt, execute, failed, first};

pub(super) fn keys(connection: &Connection, task: Key) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT key FROM task_state WHERE org = ? AND task = ? ORDER BY key";
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let rows = statement.query_map((task.org_id, task.id), |row| row.get(0)).map_err(failed)?;
    rows.map(|row| row.map_err(failed)).collect()
}

pub(super) fn get(connection: &Connection, task: Key, key: &str) -> Result<Option<Payload>, StoreError> {
    let sql = "SELECT value FROM task_state WHERE org = ? AND task = ? AND key = ?";
    let value = first(connection, sql, (task.org_id, task.id, key), |row| row.get::<_, String>(0))?;
    value.map(Payload::from_json).transpose().map_err(|_| corrupt(format!("the state of task {}", task.id)))
}

pub(super) fn put(connection: &Connection, task: Key, key: &str, value: &Payload) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO task_state (org, task, key, value) VALUES (?, ?, ?, ?)";
    execute(connection, sql, params![task.org_id, task.id, key, value.as_json()])
}

pub(super) fn remove(connection: &Connection, task: Key, key: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM task_state WHERE org = ? AND task = ? AND key = ?";
    execute(connection, sql, (task.org_id, task.id, key))
}
