use flovyn_orchestrator::{StoreError, TaskFilter, TaskList};
use rusqlite::{Connection, ToSql};
use uuid::Uuid;

use super::record::{first, limit, records};

/// Of one that has ended, the status is how it has ended.
const ENDED: [&str; 3] = ["COMPLETED", "FAILED", "CANCELLED"];

pub(super) fn list(
    connection: &Connection,
    org_id: Uuid,
    filter: &TaskFilter,
    max: usize,
    offset: usize,
) -> Result<TaskList, StoreError> {
    let mut params: Vec<&dyn ToSql> = vec![&org_id];
    let wanted = wanted(filter, &mut params);
    let window = [TaskList::TOTAL_MAX, max, offset].map(limit);
    params.push(&window[0]);
    let sql = format!("SELECT count(*) FROM (SELECT 1 {wanted} LIMIT ?)");
    let total = first(connection, &sql, params.as_slice(), |row| row.get(0))?;
    params.pop();
    params.extend(window[1..].iter().map(|number| number as &dyn ToSql));
    let sql = format!("SELECT record {wanted} ORDER BY created_at_ms DESC, id DESC LIMIT ? OFFSET ?");
    Ok(TaskList { tasks: records(connection, &sql, params.as_slice())?, total: total.unwrap_or_default() })
}

/// The rows that a filter admits.
fn wanted<'a>(filter: &'a TaskFilter, params: &mut Vec<&'a dyn ToSql>) -> String {
    let mut wanted = String::from("FROM tasks WHERE org = ? AND execution IS NULL");
    let TaskFilter { status, kind, queue } = filter;
    let by_status = match status.as_deref() {
        Some(status) if ENDED.contains(&status) => " AND ended = ?",
        _ => " AND ended IS NULL AND status = ?",
    };
    for (sql, value) in [(by_status, status), (" AND kind = ?", kind), (" AND queue = ?", queue)] {
        if let Some(value) = value {
            wanted.push_str(sql);
            params.push(value);
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::sqlite::schema;

    #[test]
    fn lists_find_what_they_show_by_an_index() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::prepare(&mut connection).unwrap();
        for (status, index) in [
            ("FAILED", "by_end (org=? AND ended=?"),
            ("RUNNING", "by_end (org=? AND ended=?"),
            ("", "standalone_tasks (org=?"),
        ] {
            let status = Some(status.to_owned()).filter(|status| !status.is_empty());
            let (filter, org) = (TaskFilter { status, ..TaskFilter::default() }, Uuid::nil());
            let mut params: Vec<&dyn ToSql> = vec![&org];
            let wanted = wanted(&filter, &mut params);
            let sql = format!("EXPLAIN QUERY PLAN SELECT record {wanted} ORDER BY created_at_ms DESC, id DESC");
            let mut statement = connection.prepare(&sql).unwrap();
            let rows = statement.query_map(params.as_slice(), |row| row.get::<_, String>("detail")).unwrap();
            let plan = rows.collect::<Result<Vec<_>, _>>().unwrap().join("; ");
            assert!(plan.contains(index) && !plan.contains("ORDER BY"), "{filter:?}: {plan}");
        }
    }
}
