use flovyn_orchestrator::{Key, StoreError};
use flovyn_protocol::Payload;
use rusqlite::{Connection, params};

use super::record::{corrupt, execute, failed, first};

pub(super) fn all(
    connection: &Connection,
    execution: Key,
    bytes_max: usize,
) -> Result<Option<Vec<(String, Payload)>>, StoreError> {
    let sql = "SELECT key, value FROM state WHERE org = ? AND execution = ? ORDER BY key";
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query((execution.org_id, execution.id)).map_err(failed)?;
    let (mut state, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next().map_err(failed)? {
        let (key, value): (String, String) = row.try_into().map_err(failed)?;
        bytes += key.len() + value.len();
        if bytes > bytes_max {
            return Ok(None);
        }
        state.push((key, parse(execution, value)?));
    }
    Ok(Some(state))
}

pub(super) fn get(connection: &Connection, execution: Key, key: &str) -> Result<Option<Payload>, StoreError> {
    let sql = "SELECT value FROM state WHERE org = ? AND execution = ? AND key = ?";
    let value = first(connection, sql, (execution.org_id, execution.id, key), |row| row.get::<_, String>(0))?;
    value.map(|value| parse(execution, value)).transpose()
}

pub(super) fn put(connection: &Connection, execution: Key, key: &str, value: &Payload) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO state (org, execution, key, value) VALUES (?, ?, ?, ?)";
    execute(connection, sql, params![execution.org_id, execution.id, key, value.as_json()])
}

pub(super) fn remove(connection: &Connection, execution: Key, key: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM state WHERE org = ? AND execution = ? AND key = ?";
    execute(connection, sql, (execution.org_id, execution.id, key))
}

fn parse(execution: Key, value: String) -> Result<Payload, StoreError> {
    Payload::from_json(value).map_err(|_| corrupt(format!("the state of execution {}", execution.id)))
}
