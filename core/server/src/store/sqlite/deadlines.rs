use flovyn_orchestrator::{Deadline, DeadlineKey, DeadlineKind, IdempotencyKey, Key, StoreError};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::{
    idempotency::{parse_space, space_column},
    record::{corrupt, execute, failed, first},
};

pub(super) fn get(connection: &Connection, key: &DeadlineKey) -> Result<Option<i64>, StoreError> {
    let Columns { org, kind, owner, name } = Columns::of(key);
    let sql = "SELECT due_ms FROM deadlines WHERE org = ? AND kind = ? AND owner = ? AND name = ?";
    first(connection, sql, (org, kind, owner, name), |row| row.get(0))
}

pub(super) fn put(connection: &Connection, deadline: &Deadline, number: i64) -> Result<(), StoreError> {
    let Columns { org, kind, owner, name } = Columns::of(&deadline.key);
    let sql = "INSERT OR REPLACE INTO deadlines (org, kind, owner, name, due_ms, number) VALUES (?, ?, ?, ?, ?, ?)";
    execute(connection, sql, params![org, kind, owner, name, deadline.due_ms, number])
}

pub(super) fn remove(connection: &Connection, key: &DeadlineKey) -> Result<(), StoreError> {
    let Columns { org, kind, owner, name } = Columns::of(key);
    let sql = "DELETE FROM deadlines WHERE org = ? AND kind = ? AND owner = ? AND name = ?";
    execute(connection, sql, (org, kind, owner, name))
}

pub(super) fn remove_of_execution(connection: &Connection, execution: Key) -> Result<(), StoreError> {
    let sql = "DELETE FROM deadlines WHERE org = ? AND kind = ? AND owner = ?";
    for kind in [DeadlineKind::Timer, DeadlineKind::Promise] {
        execute(connection, sql, (execution.org_id, kind_column(kind), execution.id))?;
    }
    Ok(())
}

pub(super) fn due(connection: &Connection, now_ms: i64, max: usize) -> Result<Vec<Deadline>, StoreError> {
    let sql = "SELECT org, kind, owner, name, due_ms FROM deadlines WHERE due_ms <= ? ORDER BY due_ms, number LIMIT ?";
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let rows = statement.query_map((now_ms, max), |row| Ok((Columns::read(row)?, row.get(4)?))).map_err(failed)?;
    rows.map(|row| {
        let (columns, due_ms) = row.map_err(failed)?;
        Ok(Deadline { key: columns.parse()?, due_ms })
    })
    .collect()
}

pub(super) fn next_due_ms(connection: &Connection) -> Result<Option<i64>, StoreError> {
    first(connection, "SELECT min(due_ms) FROM deadlines", (), |row| row.get(0)).map(Option::flatten)
}

/// A key as columns: what it is about, and the rest as text.
struct Columns {
    org: Uuid,
    kind: i64,
    owner: Uuid,
    name: String,
}

impl Columns {
    fn of(key: &DeadlineKey) -> Self {
        let (Key { org_id: org, id: owner }, name) = match key {
            DeadlineKey::Timer { execution, timer_id } => (*execution, timer_id.clone()),
            DeadlineKey::Promise { execution, promise_id } => (*execution, promise_id.to_string()),
            DeadlineKey::Cancel { execution, parent, reason } => (*execution, format!("{parent}:{reason}")),
            DeadlineKey::Grace(key)
            | DeadlineKey::WorkflowTimeout(key)
            | DeadlineKey::Execution(key)
            | DeadlineKey::Task(key)
            | DeadlineKey::TaskTimeout(key)
            | DeadlineKey::Query(key)
            | DeadlineKey::Worker(key) => (*key, String::new()),
            DeadlineKey::Idempotency(IdempotencyKey { org_id, space, text }) => {
                (Key { org_id: *org_id, id: Uuid::nil() }, format!("{}:{text}", space_column(*space)))
            }
        };
        Self { org, kind: kind_column(key.kind()), owner, name }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { org: row.get(0)?, kind: row.get(1)?, owner: row.get(2)?, name: row.get(3)? })
    }

    fn parse(self) -> Result<DeadlineKey, StoreError> {
        let Self { org, kind, owner, name } = self;
        let key = Key { org_id: org, id: owner };
        let corrupt = || corrupt(format!("a deadline of kind {kind} with owner {owner}"));
        Ok(match parse_kind(kind).ok_or_else(corrupt)? {
            DeadlineKind::Timer => DeadlineKey::Timer { execution: key, timer_id: name },
            DeadlineKind::Promise => {
                DeadlineKey::Promise { execution: key, promise_id: Uuid::try_parse(&name).map_err(|_| corrupt())? }
            }
            DeadlineKind::Cancel => {
                let (parent, reason) = name.split_once(':').ok_or_else(corrupt)?;
                let parent = Uuid::try_parse(parent).map_err(|_| corrupt())?;
                DeadlineKey::Cancel { execution: key, parent, reason: reason.to_owned() }
            }
            DeadlineKind::Grace => DeadlineKey::Grace(key),
            DeadlineKind::WorkflowTimeout => DeadlineKey::WorkflowTimeout(key),
            DeadlineKind::Execution => DeadlineKey::Execution(key),
            DeadlineKind::Task => DeadlineKey::Task(key),
            DeadlineKind::TaskTimeout => DeadlineKey::TaskTimeout(key),
            DeadlineKind::Worker => DeadlineKey::Worker(key),
            DeadlineKind::Query => DeadlineKey::Query(key),
            DeadlineKind::Idempotency => {
                let (space, text) = name.split_once(':').ok_or_else(corrupt)?;
                let space = space.parse().ok().and_then(parse_space).ok_or_else(corrupt)?;
                DeadlineKey::Idempotency(IdempotencyKey { org_id: org, space, text: text.to_owned() })
            }
        })
    }
}

const KINDS: [DeadlineKind; 11] = [
    DeadlineKind::Timer,
    DeadlineKind::Promise,
    DeadlineKind::Execution,
    DeadlineKind::Task,
    DeadlineKind::TaskTimeout,
    DeadlineKind::Idempotency,
    DeadlineKind::Worker,
    DeadlineKind::Cancel,
    DeadlineKind::Grace,
    DeadlineKind::WorkflowTimeout,
    DeadlineKind::Query,
];

fn kind_column(kind: DeadlineKind) -> i64 {
    match kind {
        DeadlineKind::Timer => 0,
        DeadlineKind::Promise => 1,
        DeadlineKind::Execution => 2,
        DeadlineKind::Task => 3,
        DeadlineKind::TaskTimeout => 4,
        DeadlineKind::Idempotency => 5,
        DeadlineKind::Worker => 6,
        DeadlineKind::Cancel => 7,
        DeadlineKind::Grace => 8,
        DeadlineKind::WorkflowTimeout => 9,
        DeadlineKind::Query => 10,
    }
}

fn parse_kind(column: i64) -> Option<DeadlineKind> {
    KINDS.into_iter().find(|kind| kind_column(*kind) == column)
}
