//! What the rules keep, and the transaction through which they keep it.

mod attempt;
mod deadline;
mod error;
mod execution;
mod idempotency;
mod key;
mod kinds;
mod lists;
mod promise;
mod query;
mod ready;
mod streams;
mod task;
mod task_list;
mod task_log;
mod wake;
mod worker;

use alloc::{collections::BTreeSet, string::String, vec::Vec};

use flovyn_protocol::{Payload, status::Status};
use uuid::Uuid;

pub use attempt::{AttemptEnd, TaskAttempt};
pub use deadline::{Deadline, DeadlineKey, DeadlineKind};
pub use error::StoreError;
pub use execution::{
    Activation, CancelRequest, Continuation, EventRecord, Execution, ExecutionFilter, ExecutionList, ExecutionState,
    PageMax, Parent,
};
pub use idempotency::{IdempotencyKey, IdempotencyRecord, IdempotencySpace};
pub use key::Key;
pub use kinds::KindSet;
pub use lists::Lists;
pub use promise::{PromiseRecord, PromiseState};
pub use query::{QueryAnswer, QueryRecord, QueryState};
pub use ready::{Preference, ReadyEntry, ReadyQueue, Work};
pub use streams::{StreamLimits, StreamRecord, Streams};
pub use task::{Claim, ClaimHolder, PayloadSlot, RetryPolicy, TaskProgress, TaskRecord, TaskState};
pub use task_list::{TaskFilter, TaskList};
pub use task_log::TaskLog;
pub use wake::{WaitKey, Wake, Warning};
pub use worker::{DefinitionRecord, Registration, WorkerRecord};

/// One transaction of a store.
///
/// Reads see the writes before them. `put_*` inserts or replaces; removing what is not there is no error. Records are
/// found by [`Key`], which holds the organisation, so that no rule can reach what belongs to another one. A store with
/// several writers locks what it reads: the record, the ready entry taken, the deadlines given out.
///
/// Records derive serde: a table of a database is the columns that its methods look for and the record as JSON. What
/// can be large (events and payloads) is in no record.
pub trait Tx {
    /// The execution with this id.
    fn execution(&mut self, key: Key) -> Result<Option<Execution>, StoreError>;
    /// Stores an execution.
    fn put_execution(&mut self, execution: &Execution) -> Result<(), StoreError>;

    /// The executions that a filter admits, the newest first, of equal ones that with the higher id: `limit` of them
    /// after the first `offset`.
    fn executions(
        &mut self,
        org_id: Uuid,
        filter: &ExecutionFilter,
        limit: usize,
        offset: usize,
    ) -> Result<ExecutionList, StoreError>;
    /// The executions that another one started, the oldest first, of equal ones that with the lower id: `limit` of them
    /// after the first `offset`.
    fn children(&mut self, execution: Key, limit: usize, offset: usize) -> Result<Vec<Execution>, StoreError>;
    /// The tasks that an execution scheduled, the oldest first, of equal ones that with the lower id: `limit` of them
    /// after the first `offset`.
    fn execution_tasks(&mut self, execution: Key, limit: usize, offset: usize) -> Result<Vec<TaskRecord>, StoreError>;

    /// Adds an event at the end of a history: its sequence number is one more than the last.
    fn append_event(&mut self, execution: Key, event: &EventRecord) -> Result<(), StoreError>;
    /// The events with a higher sequence number, in order, up to the first that would exceed `max`. The first one is
    /// given however large it is.
    fn events(&mut self, execution: Key, after_sequence: i32, max: PageMax) -> Result<Vec<EventRecord>, StoreError>;

    /// The state of an execution, by key, in order; `None` if its keys and values together are more than `bytes_max`.
    fn state(&mut self, execution: Key, bytes_max: usize) -> Result<Option<Vec<(String, Payload)>>, StoreError>;
    /// One key of the state of an execution.
    fn state_value(&mut self, execution: Key, key: &str) -> Result<Option<Payload>, StoreError>;
    /// Sets one key of the state of an execution.
    fn put_state(&mut self, execution: Key, key: &str, value: &Payload) -> Result<(), StoreError>;
    /// Removes one key of the state of an execution.
    fn remove_state(&mut self, execution: Key, key: &str) -> Result<(), StoreError>;

