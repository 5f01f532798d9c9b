use flovyn_orchestrator::StoreError;
use rusqlite::{Connection, ToSql};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::record::{first, limit, shown};

/// Of what has ended, the status is how it has ended.
const ENDED: [&str; 3] = ["COMPLETED", "FAILED", "CANCELLED"];

/// What is listed of a table that has the columns `status` and `ended`, the newest first.
pub(super) struct Newest<'a> {
    /// The table, and the condition of which the organisation is the parameter.
    pub(super) from: &'static str,
    pub(super) org_id: Uuid,
    pub(super) status: Option<&'a String>,
    pub(super) kind: Option<&'a String>,
    pub(super) queue: Option<&'a String>,
}

impl Newest<'_> {
    /// The records of a window, and how many rows there are; `total_max` if there are more.
    pub(super) fn list<T: DeserializeOwned>(
        &self,
        connection: &Connection,
        max: usize,
        offset: usize,
        total_max: usize,
    ) -> Result<(Vec<T>, i64), StoreError> {
        let (rows, mut params) = self.rows();
        let [total_max, max, offset] = [total_max, max, offset].map(limit);
        params.push(&total_max);
        let sql = format!("SELECT count(*) FROM (SELECT 1 {rows} LIMIT ?)");
        let total = first(connection, &sql, params.as_slice(), |row| row.get(0))?;
        params.pop();
        params.extend([&max as &dyn ToSql, &offset]);
        let sql = format!("SELECT record {rows} {NEWEST_FIRST} LIMIT ? OFFSET ?");
        Ok((shown(connection, &sql, params.as_slice())?, total.unwrap_or_default()))
    }

    /// The rows, and their parameters.
    fn rows(&self) -> (String, Vec<&dyn ToSql>) {
        let mut rows = format!("FROM {}", self.from);
        let mut params: Vec<&dyn ToSql> = vec![&self.org_id];
        let by_status = match self.status {
            Some(status) if ENDED.contains(&status.as_str()) => " AND ended = ?",
            _ => " AND ended IS NULL AND status = ?",
        };
        for (sql, value) in [(by_status, &self.status), (" AND kind = ?", &self.kind), (" AND queue = ?", &self.queue)]
        {
            if let Some(value) = value {
                rows.push_str(sql);
                params.push(value);
            }
        }
        (rows, params)
    }
}

const NEWEST_FIRST: &str = "ORDER BY created_at_ms DESC, id DESC";

/// How SQLite finds the rows of a query.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) fn plan(connection: &Connection, sql: &str, params: &[&dyn ToSql]) -> String {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = statement.query_map(params, |row| row.get::<_, String>("detail")).unwrap();
    steps.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{
        super::{executions, schema, task_lists},
        *,
    };

    fn plan_of(from: &'static str, status: &str) -> String {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::prepare(&mut connection).unwrap();
        let status = Some(status.to_owned()).filter(|status| !status.is_empty());
        let newest = Newest { from, org_id: Uuid::nil(), status: status.as_ref(), kind: None, queue: None };
        let (rows, params) = newest.rows();
        plan(&connection, &format!("SELECT record {rows} {NEWEST_FIRST}"), &params)
    }

    #[test]
    fn lists_find_what_they_show_by_an_index() {
        let cases = [
            (executions::OF_ORG, "executions_by_end (org=? AND ended=?", "executions_by_age (org=?"),
            (task_lists::OF_ORG, "standalone_tasks_by_end (org=? AND ended=?", "standalone_tasks (org=?"),
        ];
        for (from, by_end, of_org) in cases {
            for (status, index) in [("FAILED", by_end), ("RUNNING", by_end), ("", of_org)] {
                let plan = plan_of(from, status);
                assert!(plan.contains(index) && !plan.contains("ORDER BY"), "{from}, {status:?}: {plan}");
            }
        }
    }
}
