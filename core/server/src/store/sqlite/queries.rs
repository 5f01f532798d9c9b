use flovyn_orchestrator::{Key, QueryRecord, StoreError};
use rusqlite::Connection;
use uuid::Uuid;

use super::record::{execute, failed, first, json, limit, record};

pub(super) fn get(connection: &Connection, key: Key) -> Result<Option<QueryRecord>, StoreError> {
    record(connection, "SELECT record FROM queries WHERE org = ? AND id = ?", (key.org_id, key.id))
}

pub(super) fn put(connection: &Connection, query: &QueryRecord) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO queries (org, id, record) VALUES (?, ?, ?)";
    execute(connection, sql, (query.key.org_id, query.key.id, json(query)?))
}

pub(super) fn remove(connection: &Connection, key: Key) -> Result<(), StoreError> {
    execute(connection, "DELETE FROM queries WHERE org = ? AND id = ?", (key.org_id, key.id))
}

pub(super) fn count(connection: &Connection, org_id: Uuid, max: usize) -> Result<usize, StoreError> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM queries WHERE org = ? LIMIT ?)";
    let count: Option<i64> = first(connection, sql, (org_id, limit(max)), |row| row.get(0))?;
    Ok(count.and_then(|count| usize::try_from(count).ok()).unwrap_or(0))
}

pub(super) fn workers(connection: &Connection, org_id: Uuid, query: &str, max: usize) -> Result<Vec<Uuid>, StoreError> {
    let sql = "SELECT worker FROM query_workers WHERE org = ? AND query = ? ORDER BY worker DESC LIMIT ?";
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let rows = statement.query_map((org_id, query, limit(max)), |row| row.get(0)).map_err(failed)?;
    rows.collect::<Result<_, _>>().map_err(failed)
}

pub(super) fn put_worker(connection: &Connection, worker: Key, query: &str) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO query_workers (org, query, worker) VALUES (?, ?, ?)";
    execute(connection, sql, (worker.org_id, query, worker.id))
}

pub(super) fn remove_worker(connection: &Connection, worker: Key, query: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM query_workers WHERE org = ? AND query = ? AND worker = ?";
    execute(connection, sql, (worker.org_id, query, worker.id))
}
