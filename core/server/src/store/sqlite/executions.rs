use flovyn_orchestrator::{EventRecord, Execution, Key, PageMax, StoreError};
use rusqlite::{Connection, Row, params};

use super::record::{execute, failed, json, record};

pub(super) fn get(connection: &Connection, key: Key) -> Result<Option<Execution>, StoreError> {
    record(connection, "SELECT record FROM executions WHERE org = ? AND id = ?", (key.org_id, key.id))
}

pub(super) fn put(connection: &Connection, execution: &Execution) -> Result<(), StoreError> {
    let Key { org_id, id } = execution.key;
    let sql = "INSERT INTO executions (org, id, record) VALUES (?, ?, ?)
               ON CONFLICT DO UPDATE SET record = excluded.record";
    execute(connection, sql, (org_id, id, json(execution)?))
}

pub(super) fn append_event(connection: &Connection, key: Key, event: &EventRecord) -> Result<(), StoreError> {
    let EventRecord { sequence, event_type, data, timestamp_ms } = event;
    let sql = "INSERT INTO events (org, execution, sequence, type, data, timestamp_ms) VALUES (?, ?, ?, ?, ?, ?)";
    execute(connection, sql, params![key.org_id, key.id, sequence, event_type, data, timestamp_ms])
}

pub(super) fn events(
    connection: &Connection,
    key: Key,
    after_sequence: i32,
    max: PageMax,
) -> Result<Vec<EventRecord>, StoreError> {
    let sql = "SELECT sequence, type, data, timestamp_ms FROM events
               WHERE org = ? AND execution = ? AND sequence > ? ORDER BY sequence LIMIT ?";
    let limit = i64::try_from(max.events).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let rows = statement.query_map((key.org_id, key.id, after_sequence, limit), read_event).map_err(failed)?;
    let mut page = Vec::new();
    let mut bytes = 0;
    for event in rows {
        let event = event.map_err(failed)?;
        bytes += event.wire_bytes();
        if bytes > max.bytes && !page.is_empty() {
            break;
        }
        page.push(event);
    }
    Ok(page)
}

fn read_event(row: &Row<'_>) -> rusqlite::Result<EventRecord> {
    Ok(EventRecord { sequence: row.get(0)?, event_type: row.get(1)?, data: row.get(2)?, timestamp_ms: row.get(3)? })
}
