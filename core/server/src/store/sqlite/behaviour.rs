//! The behavioural suite of the rules, on SQLite and on the memory store at once: the stores are compared call by call.
#![allow(clippy::unwrap_used, clippy::panic)]

mod twin;

use std::{
    fmt::Write,
    panic::{AssertUnwindSafe, catch_unwind},
};

use flovyn_orchestrator::{
    Status, Wake, Warning,
    testing::{Harness, InTransaction, MemoryHarness, random_run, suite},
};
use rusqlite::types::ValueRef;
use tempfile::TempDir;

use self::twin::TwinTx;
use super::{Committed, Store};

struct TwinHarness {
    memory: MemoryHarness,
    data: TempDir,
    /// `None` only while it is opened again.
    sqlite: Option<Store>,
}

impl TwinHarness {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let sqlite = Some(open(&data));
        Self { memory: MemoryHarness::default(), data, sqlite }
    }
}

fn open(data: &TempDir) -> Store {
    let store = Store::open(&data.path().join("flovyn.db")).unwrap();
    // Here nothing is killed, and thousands of commits need not wait for the disk.
    store.connection.pragma_update(None, "synchronous", "OFF").unwrap();
    store
}

impl Harness for TwinHarness {
    fn transaction(&mut self, function: &mut InTransaction<'_>) -> Result<(Vec<Wake>, Vec<Warning>), Status> {
        let (memory, sqlite) = (&mut self.memory, self.sqlite.as_mut().unwrap());
        sqlite.begin()?;
        let result =
            sqlite.attempt(|sqlite| memory.transaction(&mut |memory| function(&mut TwinTx { memory, sqlite })))?;
        // As in the writer: what failed has been undone, and the group is committed all the same.
        let Committed { wakes, warnings, .. } = sqlite.commit()?;
        let expected = result?;
        assert_eq!((&wakes, &warnings), (&expected.0, &expected.1));
        Ok((wakes, warnings))
    }

    fn dump(&mut self) -> String {
        dump(self.sqlite.as_ref().unwrap()).unwrap()
    }

    fn reopen(&mut self) {
        self.sqlite.take().unwrap().close().unwrap();
        self.sqlite = Some(open(&self.data));
    }
}

/// Every row of every table, in the order of the primary keys.
fn dump(store: &Store) -> rusqlite::Result<String> {
    let connection = &store.connection;
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    let tables = tables.query_map((), |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut text = String::new();
    for table in tables {
        let mut rows = connection.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = rows.column_count();
        let mut rows = rows.query(())?;
        while let Some(row) = rows.next()? {
            let values = (0..columns).map(|column| row.get_ref(column)).collect::<rusqlite::Result<Vec<_>>>()?;
            writeln!(text, "{table} {}", values.into_iter().map(show).collect::<Vec<_>>().join(" ")).unwrap();
        }
    }
    Ok(text)
}

fn show(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
        other => format!("{other:?}"),
    }
}

#[test]
fn the_sqlite_store_passes_the_suite() {
    // So that a failure shows what SQLite said.
    let _ = tracing_subscriber::fmt().with_test_writer().try_init();
    let tests = suite();
    let failed: Vec<_> = tests
        .iter()
        .filter(|(_, test)| catch_unwind(AssertUnwindSafe(|| test(&mut TwinHarness::new()))).is_err())
        .map(|(name, _)| *name)
        .collect();
    assert!(failed.is_empty(), "{} of {} failed: {failed:#?}", failed.len(), tests.len());
}

#[test]
fn random_requests_break_no_rule() {
    for seed in 200..210 {
        random_run(&mut TwinHarness::new(), seed, 400);
    }
}

#[test]
fn one_failed_request_leaves_the_others_of_its_group() {
    let mut harness = TwinHarness::new();
    let store = harness.sqlite.as_mut().unwrap();
    let record = |text: &str| flovyn_orchestrator::IdempotencyRecord {
        key: flovyn_orchestrator::IdempotencyKey {
            org_id: uuid::Uuid::nil(),
            space: flovyn_orchestrator::IdempotencySpace::Task,
            text: text.to_owned(),
        },
        target_id: uuid::Uuid::nil(),
        expires_at_ms: 1,
    };
    store.begin().unwrap();
    // The first to write has nothing to protect, those after it have.
    for (text, outcome) in [("z", Err(())), ("a", Ok(())), ("b", Err(())), ("c", Ok(()))] {
        let result = store.attempt(|tx| tx.put_idempotency(&record(text)).map_err(drop).and(outcome)).unwrap();
        assert_eq!(result, outcome);
    }
    store.commit().unwrap();
    harness.reopen();
    let store = harness.sqlite.as_mut().unwrap();
    store.begin().unwrap();
    let found = store.attempt(|tx| -> Result<_, ()> {
        Ok(["z", "a", "b", "c"].map(|text| tx.idempotency(&record(text).key).unwrap().is_some()))
    });
    assert_eq!(found.unwrap(), Ok([false, true, false, true]));
}
