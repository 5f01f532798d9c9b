use rusqlite::{Connection, ErrorCode};
use rusqlite_migration::{M, Migrations};

use super::OpenError;

/// Each is applied once, in this order. From the first release on, none is changed: what is new is another one.
const MIGRATIONS: &[M<'static>] = &[
    M::up(include_str!("schema.sql")),
    M::up(include_str!("task_reports.sql")),
    M::up(include_str!("lists.sql")),
    M::up(include_str!("task_lists.sql")),
];

/// Statements that are kept prepared; there are fewer.
const STATEMENTS_MAX: usize = 128;

/// Takes the file for this process and brings it to the form that this version needs.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), OpenError> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    set_up(connection).map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::InUse,
        _ => OpenError::Sqlite(error),
    })?;
    Migrations::from_slice(MIGRATIONS).to_latest(connection).map_err(OpenError::Migration)
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    // Exclusive before the first access, so that the index of the log is in memory and no other process comes in.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What was answered is on the disk, not only in its cache.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    // 64 MiB of pages.
    connection.pragma_update(None, "cache_size", -64 * 1024)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // 16 MiB of log between checkpoints: the pages that every request touches are copied less often.
    connection.pragma_update(None, "wal_autocheckpoint", 4_096)?;
    // Takes the lock now, not with the first request.
    connection.execute_batch("BEGIN EXCLUSIVE; COMMIT")
}

/// The highest number given to a ready entry or deadline.
pub(super) fn last_number(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT max(number) FROM (SELECT max(number) AS number FROM ready
               UNION ALL SELECT max(number) FROM deadlines)";
    connection.query_row(sql, (), |row| row.get::<_, Option<i64>>(0)).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn migrations_apply() {
        Migrations::from_slice(MIGRATIONS).validate().unwrap();
    }
}
