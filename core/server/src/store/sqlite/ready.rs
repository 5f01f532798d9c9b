use std::{collections::BTreeSet, ops::Bound};

use flovyn_orchestrator::{Key, Preference, ReadyEntry, ReadyQueue, StoreError, Work};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::record::{self, execute, failed, work_column};

pub(super) fn put(connection: &Connection, entry: &ReadyEntry, number: i64) -> Result<(), StoreError> {
    let ReadyEntry { queue, id, kind, rank_ms, worker, ready_at_ms } = entry;
    let work = work_column(queue.work);
    let sql = "INSERT OR REPLACE INTO ready (org, work, id, queue, kind, rank_ms, number, worker, ready_at_ms)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let params = params![queue.org_id, work, id, queue.name, kind, rank_ms, number, worker, ready_at_ms];
    execute(connection, sql, params)
}

pub(super) fn first(
    connection: &Connection,
    queue: &ReadyQueue,
    kinds: Option<&BTreeSet<String>>,
    preference: Option<Preference<'_>>,
) -> Result<Option<Key>, StoreError> {
    let found = match kinds {
        Some(kinds) => {
            best(kinds_among(connection, queue, kinds).map(|kind| first_of_kind(connection, queue, &kind?)))?
        }
        None => best(kinds_from(connection, queue).map(|kind| first_of_kind(connection, queue, &kind?)))?,
    };
    let Some(Found { id: first, .. }) = found else { return Ok(None) };
    let preferred = match preference {
        Some(preference) => preferred(connection, queue, kinds, preference, first)?,
        None => None,
    };
    Ok(Some(Key { org_id: queue.org_id, id: preferred.unwrap_or(first) }))
}

fn preferred(
    connection: &Connection,
    queue: &ReadyQueue,
    kinds: Option<&BTreeSet<String>>,
    Preference { worker, since_ms }: Preference<'_>,
    first: Uuid,
) -> Result<Option<Uuid>, StoreError> {
    let work = work_column(queue.work);
    let sql = "SELECT 1 FROM ready WHERE org = ? AND work = ? AND id = ? AND ready_at_ms <= ?";
    if record::first(connection, sql, (queue.org_id, work, first, since_ms), |_| Ok(()))?.is_some() {
        return Ok(None);
    }
    let sql = "SELECT id, kind FROM ready WHERE org = ? AND work = ? AND queue = ? AND worker = ?
               ORDER BY rank_ms, number";
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query((queue.org_id, work, &queue.name, worker)).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let kind: String = row.get(1).map_err(failed)?;
        if kinds.is_none_or(|kinds| kinds.contains(&kind)) {
            return row.get(0).map(Some).map_err(failed);
        }
    }
    Ok(None)
}

pub(super) fn remove(connection: &Connection, work: Work, key: Key) -> Result<(), StoreError> {
    let sql = "DELETE FROM ready WHERE org = ? AND work = ? AND id = ?";
    execute(connection, sql, (key.org_id, work_column(work), key.id))
}

/// An entry, ordered as entries are taken.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    rank_ms: i64,
    number: i64,
    id: Uuid,
}

fn best(found: impl Iterator<Item = Result<Option<Found>, StoreError>>) -> Result<Option<Found>, StoreError> {
    let mut best: Option<Found> = None;
    for found in found {
        best = best.into_iter().chain(found?).min();
    }
    Ok(best)
}

fn first_of_kind(connection: &Connection, queue: &ReadyQueue, kind: &str) -> Result<Option<Found>, StoreError> {
    let sql = "SELECT rank_ms, number, id FROM ready WHERE org = ? AND work = ? AND queue = ? AND kind = ?
               ORDER BY rank_ms, number LIMIT 1";
    let params = (queue.org_id, work_column(queue.work), &queue.name, kind);
    record::first(connection, sql, params, |row| {
        Ok(Found { rank_ms: row.get(0)?, number: row.get(1)?, id: row.get(2)? })
    })
}

/// The kinds of which something waits in a queue, of these. Each step goes past all kinds that are in one of the two
/// only, so that an empty queue takes one step however many kinds are asked for.
fn kinds_among<'a>(
    connection: &'a Connection,
    queue: &'a ReadyQueue,
    kinds: &'a BTreeSet<String>,
) -> impl Iterator<Item = Result<String, StoreError>> + 'a {
    let mut next = kinds.first();
    std::iter::from_fn(move || {
        while let Some(from) = next {
            let sql = "SELECT min(kind) FROM ready WHERE org = ? AND work = ? AND queue = ? AND kind >= ?";
            let params = (queue.org_id, work_column(queue.work), &queue.name, from);
            let found = match record::first(connection, sql, params, |row| row.get::<_, Option<String>>(0)) {
                Ok(found) => found.flatten(),
                Err(error) => {
                    next = None;
                    return Some(Err(error));
                }
            };
            let Some(found) = found else { break };
            let wanted = kinds.contains(&found);
            let after = if wanted { Bound::Excluded(&found) } else { Bound::Included(&found) };
            next = kinds.range::<String, _>((after, Bound::Unbounded)).next();
            if wanted {
                return Some(Ok(found));
            }
        }
        next = None;
        None
    })
}

/// The kinds of which something waits in a queue, each found by one step through the index.
fn kinds_from(connection: &Connection, queue: &ReadyQueue) -> impl Iterator<Item = Result<String, StoreError>> {
    let mut last: Option<String> = None;
    std::iter::from_fn(move || {
        let sql = match &last {
            None => "SELECT min(kind) FROM ready WHERE org = ? AND work = ? AND queue = ? AND kind >= ?",
            Some(_) => "SELECT min(kind) FROM ready WHERE org = ? AND work = ? AND queue = ? AND kind > ?",
        };
        let after = last.as_deref().unwrap_or_default();
        let params = (queue.org_id, work_column(queue.work), &queue.name, after);
        let kind = record::first(connection, sql, params, |row| row.get::<_, Option<String>>(0)).map(Option::flatten);
        last = kind.as_ref().ok().cloned().flatten();
        kind.transpose()
    })
}
