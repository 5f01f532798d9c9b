//! A [`Tx`](crate::Tx) over maps in memory: the store of the embedded engine and of tests.
//!
//! A transaction works on the maps themselves and logs how to undo each change; failing plays the log backwards. So
//! success, which is nearly always, costs one entry per change.

mod deadlines;
mod lists;
mod ready;
mod table;
mod tx;

use alloc::{string::String, vec::Vec};

use flovyn_protocol::Payload;
use uuid::Uuid;

pub use self::tx::MemoryTx;
use self::{deadlines::Deadlines, ready::ReadyQueues, table::Table, tx::Undo};
use crate::{
    Status,
    store::{
        DefinitionRecord, EventRecord, Execution, IdempotencyKey, IdempotencyRecord, Key, PayloadSlot, PromiseRecord,
        QueryRecord, Streams, TaskAttempt, TaskLog, TaskRecord, Wake, Warning, Work, WorkerRecord,
    },
};

/// All that a server knows, in memory.
///
/// Two stores are equal if everything in them is; [`Debug`] writes it all out.
#[derive(Debug, Default, PartialEq)]
pub struct MemoryStore {
    executions: Table<Key, Execution>,
    /// By organisation and age.
    executions_by_age: Table<(Uuid, i64, Uuid), ()>,
    parts: Table<(Key, Uuid), Part>,
    histories: Table<Key, Vec<EventRecord>>,
    states: Table<(Key, String), Payload>,
    queries: Table<Key, QueryRecord>,
    query_workers: Table<(Uuid, String, Uuid), ()>,
    tasks: Table<Key, TaskRecord>,
    payloads: Table<(Key, PayloadSlot), Payload>,
    promises: Table<Key, PromiseRecord>,
    promise_names: Table<PromiseName, Uuid>,
    idempotency: Table<IdempotencyKey, IdempotencyRecord>,
    workers: Table<Key, WorkerRecord>,
    worker_names: Table<(Uuid, String), Uuid>,
    definitions: Table<(Uuid, Work, String, String), DefinitionRecord>,
    ready: ReadyQueues,
    deadlines: Deadlines,
    task_states: Table<(Key, String), Payload>,
    task_logs: Table<(Key, i32), TaskLog>,
    task_attempts: Table<(Key, i32), TaskAttempt>,
    streams: Streams,
}

/// What an execution has begun, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Task,
    Child,
}

/// In the order in which a promise is looked for by its name: pending ones first, then by age.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PromiseName {
    execution: Key,
    name: String,
    settled: bool,
    sequence: i32,
}

/// What a transaction has left for the host to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Committed<T> {
    /// What the function gave.
    pub value: T,
    /// Who is to be woken.
    pub wakes: Vec<Wake>,
    /// What people should be told.
    pub warnings: Vec<Warning>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a function in a transaction.
    ///
    /// # Errors
    /// Those of the function; the store is as it was before then.
    pub fn transaction<T>(
        &mut self,
        function: impl FnOnce(&mut MemoryTx<'_>) -> Result<T, Status>,
    ) -> Result<Committed<T>, Status> {
        let mut tx = MemoryTx::new(self);
        let mark = tx.mark();
        match function(&mut tx) {
            Ok(value) => {
                let MemoryTx { wakes, warnings, .. } = tx;
                self.streams.settle();
                Ok(Committed { value, wakes, warnings })
            }
            Err(status) => {
                tx.roll_back_to(&mark);
                Err(status)
            }
        }
    }

    fn newest_of(&self, org_id: Uuid) -> impl Iterator<Item = &Execution> + Clone {
        let all = (org_id, i64::MIN, Uuid::nil())..=(org_id, i64::MAX, Uuid::max());
        let newest = self.executions_by_age.range(all).rev();
        newest.filter_map(move |((_, _, id), ())| self.executions.get(&Key { org_id, id: *id }))
    }

    fn parts_of(&self, execution: Key, wanted: Part) -> impl Iterator<Item = Key> {
        let all = (execution, Uuid::nil())..=(execution, Uuid::max());
        let wanted = self.parts.range(all).filter(move |(_, part)| **part == wanted);
        wanted.map(|((of, id), _)| Key { id: *id, ..*of })
    }

    fn tasks_of(&self, execution: Key) -> impl Iterator<Item = &TaskRecord> {
        self.parts_of(execution, Part::Task).filter_map(|key| self.tasks.get(&key))
    }

    fn children_of(&self, execution: Key) -> impl Iterator<Item = &Execution> {
        self.parts_of(execution, Part::Child).filter_map(|key| self.executions.get(&key))
    }

    fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Execution(change) => self.executions.undo(change),
            Undo::ExecutionAge(change) => self.executions_by_age.undo(change),
            Undo::Part(change) => self.parts.undo(change),
            Undo::Event(execution) => self.undo_event(execution),
            Undo::State(change) => self.states.undo(change),
            Undo::Query(change) => self.queries.undo(change),
            Undo::QueryWorker(change) => self.query_workers.undo(change),
            Undo::Task(change) => self.tasks.undo(change),
            Undo::Payload(change) => self.payloads.undo(change),
            Undo::Promise(change) => self.promises.undo(change),
            Undo::PromiseName(change) => self.promise_names.undo(change),
            Undo::Idempotency(change) => self.idempotency.undo(change),
            Undo::Worker(change) => self.workers.undo(change),
            Undo::WorkerName(change) => self.worker_names.undo(change),
            Undo::Definition(change) => self.definitions.undo(change),
            Undo::TaskState(change) => self.task_states.undo(change),
            Undo::TaskLog(change) => self.task_logs.undo(change),
            Undo::TaskAttempt(change) => self.task_attempts.undo(change),
            Undo::Ready(change) => self.ready.undo(change),
            Undo::Deadline(change) => self.deadlines.undo(change),
        }
    }

    fn undo_event(&mut self, execution: Key) {
        if let Some(history) = self.histories.get_or_default(execution) {
            history.pop();
            if history.is_empty() {
                self.histories.remove(&execution);
            }
        }
    }
}
