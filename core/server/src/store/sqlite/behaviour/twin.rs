use std::collections::BTreeSet;

use flovyn_orchestrator::{
    Deadline, DeadlineKey, DefinitionRecord, EventRecord, Execution, ExecutionFilter, ExecutionList, IdempotencyKey,
    IdempotencyRecord, Key, Lists, PageMax, PayloadSlot, Preference, PromiseRecord, QueryRecord, ReadyEntry,
    ReadyQueue, StoreError, StreamRecord, TaskAttempt, TaskFilter, TaskList, TaskLog, TaskRecord, Tx, Wake, Warning,
    Work, WorkerRecord,
};
use flovyn_protocol::{Payload, status::Status};
use uuid::Uuid;

/// A transaction on two stores at once, which must agree on every answer.
pub(super) struct TwinTx<'a, M: ?Sized, S: ?Sized> {
    pub(super) memory: &'a mut M,
    pub(super) sqlite: &'a mut S,
}

/// Asks both, compares, and gives the answer of one.
macro_rules! both {
    ($twin:ident.$method:ident($($argument:expr),*)) => {{
        let expected = $twin.memory.$method($($argument),*);
        let got = $twin.sqlite.$method($($argument),*);
        assert_eq!(got, expected, "{}: SQLite differs from memory", stringify!($method));
        got
    }};
}

type Stored<T> = Result<T, StoreError>;

