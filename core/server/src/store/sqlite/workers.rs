use flovyn_orchestrator::{DefinitionRecord, Key, StoreError, Work, WorkerRecord};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::record::{execute, json, limit, record, shown, work_column};

pub(super) fn get(connection: &Connection, key: Key) -> Result<Option<WorkerRecord>, StoreError> {
    record(connection, "SELECT record FROM workers WHERE org = ? AND id = ?", (key.org_id, key.id))
}

pub(super) fn by_name(connection: &Connection, org_id: Uuid, name: &str) -> Result<Option<WorkerRecord>, StoreError> {
    record(connection, "SELECT record FROM workers WHERE org = ? AND name = ?", (org_id, name))
}

pub(super) fn list(
    connection: &Connection,
    org_id: Uuid,
    max: usize,
    offset: usize,
) -> Result<Vec<WorkerRecord>, StoreError> {
    let sql = "SELECT record FROM workers WHERE org = ? ORDER BY name LIMIT ? OFFSET ?";
    shown(connection, sql, (org_id, limit(max), limit(offset)))
}

pub(super) fn put(connection: &Connection, worker: &WorkerRecord) -> Result<(), StoreError> {
    let Key { org_id, id } = worker.key;
    let sql = "INSERT INTO workers (org, id, name, record) VALUES (?, ?, ?, ?)
               ON CONFLICT (org, id) DO UPDATE SET name = excluded.name, record = excluded.record";
    execute(connection, sql, (org_id, id, &worker.name, json(worker)?))
}

pub(super) fn remove(connection: &Connection, key: Key) -> Result<(), StoreError> {
    execute(connection, "DELETE FROM workers WHERE org = ? AND id = ?", (key.org_id, key.id))
}

pub(super) fn definition(
    connection: &Connection,
    org_id: Uuid,
    work: Work,
    kind: &str,
    version: &str,
) -> Result<Option<DefinitionRecord>, StoreError> {
    let sql = "SELECT record FROM definitions WHERE org = ? AND work = ? AND kind = ? AND version = ?";
    record(connection, sql, (org_id, work_column(work), kind, version))
}

pub(super) fn definitions(
    connection: &Connection,
    org_id: Uuid,
    work: Work,
    max: usize,
    offset: usize,
) -> Result<Vec<DefinitionRecord>, StoreError> {
    let sql = "SELECT record FROM definitions WHERE org = ? AND work = ? ORDER BY kind, version LIMIT ? OFFSET ?";
    shown(connection, sql, (org_id, work_column(work), limit(max), limit(offset)))
}

pub(super) fn put_definition(connection: &Connection, definition: &DefinitionRecord) -> Result<(), StoreError> {
    let DefinitionRecord { org_id, work, kind, version, .. } = definition;
    let sql = "INSERT OR REPLACE INTO definitions (org, work, kind, version, record) VALUES (?, ?, ?, ?, ?)";
    execute(connection, sql, params![org_id, work_column(*work), kind, version, json(definition)?])
}
