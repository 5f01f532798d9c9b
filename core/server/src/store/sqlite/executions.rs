use flovyn_orchestrator::{EventRecord, Execution, ExecutionFilter, ExecutionList, Key, PageMax, StoreError};
use rusqlite::{Connection, Row, ToSql, params};
use uuid::Uuid;

use super::record::{execute, failed, first, json, limit, record, records};

pub(super) fn get(connection: &Connection, key: Key) -> Result<Option<Execution>, StoreError> {
    record(connection, "SELECT record FROM executions WHERE org = ? AND id = ?", (key.org_id, key.id))
}

pub(super) fn put(connection: &Connection, execution: &Execution) -> Result<(), StoreError> {
    let Execution { key: Key { org_id, id }, kind, queue, created_at_ms, parent, .. } = execution;
    let parent = parent.as_ref().map(|parent| parent.id);
    // What does not change is not written again, so that the indexes are left alone.
    let sql = "INSERT INTO executions (org, id, created_at_ms, kind, queue, parent, status, record)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET status = excluded.status, record = excluded.record";
    let params = params![org_id, id, created_at_ms, kind, queue, parent, execution.status(), json(execution)?];
    execute(connection, sql, params)
}

pub(super) fn list(
    connection: &Connection,
    org_id: Uuid,
    filter: &ExecutionFilter,
    limit: usize,
    offset: usize,
) -> Result<ExecutionList, StoreError> {
    let mut wanted = String::from("FROM executions WHERE org = ?");
    let mut params: Vec<&dyn ToSql> = vec![&org_id];
    let ExecutionFilter { status, kind, queue, parent } = filter;
    let conditions: [(&str, Option<&dyn ToSql>); 4] = [
        (" AND status = ?", status.as_ref().map(|status| status as &dyn ToSql)),
        (" AND kind = ?", kind.as_ref().map(|kind| kind as &dyn ToSql)),
        (" AND queue = ?", queue.as_ref().map(|queue| queue as &dyn ToSql)),
        (" AND parent = ?", parent.as_ref().map(|parent| parent as &dyn ToSql)),
    ];
    for (sql, value) in conditions {
        if let Some(value) = value {
            wanted.push_str(sql);
            params.push(value);
        }
    }
    let total = first(connection, &format!("SELECT count(*) {wanted}"), params.as_slice(), |row| row.get(0))?;
    let window = [limit, offset].map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    params.extend(window.iter().map(|number| number as &dyn ToSql));
    let sql = format!("SELECT record {wanted} ORDER BY created_at_ms DESC, id DESC LIMIT ? OFFSET ?");
    Ok(ExecutionList { executions: records(connection, &sql, params.as_slice())?, total: total.unwrap_or_default() })
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
    let limit = limit(max.events);
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
