use flovyn_orchestrator::{Key, PromiseRecord, PromiseState, StoreError};
use rusqlite::{Connection, params};

use super::record::{execute, json, record};

pub(super) fn get(connection: &Connection, key: Key) -> Result<Option<PromiseRecord>, StoreError> {
    record(connection, "SELECT record FROM promises WHERE org = ? AND id = ?", (key.org_id, key.id))
}

pub(super) fn put(connection: &Connection, promise: &PromiseRecord) -> Result<(), StoreError> {
    let PromiseRecord { key, execution_id, name, sequence, state } = promise;
    let settled = *state != PromiseState::Pending;
    let sql = "INSERT INTO promises (org, id, execution, name, settled, sequence, record) VALUES (?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET execution = excluded.execution, name = excluded.name,
                 settled = excluded.settled, sequence = excluded.sequence, record = excluded.record";
    execute(connection, sql, params![key.org_id, key.id, execution_id, name, settled, sequence, json(promise)?])
}

pub(super) fn by_name(
    connection: &Connection,
    execution: Key,
    name: &str,
) -> Result<Option<PromiseRecord>, StoreError> {
    let sql = "SELECT record FROM promises WHERE org = ? AND execution = ? AND name = ?
               ORDER BY settled, sequence LIMIT 1";
    record(connection, sql, (execution.org_id, execution.id, name))
}
