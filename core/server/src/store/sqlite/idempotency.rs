use flovyn_orchestrator::{IdempotencyKey, IdempotencyRecord, IdempotencySpace, StoreError};
use rusqlite::{Connection, params};

use super::record::{execute, first};

pub(super) fn get(connection: &Connection, key: &IdempotencyKey) -> Result<Option<IdempotencyRecord>, StoreError> {
    let sql = "SELECT target, expires_at_ms FROM idempotency WHERE org = ? AND space = ? AND text = ?";
    first(connection, sql, (key.org_id, space_column(key.space), &key.text), |row| {
        Ok(IdempotencyRecord { key: key.clone(), target_id: row.get(0)?, expires_at_ms: row.get(1)? })
    })
}

pub(super) fn put(connection: &Connection, record: &IdempotencyRecord) -> Result<(), StoreError> {
    let IdempotencyRecord { key, target_id, expires_at_ms } = record;
    let sql = "INSERT OR REPLACE INTO idempotency (org, space, text, target, expires_at_ms) VALUES (?, ?, ?, ?, ?)";
    execute(connection, sql, params![key.org_id, space_column(key.space), key.text, target_id, expires_at_ms])
}

pub(super) fn remove(connection: &Connection, key: &IdempotencyKey) -> Result<(), StoreError> {
    let sql = "DELETE FROM idempotency WHERE org = ? AND space = ? AND text = ?";
    execute(connection, sql, (key.org_id, space_column(key.space), &key.text))
}

pub(super) fn space_column(space: IdempotencySpace) -> i64 {
    match space {
        IdempotencySpace::Execution => 0,
        IdempotencySpace::Task => 1,
        IdempotencySpace::Promise => 2,
    }
}

pub(super) fn parse_space(column: i64) -> Option<IdempotencySpace> {
    let spaces = [IdempotencySpace::Execution, IdempotencySpace::Task, IdempotencySpace::Promise];
    spaces.into_iter().find(|space| space_column(*space) == column)
}
