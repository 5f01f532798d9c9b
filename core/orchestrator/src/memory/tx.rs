use alloc::{
    collections::BTreeSet,
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::{Payload, status::Status};
use uuid::Uuid;

use super::{MemoryStore, Part, PromiseName, deadlines::DeadlineChange, ready::ReadyChange, table::Change};
use crate::store::{
    Deadline, DeadlineKey, DefinitionRecord, EventRecord, Execution, ExecutionFilter, ExecutionList, IdempotencyKey,
    IdempotencyRecord, Key, PageMax, PayloadSlot, Preference, PromiseRecord, PromiseState, QueryRecord, ReadyEntry,
    ReadyQueue, StoreError, StreamRecord, TaskAttempt, TaskLog, TaskRecord, Tx, Wake, Warning, Work, WorkerRecord,
};

type Stored<T> = Result<T, StoreError>;

/// A transaction under way.
pub struct MemoryTx<'a> {
    pub(super) store: &'a mut MemoryStore,
    log: Vec<Undo>,
    pub(super) wakes: Vec<Wake>,
    pub(super) warnings: Vec<Warning>,
}

/// How far a transaction had come.
pub(super) struct Mark {
    log: usize,
    /// The numbers of the next entries.
    ready_next: u64,
    deadlines_next: u64,
    wakes: usize,
    warnings: usize,
    streams: usize,
}

/// How one change is undone.
pub(super) enum Undo {
    Execution(Change<Key, Execution>),
    ExecutionAge(Change<(Uuid, i64, Uuid), ()>),
    Event(Key),
    Part(Change<(Key, Uuid), Part>),
    State(Change<(Key, String), Payload>),
    Query(Change<Key, QueryRecord>),
    QueryWorker(Change<(Uuid, String, Uuid), ()>),
    Task(Change<Key, TaskRecord>),
    Payload(Change<(Key, PayloadSlot), Payload>),
    Promise(Change<Key, PromiseRecord>),
    PromiseName(Change<PromiseName, Uuid>),
    Idempotency(Change<IdempotencyKey, IdempotencyRecord>),
    Worker(Change<Key, WorkerRecord>),
    WorkerName(Change<(Uuid, String), Uuid>),
    Definition(Change<(Uuid, Work, String, String), DefinitionRecord>),
    TaskState(Change<(Key, String), Payload>),
    TaskLog(Change<(Key, i32), TaskLog>),
    TaskAttempt(Change<(Key, i32), TaskAttempt>),
    Ready(ReadyChange),
    Deadline(DeadlineChange),
}

impl<'a> MemoryTx<'a> {
    pub(super) fn new(store: &'a mut MemoryStore) -> Self {
        Self { store, log: Vec::new(), wakes: Vec::new(), warnings: Vec::new() }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            log: self.log.len(),
            ready_next: self.store.ready.next,
            deadlines_next: self.store.deadlines.next,
            wakes: self.wakes.len(),
            warnings: self.warnings.len(),
            streams: self.store.streams.mark(),
        }
    }

    pub(super) fn roll_back_to(&mut self, mark: &Mark) {
        for undo in self.log.drain(mark.log..).rev() {
            self.store.undo(undo);
        }
        self.store.ready.next = mark.ready_next;
        self.store.deadlines.next = mark.deadlines_next;
        self.wakes.truncate(mark.wakes);
        self.warnings.truncate(mark.warnings);
        self.store.streams.roll_back_to(mark.streams);
    }

    fn log(&mut self, undo: Undo) -> Stored<()> {
        self.log.push(undo);
        Ok(())
    }

    fn log_some(&mut self, undo: Option<Undo>) -> Stored<()> {
        self.log.extend(undo);
        Ok(())
    }
}

