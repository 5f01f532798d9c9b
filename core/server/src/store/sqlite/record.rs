use flovyn_orchestrator::{StoreError, Work};
use rusqlite::{Connection, OptionalExtension, Params, Row};
use serde::{Serialize, de::DeserializeOwned};

const SHOWN_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What went wrong in SQLite, in the terms of the rules. The details go to the log here, since clients do not get them.
pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode;
    tracing::error!(%error, "SQLite failed");
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) | None => {
            StoreError::Corrupt(error.to_string())
        }
        Some(_) => StoreError::Unavailable(error.to_string()),
    }
}

/// What is stored is not what this version stores. `what` holds nothing that users wrote.
pub(super) fn corrupt(what: String) -> StoreError {
    tracing::error!(what, "the database holds what cannot be understood");
    StoreError::Corrupt(what)
}

/// Runs one statement from the cache.
pub(super) fn execute(connection: &Connection, sql: &str, params: impl Params) -> Result<(), StoreError> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).map(drop).map_err(failed)
}

/// The first row of a query, if there is one.
pub(super) fn first<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    statement.query_row(params, read).optional().map_err(failed)
}

/// The record in the first column of the first row, if there is one.
pub(super) fn record<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Option<T>, StoreError> {
    let read = first(connection, sql, params, |row| {
        let text = row.get_ref(0)?.as_str()?;
        Ok(serde_json::from_str(text).map_err(|error| unreadable(sql, &error)))
    })?;
    read.transpose()
}

/// The records in the first column of all rows.
pub(super) fn records<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Vec<T>, StoreError> {
    records_within(usize::MAX, connection, sql, params)
}

/// As [`records`], for a list that is shown: as many of the first as have room in an answer, and one at least. Other
/// requests wait while it is read.
pub(super) fn shown<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Vec<T>, StoreError> {
    records_within(SHOWN_BYTES_MAX, connection, sql, params)
}

fn records_within<T: DeserializeOwned>(
    bytes_max: usize,
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query(params).map_err(failed)?;
    let mut records = Vec::new();
    let mut bytes = 0_usize;
    while let Some(row) = rows.next().map_err(failed)? {
        let text = row.get_ref(0).and_then(|value| Ok(value.as_str()?)).map_err(failed)?;
        bytes = bytes.saturating_add(text.len());
        if bytes > bytes_max && !records.is_empty() {
            break;
        }
        records.push(serde_json::from_str(text).map_err(|error| unreadable(sql, &error))?);
    }
    Ok(records)
}

/// A record as it is stored.
pub(super) fn json(record: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(|error| unreadable("a record to store", &error))
}

/// Without the text of the error, which quotes values.
fn unreadable(what: &str, error: &serde_json::Error) -> StoreError {
    corrupt(format!("{what}: {:?} error at column {}", error.classify(), error.column()))
}

/// A number of rows, for LIMIT.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// How the column `work` tells workflows and tasks apart.
pub(super) fn work_column(work: Work) -> i64 {
    match work {
        Work::Workflow => 0,
        Work::Task => 1,
        Work::Query => 2,
    }
}
