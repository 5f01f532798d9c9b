use flovyn_orchestrator::{Key, StoreError};
use flovyn_protocol::Payload;
use rusqlite::{Connection, params};

use super::record::{corrupt, execute, failed, first};

pub(super) fn all(connection: &Connection, execution: Key) -> Result<Vec<(String, Payload)>, StoreError> {
    let sql = "SELECT key, value FROM state WHERE org = ? AND execution = ? ORDER BY key";
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let rows = statement
        .query_map((execution.org_id, execution.id), |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
        .map_err(failed)?;
    rows.map(|row| {
        let (key, value) = row.map_err(failed)?;
        Ok((key, parse(execution, value)?))
    })
    .collect()
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