impl Tx for MemoryTx<'_> {
    fn execution(&mut self, key: Key) -> Stored<Option<Execution>> {
        Ok(self.store.executions.get(&key).cloned())
    }

    fn put_execution(&mut self, execution: &Execution) -> Stored<()> {
        let change = self.store.executions.put(execution.key, execution.clone());
        if change.before.is_none() {
            let Key { org_id, id } = execution.key;
            let age = self.store.executions_by_age.put((org_id, execution.created_at_ms, id), ());
            self.log(Undo::ExecutionAge(age))?;
            if let Some(parent) = &execution.parent {
                let part = self.store.parts.put((Key { org_id, id: parent.id }, id), Part::Child);
                self.log(Undo::Part(part))?;
            }
        }
        self.log(Undo::Execution(change))
    }

    fn executions(
        &mut self,
        org_id: Uuid,
        filter: &ExecutionFilter,
        limit: usize,
        offset: usize,
    ) -> Stored<ExecutionList> {
        let found = self.store.newest_of(org_id).filter(|execution| filter.admits(execution));
        let total = i64::try_from(found.clone().take(ExecutionList::TOTAL_MAX).count()).unwrap_or(i64::MAX);
        Ok(ExecutionList { executions: found.skip(offset).take(limit).cloned().collect(), total })
    }

    fn children(&mut self, execution: Key, limit: usize, offset: usize) -> Stored<Vec<Execution>> {
        let mut found: Vec<_> = self.store.children_of(execution).collect();
        found.sort_by_key(|child| (child.created_at_ms, child.key));
        Ok(found.into_iter().skip(offset).take(limit).cloned().collect())
    }

    fn execution_tasks(&mut self, execution: Key, limit: usize, offset: usize) -> Stored<Vec<TaskRecord>> {
        let mut found: Vec<_> = self.store.tasks_of(execution).collect();
        found.sort_by_key(|task| (task.created_at_ms, task.key));
        Ok(found.into_iter().skip(offset).take(limit).cloned().collect())
    }

    fn append_event(&mut self, execution: Key, event: &EventRecord) -> Stored<()> {
        let Some(history) = self.store.histories.get_or_default(execution) else {
            return Err(StoreError::Corrupt(alloc::format!("the history of {execution} is none")));
        };
        let last = history.last().map_or(0, |last| last.sequence);
        if event.sequence != last + 1 {
            return Err(StoreError::Corrupt(alloc::format!("event {} after event {last}", event.sequence)));
        }
        history.push(event.clone());
        self.log(Undo::Event(execution))
    }

    fn events(&mut self, execution: Key, after_sequence: i32, max: PageMax) -> Stored<Vec<EventRecord>> {
        let history = self.store.histories.get(&execution).map_or(&[][..], Vec::as_slice);
        let after = usize::try_from(after_sequence).unwrap_or(0).min(history.len());
        let mut bytes = 0_usize;
        let fits = |event: &&EventRecord| {
            let first = bytes == 0;
            bytes = bytes.saturating_add(event.wire_bytes());
            first || bytes <= max.bytes
        };
        Ok(history[after..].iter().take(max.events).take_while(fits).cloned().collect())
    }

    fn state(&mut self, execution: Key, bytes_max: usize) -> Stored<Option<Vec<(String, Payload)>>> {
        let entries = self.store.states.range((execution, String::new())..);
        let own = entries.take_while(|((of, _), _)| *of == execution).map(|((_, key), value)| (key, value));
        let bytes: usize = own.clone().map(|(key, value)| key.len() + value.as_json().len()).sum();
        Ok((bytes <= bytes_max).then(|| own.map(|(key, value)| (key.clone(), value.clone())).collect()))
    }

    fn state_value(&mut self, execution: Key, key: &str) -> Stored<Option<Payload>> {
        Ok(self.store.states.get(&(execution, key.to_string())).cloned())
    }

    fn put_state(&mut self, execution: Key, key: &str, value: &Payload) -> Stored<()> {
        let change = self.store.states.put((execution, key.to_string()), value.clone());
        self.log(Undo::State(change))
    }

    fn remove_state(&mut self, execution: Key, key: &str) -> Stored<()> {
        let change = self.store.states.remove(&(execution, key.to_string()));
        self.log_some(change.map(Undo::State))
    }

    fn query(&mut self, key: Key) -> Stored<Option<QueryRecord>> {
        Ok(self.store.queries.get(&key).cloned())
    }

    fn put_query(&mut self, query: &QueryRecord) -> Stored<()> {
        let change = self.store.queries.put(query.key, query.clone());
        self.log(Undo::Query(change))
    }

    fn remove_query(&mut self, key: Key) -> Stored<()> {
        let change = self.store.queries.remove(&key);
        self.log_some(change.map(Undo::Query))
    }

    fn count_queries(&mut self, org_id: Uuid, max: usize) -> Stored<usize> {
        let of_org = self.store.queries.range(Key { org_id, id: Uuid::nil() }..=Key { org_id, id: Uuid::max() });
        Ok(of_org.take(max).count())
    }

    fn query_workers(&mut self, org_id: Uuid, query: &str, max: usize) -> Stored<Vec<Uuid>> {
        let bound = |worker| (org_id, query.to_string(), worker);
        let range = self.store.query_workers.range(bound(Uuid::nil())..=bound(Uuid::max()));
        Ok(range.rev().take(max).map(|((_, _, worker), ())| *worker).collect())
    }

    fn put_query_worker(&mut self, worker: Key, query: &str) -> Stored<()> {
        let change = self.store.query_workers.put((worker.org_id, query.to_string(), worker.id), ());
        self.log(Undo::QueryWorker(change))
    }

    fn remove_query_worker(&mut self, worker: Key, query: &str) -> Stored<()> {
        let change = self.store.query_workers.remove(&(worker.org_id, query.to_string(), worker.id));
        self.log_some(change.map(Undo::QueryWorker))
    }

    fn task(&mut self, key: Key) -> Stored<Option<TaskRecord>> {
        Ok(self.store.tasks.get(&key).cloned())
    }

    fn put_task(&mut self, task: &TaskRecord) -> Stored<()> {
        let change = self.store.tasks.put(task.key, task.clone());
        if let (None, Some(id)) = (&change.before, task.execution_id) {
            let part = self.store.parts.put((Key { id, ..task.key }, task.key.id), Part::Task);
            self.log(Undo::Part(part))?;
        }
        self.log(Undo::Task(change))
    }

    fn payload(&mut self, task: Key, slot: PayloadSlot) -> Stored<Option<Payload>> {
        Ok(self.store.payloads.get(&(task, slot)).cloned())
    }

    fn put_payload(&mut self, task: Key, slot: PayloadSlot, payload: &Payload) -> Stored<()> {
        let change = self.store.payloads.put((task, slot), payload.clone());
        self.log(Undo::Payload(change))
    }

    fn task_state_keys(&mut self, task: Key) -> Stored<Vec<String>> {
        let entries = self.store.task_states.range((task, String::new())..);
        Ok(entries.take_while(|((of, _), _)| *of == task).map(|((_, key), _)| key.clone()).collect())
    }

    fn task_state_value(&mut self, task: Key, key: &str) -> Stored<Option<Payload>> {
        Ok(self.store.task_states.get(&(task, key.to_string())).cloned())
    }

    fn put_task_state(&mut self, task: Key, key: &str, value: &Payload) -> Stored<()> {
        let change = self.store.task_states.put((task, key.to_string()), value.clone());
        self.log(Undo::TaskState(change))
    }

    fn remove_task_state(&mut self, task: Key, key: &str) -> Stored<()> {
        let change = self.store.task_states.remove(&(task, key.to_string()));
        self.log_some(change.map(Undo::TaskState))
    }

    fn append_task_log(&mut self, task: Key, number: i32, log: &TaskLog) -> Stored<()> {
        let change = self.store.task_logs.put((task, number), log.clone());
        self.log(Undo::TaskLog(change))
    }

    fn put_task_attempt(&mut self, task: Key, attempt: &TaskAttempt) -> Stored<()> {
        let change = self.store.task_attempts.put((task, attempt.number), attempt.clone());
        self.log(Undo::TaskAttempt(change))
    }

    fn remove_task_attempt(&mut self, task: Key, number: i32) -> Stored<()> {
        let change = self.store.task_attempts.remove(&(task, number));
        self.log_some(change.map(Undo::TaskAttempt))
    }

    fn is_stream_open(&mut self, key: Key) -> bool {
        self.store.streams.is_open(key)
    }

    fn open_stream(&mut self, key: Key, now_ms: i64) {
        self.store.streams.open(key, now_ms);
    }

    fn push_stream(&mut self, key: Key, record: StreamRecord, now_ms: i64) {
        self.store.streams.push(key, record, now_ms);
    }

    fn advance_stream(&mut self, key: Key, task: Uuid, claim_token: &str, sequence: i32, now_ms: i64) -> bool {
        self.store.streams.advance(key, task, claim_token, sequence, now_ms)
    }

    fn stream(&mut self, key: Key, task: Option<Uuid>, after_sequence: i64, max: PageMax) -> Vec<StreamRecord> {
        self.store.streams.after(key, task, after_sequence, max)
    }

    fn put_ready(&mut self, entry: &ReadyEntry) -> Stored<()> {
        self.remove_ready(entry.queue.work, entry.key())?;
        let change = self.store.ready.put(entry);
        self.log(Undo::Ready(change))
    }

    fn take_ready(
        &mut self,
        queue: &ReadyQueue,
        kinds: Option<&BTreeSet<String>>,
        preference: Option<Preference<'_>>,
    ) -> Stored<Option<Key>> {
        let Some((key, change)) = self.store.ready.take(queue, kinds, preference) else { return Ok(None) };
        self.log(Undo::Ready(change))?;
        Ok(Some(key))
    }

    fn remove_ready(&mut self, work: Work, key: Key) -> Stored<()> {
        let change = self.store.ready.remove(work, key);
        self.log_some(change.map(Undo::Ready))
    }

    fn deadline(&mut self, key: &DeadlineKey) -> Stored<Option<i64>> {
        Ok(self.store.deadlines.get(key))
    }

    fn put_deadline(&mut self, deadline: &Deadline) -> Stored<()> {
        let change = self.store.deadlines.put(deadline);
        self.log(Undo::Deadline(change))
    }

    fn remove_deadline(&mut self, key: &DeadlineKey) -> Stored<()> {
        let change = self.store.deadlines.remove(key);
        self.log_some(change.map(Undo::Deadline))
    }

    fn remove_execution_deadlines(&mut self, execution: Key) -> Stored<()> {
        for key in self.store.deadlines.of_execution(execution) {
            self.remove_deadline(&key)?;
        }
        Ok(())
    }

    fn due_deadlines(&mut self, now_ms: i64, max: usize) -> Stored<Vec<Deadline>> {
        Ok(self.store.deadlines.due(now_ms, max))
    }

    fn next_due_ms(&mut self) -> Stored<Option<i64>> {
        Ok(self.store.deadlines.next_due_ms())
    }

    fn promise(&mut self, key: Key) -> Stored<Option<PromiseRecord>> {
        Ok(self.store.promises.get(&key).cloned())
    }

    fn put_promise(&mut self, promise: &PromiseRecord) -> Stored<()> {
        let execution = Key { org_id: promise.key.org_id, id: promise.execution_id };
        let settled = promise.state != PromiseState::Pending;
        let name = |settled| PromiseName { execution, name: promise.name.clone(), settled, sequence: promise.sequence };
        let before = self.store.promise_names.remove(&name(!settled));
        self.log_some(before.map(Undo::PromiseName))?;
        let change = self.store.promise_names.put(name(settled), promise.key.id);
        self.log(Undo::PromiseName(change))?;
        let change = self.store.promises.put(promise.key, promise.clone());
        self.log(Undo::Promise(change))
    }

    fn promise_by_name(&mut self, execution: Key, name: &str) -> Stored<Option<PromiseRecord>> {
        let bound = |settled, sequence| PromiseName { execution, name: name.to_string(), settled, sequence };
        let range = bound(false, i32::MIN)..=bound(true, i32::MAX);
        let Some((_, id)) = self.store.promise_names.first_in(range) else { return Ok(None) };
        Ok(self.store.promises.get(&Key { org_id: execution.org_id, id: *id }).cloned())
    }

    fn idempotency(&mut self, key: &IdempotencyKey) -> Stored<Option<IdempotencyRecord>> {
        Ok(self.store.idempotency.get(key).cloned())
    }

    fn put_idempotency(&mut self, record: &IdempotencyRecord) -> Stored<()> {
        let change = self.store.idempotency.put(record.key.clone(), record.clone());
        self.log(Undo::Idempotency(change))
    }

    fn remove_idempotency(&mut self, key: &IdempotencyKey) -> Stored<()> {
        let change = self.store.idempotency.remove(key);
        self.log_some(change.map(Undo::Idempotency))
    }

    fn worker(&mut self, key: Key) -> Stored<Option<WorkerRecord>> {
        Ok(self.store.workers.get(&key).cloned())
    }

    fn worker_by_name(&mut self, org_id: Uuid, name: &str) -> Stored<Option<WorkerRecord>> {
        let Some(id) = self.store.worker_names.get(&(org_id, name.to_string())) else { return Ok(None) };
        Ok(self.store.workers.get(&Key { org_id, id: *id }).cloned())
    }

    fn put_worker(&mut self, worker: &WorkerRecord) -> Stored<()> {
        let change = self.store.worker_names.put((worker.key.org_id, worker.name.clone()), worker.key.id);
        self.log(Undo::WorkerName(change))?;
        let change = self.store.workers.put(worker.key, worker.clone());
        self.log(Undo::Worker(change))
    }

    fn remove_worker(&mut self, key: Key) -> Stored<()> {
        let Some(name) = self.store.workers.get(&key).map(|worker| worker.name.clone()) else { return Ok(()) };
        let change = self.store.worker_names.remove(&(key.org_id, name));
        self.log_some(change.map(Undo::WorkerName))?;
        let change = self.store.workers.remove(&key);
        self.log_some(change.map(Undo::Worker))
    }

    fn definition(&mut self, org_id: Uuid, work: Work, kind: &str, version: &str) -> Stored<Option<DefinitionRecord>> {
        Ok(self.store.definitions.get(&(org_id, work, kind.to_string(), version.to_string())).cloned())
    }

    fn put_definition(&mut self, definition: &DefinitionRecord) -> Stored<()> {
        let key = (definition.org_id, definition.work, definition.kind.clone(), definition.version.clone());
        let change = self.store.definitions.put(key, definition.clone());
        self.log(Undo::Definition(change))
    }

    fn attempt(&mut self, function: &mut dyn FnMut(&mut dyn Tx) -> Result<(), Status>) -> Stored<Result<(), Status>> {
        let mark = self.mark();
        let result = function(self);
        if result.is_err() {
            self.roll_back_to(&mark);
        }
        Ok(result)
    }

    fn wake(&mut self, wake: Wake) {
        self.wakes.push(wake);
    }

    fn warn(&mut self, warning: Warning) {
        self.warnings.push(warning);
    }
}