    /// The query with this id.
    fn query(&mut self, key: Key) -> Result<Option<QueryRecord>, StoreError>;
    /// Stores a query.
    fn put_query(&mut self, query: &QueryRecord) -> Result<(), StoreError>;
    /// Forgets a query.
    fn remove_query(&mut self, key: Key) -> Result<(), StoreError>;
    /// How many queries an organisation has; `max` if there are more.
    fn count_queries(&mut self, org_id: Uuid, max: usize) -> Result<usize, StoreError>;
    /// The workers that registered a query as [`Registration::queries`] names it, those with the highest ids first; at
    /// most `max`.
    fn query_workers(&mut self, org_id: Uuid, query: &str, max: usize) -> Result<Vec<Uuid>, StoreError>;
    /// Notes that a worker registered a query.
    fn put_query_worker(&mut self, worker: Key, query: &str) -> Result<(), StoreError>;
    /// Forgets that a worker registered a query.
    fn remove_query_worker(&mut self, worker: Key, query: &str) -> Result<(), StoreError>;

    /// The task with this id.
    fn task(&mut self, key: Key) -> Result<Option<TaskRecord>, StoreError>;
    /// Stores a task.
    fn put_task(&mut self, task: &TaskRecord) -> Result<(), StoreError>;
    /// A payload that belongs to a task.
    fn payload(&mut self, task: Key, slot: PayloadSlot) -> Result<Option<Payload>, StoreError>;
    /// Stores a payload that belongs to a task.
    fn put_payload(&mut self, task: Key, slot: PayloadSlot, payload: &Payload) -> Result<(), StoreError>;

    /// The keys of the state of a task, in order.
    fn task_state_keys(&mut self, task: Key) -> Result<Vec<String>, StoreError>;
    /// One key of the state of a task.
    fn task_state_value(&mut self, task: Key, key: &str) -> Result<Option<Payload>, StoreError>;
    /// Sets one key of the state of a task.
    fn put_task_state(&mut self, task: Key, key: &str, value: &Payload) -> Result<(), StoreError>;
    /// Removes one key of the state of a task.
    fn remove_task_state(&mut self, task: Key, key: &str) -> Result<(), StoreError>;
    /// Adds a line to the log of a task; `number` is one more than that of the last.
    fn append_task_log(&mut self, task: Key, number: i32, log: &TaskLog) -> Result<(), StoreError>;

    /// Stores an attempt that is not the last one any more, by its number.
    fn put_task_attempt(&mut self, task: Key, attempt: &TaskAttempt) -> Result<(), StoreError>;
    /// Forgets an attempt.
    fn remove_task_attempt(&mut self, task: Key, number: i32) -> Result<(), StoreError>;

    /// [`Streams::is_open`].
    fn is_stream_open(&mut self, key: Key) -> bool;
    /// [`Streams::open`].
    fn open_stream(&mut self, key: Key, now_ms: i64);
    /// [`Streams::push`].
    fn push_stream(&mut self, key: Key, record: StreamRecord, now_ms: i64);
    /// [`Streams::advance`].
    fn advance_stream(&mut self, key: Key, task: Uuid, claim_token: &str, sequence: i32, now_ms: i64) -> bool;
    /// [`Streams::after`].
    fn stream(&mut self, key: Key, task: Option<Uuid>, after_sequence: i64, max: PageMax) -> Vec<StreamRecord>;

    /// Adds work to its queue. A thing is in at most one queue, once.
    fn put_ready(&mut self, entry: &ReadyEntry) -> Result<(), StoreError>;
    /// Removes and gives the first of a queue: the lowest [`ReadyEntry::rank_ms`], of equal ones the one put first.
    /// With `kinds`, only work of these kinds counts. With `preference`, the first of what its worker has in memory is
    /// taken before the first of all, unless that one has been ready for too long.
    fn take_ready(
        &mut self,
        queue: &ReadyQueue,
        kinds: Option<&BTreeSet<String>>,
        preference: Option<Preference<'_>>,
    ) -> Result<Option<Key>, StoreError>;
    /// Removes a thing from whatever queue it is in.
    fn remove_ready(&mut self, work: Work, key: Key) -> Result<(), StoreError>;

