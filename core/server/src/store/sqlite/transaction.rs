use std::collections::BTreeSet;

use flovyn_orchestrator::{
    Deadline, DeadlineKey, DefinitionRecord, EventRecord, Execution, ExecutionFilter, ExecutionList, IdempotencyKey,
    IdempotencyRecord, Key, PageMax, PayloadSlot, Preference, PromiseRecord, QueryRecord, ReadyEntry, ReadyQueue,
    StoreError, StreamRecord, Streams, TaskAttempt, TaskLog, TaskRecord, Tx, Wake, Warning, Work, WorkerRecord,
};
use flovyn_protocol::{Payload, status::Status};
use rusqlite::Connection;
use uuid::Uuid;

use super::{
    Committed, deadlines, executions, idempotency, promises, queries, ready, record::execute, state, task_attempts,
    task_logs, task_state, tasks, workers,
};

/// How a group begins: it will write.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// One request within a group commit.
pub(super) struct Transaction<'a> {
    pub(super) connection: &'a Connection,
    /// The last number given to a ready entry or deadline; numbers of undone requests are not given again.
    last_number: &'a mut i64,
    /// Whether requests of the group have written before this one.
    shared: &'a mut bool,
    streams: &'a mut Streams,
    streams_mark: usize,
    undo: Undo,
    effects: Committed,
}

/// How what a request wrote can be undone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Undo {
    /// It wrote nothing: most polls find nothing.
    Nothing,
    /// All that the group wrote is its own. A savepoint would copy each page before it changes.
    Group,
    /// It has a savepoint.
    Savepoint,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        last_number: &'a mut i64,
        shared: &'a mut bool,
        streams: &'a mut Streams,
    ) -> Self {
        let streams_mark = streams.mark();
        let (undo, effects) = (Undo::Nothing, Committed::default());
        Self { connection, last_number, shared, streams, streams_mark, undo, effects }
    }

    /// Keeps what was written.
    pub(super) fn release(self) -> Result<Committed, StoreError> {
        if self.undo == Undo::Savepoint {
            execute(self.connection, "RELEASE request", ())?;
        }
        Ok(self.effects)
    }

    /// Undoes what was written.
    pub(super) fn roll_back(self) -> Result<(), StoreError> {
        self.streams.roll_back_to(self.streams_mark);
        match self.undo {
            Undo::Nothing => Ok(()),
            Undo::Group => {
                *self.shared = false;
                execute(self.connection, "ROLLBACK", ())?;
                execute(self.connection, BEGIN, ())
            }
            Undo::Savepoint => {
                execute(self.connection, "ROLLBACK TO request", ())?;
                execute(self.connection, "RELEASE request", ())
            }
        }
    }

    /// The connection, for writing.
    fn write(&mut self) -> Result<&'a Connection, StoreError> {
        if self.undo == Undo::Nothing {
            self.undo = match *self.shared {
                true => {
                    execute(self.connection, "SAVEPOINT request", ())?;
                    Undo::Savepoint
                }
                false => Undo::Group,
            };
            *self.shared = true;
        }
        Ok(self.connection)
    }

    fn next_number(&mut self) -> i64 {
        *self.last_number += 1;
        *self.last_number
    }
}