impl<M: Tx + ?Sized, S: Tx + ?Sized> Tx for TwinTx<'_, M, S> {
    fn execution(&mut self, key: Key) -> Stored<Option<Execution>> {
        both!(self.execution(key))
    }

    fn put_execution(&mut self, execution: &Execution) -> Stored<()> {
        both!(self.put_execution(execution))
    }

    fn executions(
        &mut self,
        org_id: Uuid,
        filter: &ExecutionFilter,
        limit: usize,
        offset: usize,
    ) -> Stored<ExecutionList> {
        both!(self.executions(org_id, filter, limit, offset))
    }

    fn children(&mut self, execution: Key, limit: usize, offset: usize) -> Stored<Vec<Execution>> {
        both!(self.children(execution, limit, offset))
    }

    fn execution_tasks(&mut self, execution: Key, limit: usize, offset: usize) -> Stored<Vec<TaskRecord>> {
        both!(self.execution_tasks(execution, limit, offset))
    }

    fn append_event(&mut self, execution: Key, event: &EventRecord) -> Stored<()> {
        let expected = self.memory.append_event(execution, event);
        let got = self.sqlite.append_event(execution, event);
        match (&got, &expected) {
            // A test has damaged the record. Each says in its own words what is wrong.
            (Err(StoreError::Corrupt(_)), Err(StoreError::Corrupt(_))) => {}
            _ => assert_eq!(got, expected, "append_event: SQLite differs from memory"),
        }
        got
    }

    fn events(&mut self, execution: Key, after_sequence: i32, max: PageMax) -> Stored<Vec<EventRecord>> {
        both!(self.events(execution, after_sequence, max))
    }

    fn state(&mut self, execution: Key, bytes_max: usize) -> Stored<Option<Vec<(String, Payload)>>> {
        both!(self.state(execution, bytes_max))
    }

    fn state_value(&mut self, execution: Key, key: &str) -> Stored<Option<Payload>> {
        both!(self.state_value(execution, key))
    }

    fn put_state(&mut self, execution: Key, key: &str, value: &Payload) -> Stored<()> {
        both!(self.put_state(execution, key, value))
    }

    fn remove_state(&mut self, execution: Key, key: &str) -> Stored<()> {
        both!(self.remove_state(execution, key))
    }

    fn query(&mut self, key: Key) -> Stored<Option<QueryRecord>> {
        both!(self.query(key))
    }

    fn put_query(&mut self, query: &QueryRecord) -> Stored<()> {
        both!(self.put_query(query))
    }

    fn remove_query(&mut self, key: Key) -> Stored<()> {
        both!(self.remove_query(key))
    }

    fn count_queries(&mut self, org_id: Uuid, max: usize) -> Stored<usize> {
        both!(self.count_queries(org_id, max))
    }

    fn query_workers(&mut self, org_id: Uuid, query: &str, max: usize) -> Stored<Vec<Uuid>> {
        both!(self.query_workers(org_id, query, max))
    }

    fn put_query_worker(&mut self, worker: Key, query: &str) -> Stored<()> {
        both!(self.put_query_worker(worker, query))
    }

    fn remove_query_worker(&mut self, worker: Key, query: &str) -> Stored<()> {
        both!(self.remove_query_worker(worker, query))
    }

    fn task(&mut self, key: Key) -> Stored<Option<TaskRecord>> {
        both!(self.task(key))
    }

    fn put_task(&mut self, task: &TaskRecord) -> Stored<()> {
        both!(self.put_task(task))
    }

    fn payload(&mut self, task: Key, slot: PayloadSlot) -> Stored<Option<Payload>> {
        both!(self.payload(task, slot))
    }

    fn put_payload(&mut self, task: Key, slot: PayloadSlot, payload: &Payload) -> Stored<()> {
        both!(self.put_payload(task, slot, payload))
    }

    fn task_state_keys(&mut self, task: Key) -> Stored<Vec<String>> {
        both!(self.task_state_keys(task))
    }

    fn task_state_value(&mut self, task: Key, key: &str) -> Stored<Option<Payload>> {
        both!(self.task_state_value(task, key))
    }

    fn put_task_state(&mut self, task: Key, key: &str, value: &Payload) -> Stored<()> {
        both!(self.put_task_state(task, key, value))
    }

    fn remove_task_state(&mut self, task: Key, key: &str) -> Stored<()> {
        both!(self.remove_task_state(task, key))
    }

    fn append_task_log(&mut self, task: Key, number: i32, log: &TaskLog) -> Stored<()> {
        both!(self.append_task_log(task, number, log))
    }

    fn put_task_attempt(&mut self, task: Key, attempt: &TaskAttempt) -> Stored<()> {
        both!(self.put_task_attempt(task, attempt))
    }

    fn remove_task_attempt(&mut self, task: Key, number: i32) -> Stored<()> {
        both!(self.remove_task_attempt(task, number))
    }

    fn is_stream_open(&mut self, key: Key) -> bool {
        both!(self.is_stream_open(key))
    }

    fn open_stream(&mut self, key: Key, now_ms: i64) {
        both!(self.open_stream(key, now_ms));
    }

    fn push_stream(&mut self, key: Key, record: StreamRecord, now_ms: i64) {
        both!(self.push_stream(key, record.clone(), now_ms));
    }

    fn advance_stream(&mut self, key: Key, task: Uuid, claim_token: &str, sequence: i32, now_ms: i64) -> bool {
        both!(self.advance_stream(key, task, claim_token, sequence, now_ms))
    }

    fn stream(&mut self, key: Key, task: Option<Uuid>, after_sequence: i64, max: PageMax) -> Vec<StreamRecord> {
        both!(self.stream(key, task, after_sequence, max))
    }

    fn put_ready(&mut self, entry: &ReadyEntry) -> Stored<()> {
        both!(self.put_ready(entry))
    }

    fn take_ready(
        &mut self,
        queue: &ReadyQueue,
        kinds: Option<&BTreeSet<String>>,
        preference: Option<Preference<'_>>,
    ) -> Stored<Option<Key>> {
        both!(self.take_ready(queue, kinds, preference))
    }

    fn remove_ready(&mut self, work: Work, key: Key) -> Stored<()> {
        both!(self.remove_ready(work, key))
    }

    fn deadline(&mut self, key: &DeadlineKey) -> Stored<Option<i64>> {
        both!(self.deadline(key))
    }

    fn put_deadline(&mut self, deadline: &Deadline) -> Stored<()> {
        both!(self.put_deadline(deadline))
    }

    fn remove_deadline(&mut self, key: &DeadlineKey) -> Stored<()> {
        both!(self.remove_deadline(key))
    }

    fn remove_execution_deadlines(&mut self, execution: Key) -> Stored<()> {
        both!(self.remove_execution_deadlines(execution))
    }

    fn due_deadlines(&mut self, now_ms: i64, max: usize) -> Stored<Vec<Deadline>> {
        both!(self.due_deadlines(now_ms, max))
    }

    fn next_due_ms(&mut self) -> Stored<Option<i64>> {
        both!(self.next_due_ms())
    }

    fn promise(&mut self, key: Key) -> Stored<Option<PromiseRecord>> {
        both!(self.promise(key))
    }

    fn put_promise(&mut self, promise: &PromiseRecord) -> Stored<()> {
        both!(self.put_promise(promise))
    }

    fn promise_by_name(&mut self, execution: Key, name: &str) -> Stored<Option<PromiseRecord>> {
        both!(self.promise_by_name(execution, name))
    }

    fn idempotency(&mut self, key: &IdempotencyKey) -> Stored<Option<IdempotencyRecord>> {
        both!(self.idempotency(key))
    }

    fn put_idempotency(&mut self, record: &IdempotencyRecord) -> Stored<()> {
        both!(self.put_idempotency(record))
    }

    fn remove_idempotency(&mut self, key: &IdempotencyKey) -> Stored<()> {
        both!(self.remove_idempotency(key))
    }

    fn worker(&mut self, key: Key) -> Stored<Option<WorkerRecord>> {
        both!(self.worker(key))
    }

    fn worker_by_name(&mut self, org_id: Uuid, name: &str) -> Stored<Option<WorkerRecord>> {
        both!(self.worker_by_name(org_id, name))
    }

    fn put_worker(&mut self, worker: &WorkerRecord) -> Stored<()> {
        both!(self.put_worker(worker))
    }

    fn remove_worker(&mut self, key: Key) -> Stored<()> {
        both!(self.remove_worker(key))
    }

    fn definition(&mut self, org_id: Uuid, work: Work, kind: &str, version: &str) -> Stored<Option<DefinitionRecord>> {
        both!(self.definition(org_id, work, kind, version))
    }

    fn put_definition(&mut self, definition: &DefinitionRecord) -> Stored<()> {
        both!(self.put_definition(definition))
    }

    fn attempt(&mut self, function: &mut dyn FnMut(&mut dyn Tx) -> Result<(), Status>) -> Stored<Result<(), Status>> {
        let Self { memory, sqlite } = self;
        memory.attempt(&mut |memory| sqlite.attempt(&mut |sqlite| function(&mut TwinTx { memory, sqlite }))?)
    }

    fn wake(&mut self, wake: Wake) {
        both!(self.wake(wake.clone()));
    }

    fn warn(&mut self, warning: Warning) {
        both!(self.warn(warning.clone()));
    }
}

impl<M: Lists + ?Sized, S: Lists + ?Sized> Lists for TwinTx<'_, M, S> {
    fn standalone_tasks(&mut self, org_id: Uuid, filter: &TaskFilter, limit: usize, offset: usize) -> Stored<TaskList> {
        both!(self.standalone_tasks(org_id, filter, limit, offset))
    }

    fn task_attempts(&mut self, task: Key) -> Stored<Vec<TaskAttempt>> {
        both!(self.task_attempts(task))
    }

    fn task_logs(&mut self, task: Key, after_number: i32, max: usize) -> Stored<Vec<TaskLog>> {
        both!(self.task_logs(task, after_number, max))
    }

    fn workers(&mut self, org_id: Uuid, limit: usize, offset: usize) -> Stored<Vec<WorkerRecord>> {
        both!(self.workers(org_id, limit, offset))
    }

    fn definitions(&mut self, org_id: Uuid, work: Work, limit: usize, offset: usize) -> Stored<Vec<DefinitionRecord>> {
        both!(self.definitions(org_id, work, limit, offset))
    }
}
