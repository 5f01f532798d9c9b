use alloc::string::String;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{IdempotencyKey, Key};

/// Something happens at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// What.
    pub key: DeadlineKey,
    /// When, in milliseconds since 1970.
    pub due_ms: i64,
}

/// Everything that time can do. Each is set once at most.
///
/// A timer has no other record: it is pending as long as its deadline is set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DeadlineKey {
    /// A timer fires.
    Timer {
        /// Whose.
        execution: Key,
        /// Which of them.
        timer_id: String,
    },
    /// A promise times out.
    Promise {
        /// Whose.
        execution: Key,
        /// Which of them.
        promise_id: Uuid,
    },
    /// An execution is asked to end as cancelled by the one that started it.
    Cancel {
        /// Which.
        execution: Key,
        /// By whom.
        parent: Uuid,
        /// Why.
        reason: String,
    },
    /// The time is over that an execution has to hear that it is to end.
    Grace(Key),
    /// The time is over that an execution may take.
    WorkflowTimeout(Key),
    /// The claim of an execution ends, or the time for which it is parked.
    Execution(Key),
    /// The claim of a task ends, or the time for which it backs off.
    Task(Key),
    /// The whole life of a task is over.
    TaskTimeout(Key),
    /// An idempotency key is forgotten.
    Idempotency(IdempotencyKey),
    /// A silent worker is forgotten.
    Worker(Key),
    /// Nobody waits for the answer to a query any more.
    Query(Key),
}

/// [`DeadlineKey`] without its data, for a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum DeadlineKind {
    Timer,
    Promise,
    Cancel,
    Grace,
    WorkflowTimeout,
    Execution,
    Task,
    TaskTimeout,
    Idempotency,
    Worker,
    Query,
}

impl DeadlineKey {
    /// Which of the variants.
    pub fn kind(&self) -> DeadlineKind {
        match self {
            Self::Timer { .. } => DeadlineKind::Timer,
            Self::Promise { .. } => DeadlineKind::Promise,
            Self::Cancel { .. } => DeadlineKind::Cancel,
            Self::Grace(_) => DeadlineKind::Grace,
            Self::WorkflowTimeout(_) => DeadlineKind::WorkflowTimeout,
            Self::Execution(_) => DeadlineKind::Execution,
            Self::Task(_) => DeadlineKind::Task,
            Self::TaskTimeout(_) => DeadlineKind::TaskTimeout,
            Self::Idempotency(_) => DeadlineKind::Idempotency,
            Self::Worker(_) => DeadlineKind::Worker,
            Self::Query(_) => DeadlineKind::Query,
        }
    }

    /// The execution at whose end this deadline is removed, if there is one: of timers and promises.
    pub fn execution(&self) -> Option<Key> {
        match self {
            Self::Timer { execution, .. } | Self::Promise { execution, .. } => Some(*execution),
            _ => None,
        }
    }
}