impl Tx for Transaction<'_> {
    fn execution(&mut self, key: Key) -> Result<Option<Execution>, StoreError> {
        executions::get(self.connection, key)
    }

    fn put_execution(&mut self, execution: &Execution) -> Result<(), StoreError> {
        executions::put(self.write()?, execution)
    }

    fn executions(
        &mut self,
        org_id: Uuid,
        filter: &ExecutionFilter,
        limit: usize,
        offset: usize,
    ) -> Result<ExecutionList, StoreError> {
        executions::list(self.connection, org_id, filter, limit, offset)
    }

    fn children(&mut self, execution: Key, limit: usize, offset: usize) -> Result<Vec<Execution>, StoreError> {
        executions::children(self.connection, execution, limit, offset)
    }

    fn execution_tasks(&mut self, execution: Key, limit: usize, offset: usize) -> Result<Vec<TaskRecord>, StoreError> {
        tasks::of_execution(self.connection, execution, limit, offset)
    }

    fn append_event(&mut self, execution: Key, event: &EventRecord) -> Result<(), StoreError> {
        executions::append_event(self.write()?, execution, event)
    }

    fn events(&mut self, execution: Key, after_sequence: i32, max: PageMax) -> Result<Vec<EventRecord>, StoreError> {
        executions::events(self.connection, execution, after_sequence, max)
    }

    fn state(&mut self, execution: Key, bytes_max: usize) -> Result<Option<Vec<(String, Payload)>>, StoreError> {
        state::all(self.connection, execution, bytes_max)
    }

    fn state_value(&mut self, execution: Key, key: &str) -> Result<Option<Payload>, StoreError> {
        state::get(self.connection, execution, key)
    }

    fn put_state(&mut self, execution: Key, key: &str, value: &Payload) -> Result<(), StoreError> {
        state::put(self.write()?, execution, key, value)
    }

    fn remove_state(&mut self, execution: Key, key: &str) -> Result<(), StoreError> {
        state::remove(self.write()?, execution, key)
    }

    fn query(&mut self, key: Key) -> Result<Option<QueryRecord>, StoreError> {
        queries::get(self.connection, key)
    }

    fn put_query(&mut self, query: &QueryRecord) -> Result<(), StoreError> {
        queries::put(self.write()?, query)
    }

    fn remove_query(&mut self, key: Key) -> Result<(), StoreError> {
        queries::remove(self.write()?, key)
    }

    fn count_queries(&mut self, org_id: Uuid, max: usize) -> Result<usize, StoreError> {
        queries::count(self.connection, org_id, max)
    }

    fn query_workers(&mut self, org_id: Uuid, query: &str, max: usize) -> Result<Vec<Uuid>, StoreError> {
        queries::workers(self.connection, org_id, query, max)
    }

    fn put_query_worker(&mut self, worker: Key, query: &str) -> Result<(), StoreError> {
        queries::put_worker(self.write()?, worker, query)
    }

    fn remove_query_worker(&mut self, worker: Key, query: &str) -> Result<(), StoreError> {
        queries::remove_worker(self.write()?, worker, query)
    }

    fn task(&mut self, key: Key) -> Result<Option<TaskRecord>, StoreError> {
        tasks::get(self.connection, key)
    }

    fn put_task(&mut self, task: &TaskRecord) -> Result<(), StoreError> {
        tasks::put(self.write()?, task)
    }

    fn payload(&mut self, task: Key, slot: PayloadSlot) -> Result<Option<Payload>, StoreError> {
        tasks::payload(self.connection, task, slot)
    }

    fn put_payload(&mut self, task: Key, slot: PayloadSlot, payload: &Payload) -> Result<(), StoreError> {
        tasks::put_payload(self.write()?, task, slot, payload)
    }

    fn task_state_keys(&mut self, task: Key) -> Result<Vec<String>, StoreError> {
        task_state::keys(self.connection, task)
    }

    fn task_state_value(&mut self, task: Key, key: &str) -> Result<Option<Payload>, StoreError> {
        task_state::get(self.connection, task, key)
    }

    fn put_task_state(&mut self, task: Key, key: &str, value: &Payload) -> Result<(), StoreError> {
        task_state::put(self.write()?, task, key, value)
    }

    fn remove_task_state(&mut self, task: Key, key: &str) -> Result<(), StoreError> {
        task_state::remove(self.write()?, task, key)
    }

    fn append_task_log(&mut self, task: Key, number: i32, log: &TaskLog) -> Result<(), StoreError> {
        task_logs::append(self.write()?, task, number, log)
    }

    fn put_task_attempt(&mut self, task: Key, attempt: &TaskAttempt) -> Result<(), StoreError> {
        task_attempts::put(self.write()?, task, attempt)
    }

    fn remove_task_attempt(&mut self, task: Key, number: i32) -> Result<(), StoreError> {
        task_attempts::remove(self.write()?, task, number)
    }

    fn is_stream_open(&mut self, key: Key) -> bool {
        self.streams.is_open(key)
    }

    fn open_stream(&mut self, key: Key, now_ms: i64) {
        self.streams.open(key, now_ms);
    }

    fn push_stream(&mut self, key: Key, record: StreamRecord, now_ms: i64) {
        self.streams.push(key, record, now_ms);
    }

    fn advance_stream(&mut self, key: Key, task: Uuid, claim_token: &str, sequence: i32, now_ms: i64) -> bool {
        self.streams.advance(key, task, claim_token, sequence, now_ms)
    }

    fn stream(&mut self, key: Key, task: Option<Uuid>, after_sequence: i64, max: PageMax) -> Vec<StreamRecord> {
        self.streams.after(key, task, after_sequence, max)
    }

    fn put_ready(&mut self, entry: &ReadyEntry) -> Result<(), StoreError> {
        let number = self.next_number();
        ready::put(self.write()?, entry, number)
    }

    fn take_ready(
        &mut self,
        queue: &ReadyQueue,
        kinds: Option<&BTreeSet<String>>,
        preference: Option<Preference<'_>>,
    ) -> Result<Option<Key>, StoreError> {
        let Some(key) = ready::first(self.connection, queue, kinds, preference)? else { return Ok(None) };
        ready::remove(self.write()?, queue.work, key)?;
        Ok(Some(key))
    }

    fn remove_ready(&mut self, work: Work, key: Key) -> Result<(), StoreError> {
        ready::remove(self.write()?, work, key)
    }

    fn deadline(&mut self, key: &DeadlineKey) -> Result<Option<i64>, StoreError> {
        deadlines::get(self.connection, key)
    }

    fn put_deadline(&mut self, deadline: &Deadline) -> Result<(), StoreError> {
        let number = self.next_number();
        deadlines::put(self.write()?, deadline, number)?;
        self.effects.due(deadline.due_ms);
        Ok(())
    }

    fn remove_deadline(&mut self, key: &DeadlineKey) -> Result<(), StoreError> {
        deadlines::remove(self.write()?, key)
    }

    fn remove_execution_deadlines(&mut self, execution: Key) -> Result<(), StoreError> {
        deadlines::remove_of_execution(self.write()?, execution)
    }

    fn due_deadlines(&mut self, now_ms: i64, max: usize) -> Result<Vec<Deadline>, StoreError> {
        deadlines::due(self.connection, now_ms, max)
    }

    fn next_due_ms(&mut self) -> Result<Option<i64>, StoreError> {
        deadlines::next_due_ms(self.connection)
    }

    fn promise(&mut self, key: Key) -> Result<Option<PromiseRecord>, StoreError> {
        promises::get(self.connection, key)
    }

    fn put_promise(&mut self, promise: &PromiseRecord) -> Result<(), StoreError> {
        promises::put(self.write()?, promise)
    }

    fn promise_by_name(&mut self, execution: Key, name: &str) -> Result<Option<PromiseRecord>, StoreError> {
        promises::by_name(self.connection, execution, name)
    }

    fn idempotency(&mut self, key: &IdempotencyKey) -> Result<Option<IdempotencyRecord>, StoreError> {
        idempotency::get(self.connection, key)
    }

    fn put_idempotency(&mut self, record: &IdempotencyRecord) -> Result<(), StoreError> {
        idempotency::put(self.write()?, record)
    }

    fn remove_idempotency(&mut self, key: &IdempotencyKey) -> Result<(), StoreError> {
        idempotency::remove(self.write()?, key)
    }

    fn worker(&mut self, key: Key) -> Result<Option<WorkerRecord>, StoreError> {
        workers::get(self.connection, key)
    }

    fn worker_by_name(&mut self, org_id: Uuid, name: &str) -> Result<Option<WorkerRecord>, StoreError> {
        workers::by_name(self.connection, org_id, name)
    }

    fn put_worker(&mut self, worker: &WorkerRecord) -> Result<(), StoreError> {
        workers::put(self.write()?, worker)
    }

    fn remove_worker(&mut self, key: Key) -> Result<(), StoreError> {
        workers::remove(self.write()?, key)
    }

    fn definition(
        &mut self,
        org_id: Uuid,
        work: Work,
        kind: &str,
        version: &str,
    ) -> Result<Option<DefinitionRecord>, StoreError> {
        workers::definition(self.connection, org_id, work, kind, version)
    }

    fn put_definition(&mut self, definition: &DefinitionRecord) -> Result<(), StoreError> {
        workers::put_definition(self.write()?, definition)
    }

    fn attempt(
        &mut self,
        function: &mut dyn FnMut(&mut dyn Tx) -> Result<(), Status>,
    ) -> Result<Result<(), Status>, StoreError> {
        // First this one's own undo: what is kept now may have to go with it.
        self.write()?;
        let mut part = Transaction::new(self.connection, self.last_number, self.shared, self.streams);
        let result = function(&mut part);
        match &result {
            Ok(()) => self.effects.append(part.release()?),
            Err(_) => part.roll_back()?,
        }
        Ok(result)
    }

    fn wake(&mut self, wake: Wake) {
        self.effects.wakes.push(wake);
    }

    fn warn(&mut self, warning: Warning) {
        self.effects.warnings.push(warning);
    }
}