    /// When this is due, if it is set.
    fn deadline(&mut self, key: &DeadlineKey) -> Result<Option<i64>, StoreError>;
    /// Sets when something is due. The host hears of it after the commit, so that it ticks in time.
    fn put_deadline(&mut self, deadline: &Deadline) -> Result<(), StoreError>;
    /// Removes a deadline.
    fn remove_deadline(&mut self, key: &DeadlineKey) -> Result<(), StoreError>;
    /// Removes every deadline whose [`DeadlineKey::execution`] this is: what ends with an execution.
    fn remove_execution_deadlines(&mut self, execution: Key) -> Result<(), StoreError>;
    /// The deadlines that are due at `now_ms` or before, the earliest first, of equal ones the one put first; at most
    /// `max`. They stay until removed.
    fn due_deadlines(&mut self, now_ms: i64, max: usize) -> Result<Vec<Deadline>, StoreError>;
    /// When the earliest of all deadlines is due.
    fn next_due_ms(&mut self) -> Result<Option<i64>, StoreError>;

    /// The promise with this id.
    fn promise(&mut self, key: Key) -> Result<Option<PromiseRecord>, StoreError>;
    /// Stores a promise.
    fn put_promise(&mut self, promise: &PromiseRecord) -> Result<(), StoreError>;
    /// The promise with this name in an execution. There can be several: the pending one with the lowest
    /// [`PromiseRecord::sequence`], or any of the settled ones if none is pending.
    fn promise_by_name(&mut self, execution: Key, name: &str) -> Result<Option<PromiseRecord>, StoreError>;

    /// What is known under an idempotency key.
    fn idempotency(&mut self, key: &IdempotencyKey) -> Result<Option<IdempotencyRecord>, StoreError>;
    /// Stores what is known under an idempotency key.
    fn put_idempotency(&mut self, record: &IdempotencyRecord) -> Result<(), StoreError>;
    /// Forgets an idempotency key.
    fn remove_idempotency(&mut self, key: &IdempotencyKey) -> Result<(), StoreError>;

    /// The worker with this id.
    fn worker(&mut self, key: Key) -> Result<Option<WorkerRecord>, StoreError>;
    /// The worker with this name.
    fn worker_by_name(&mut self, org_id: Uuid, name: &str) -> Result<Option<WorkerRecord>, StoreError>;
    /// Stores a worker. Names are unique within an organisation.
    fn put_worker(&mut self, worker: &WorkerRecord) -> Result<(), StoreError>;
    /// Forgets a worker.
    fn remove_worker(&mut self, key: Key) -> Result<(), StoreError>;
    /// What was registered last for a kind and version.
    fn definition(
        &mut self,
        org_id: Uuid,
        work: Work,
        kind: &str,
        version: &str,
    ) -> Result<Option<DefinitionRecord>, StoreError>;
    /// Stores a definition, by organisation, work, kind and version.
    fn put_definition(&mut self, definition: &DefinitionRecord) -> Result<(), StoreError>;

    /// Runs a function whose changes, wakes and warnings are kept if it gives `Ok`, and leave no trace if not. The outer
    /// error is that of the store: nothing of the whole transaction can be kept then.
    fn attempt(
        &mut self,
        function: &mut dyn FnMut(&mut dyn Tx) -> Result<(), Status>,
    ) -> Result<Result<(), Status>, StoreError>;

    /// Wakes who is parked on a key, after the commit. Said once for each piece of work, so two wakes of one queue are
    /// two waiters.
    fn wake(&mut self, wake: Wake);
    /// Tells the people who run the server, after the commit.
    fn warn(&mut self, warning: Warning);
}
