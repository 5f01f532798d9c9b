use flovyn_orchestrator::{EventRecord, Execution, ExecutionFilter, ExecutionList, Key, PageMax, StoreError};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::{
    newest::Newest,
    record::{execute, failed, json, limit, record, records},
};

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
    execute(connection, sql, params)?;
    if execution.state.is_ended() {
        let sql = "UPDATE executions SET ended = status WHERE org = ? AND id = ? AND ended IS NULL";
        execute(connection, sql, (org_id, id))?;
    }
    Ok(())
}

/// Those of an organisation.
pub(super) const OF_ORG: &str = "executions WHERE org = ?";

pub(super) fn list(
    connection: &Connection,
    org_id: Uuid,
    filter: &ExecutionFilter,
    max: usize,
    offset: usize,
) -> Result<ExecutionList, StoreError> {
    let ExecutionFilter { status, kind, queue } = filter;
    let (status, kind, queue) = (status.as_ref(), kind.as_ref(), queue.as_ref());
    let newest = Newest { from: OF_ORG, org_id, status, kind, queue };
    let (executions, total) = newest.list(connection, max, offset, ExecutionList::TOTAL_MAX)?;
    Ok(ExecutionList { executions, total })
}

const CHILDREN: &str =
    "SELECT record FROM executions WHERE org = ? AND parent = ? ORDER BY created_at_ms, id LIMIT ? OFFSET ?";

pub(super) fn children(
    connection: &Connection,
    parent: Key,
    max: usize,
    offset: usize,
) -> Result<Vec<Execution>, StoreError> {
    records(connection, CHILDREN, (parent.org_id, parent.id, limit(max), limit(offset)))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::sqlite::{newest::plan, schema, tasks};

    fn connection() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::prepare(&mut connection).unwrap();
        connection
    }

    #[test]
    fn not_more_is_counted_than_may_be() {
        let connection = connection();
        let fill = "INSERT INTO executions (org, id, created_at_ms, kind, queue, status, record)
                    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
                    SELECT ?, randomblob(16), n, 'order', 'default', 'WAITING', '{}' FROM n";
        for (rows, expected) in [(ExecutionList::TOTAL_MAX, 10_000), (1, 10_000)] {
            connection.execute(fill, (limit(rows), Uuid::nil())).unwrap();
            let listed = list(&connection, Uuid::nil(), &ExecutionFilter::default(), 0, 0).unwrap();
            assert_eq!(listed, ExecutionList { executions: Vec::new(), total: expected });
        }
    }

    #[test]
    fn parts_of_an_execution_are_found_by_an_index() {
        let connection = connection();
        for sql in [CHILDREN, tasks::OF_EXECUTION] {
            let plan = plan(&connection, sql, params![Uuid::nil(), Uuid::nil(), 1, 0]);
            assert!(plan.contains("_of_") && !plan.contains("ORDER BY"), "{plan}");
        }
    }
}
