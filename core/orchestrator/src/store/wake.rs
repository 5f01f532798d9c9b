use alloc::string::String;
use core::fmt;

use super::{DeadlineKey, Key, KindSet, ReadyQueue, Work};

/// What a parked request waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaitKey(String);

impl WaitKey {
    /// Work in a queue.
    pub fn queue(queue: &ReadyQueue) -> Self {
        Self(alloc::format!("{}/{}/{}", queue.work.name(), queue.org_id, queue.name))
    }

    /// Work in a queue that this worker should have first.
    pub fn worker(queue: &ReadyQueue, worker: &str) -> Self {
        Self(alloc::format!("{}/{}/{}/of/{worker}", queue.work.name(), queue.org_id, queue.name))
    }

    /// Another registration of a worker.
    pub fn registration(worker: Key) -> Self {
        Self(alloc::format!("registration/{worker}"))
    }

    /// The answer to a query.
    pub fn query(key: Key) -> Self {
        Self(alloc::format!("query/{key}"))
    }

    /// The end of an execution.
    pub fn execution(key: Key) -> Self {
        Self(alloc::format!("execution/{key}"))
    }

    /// What tasks stream.
    pub fn stream(key: Key) -> Self {
        Self(alloc::format!("stream/{key}"))
    }

    /// Whether it announces one piece of work: one waiter that takes it is enough. Of any other key every waiter is
    /// woken.
    pub fn is_queue(&self) -> bool {
        [Work::Workflow, Work::Task, Work::Query].into_iter().any(|work| self.announces(work))
    }

    /// Whether it announces a piece of this kind of work.
    pub fn announces(&self, work: Work) -> bool {
        work.is_announced_by(&self.0)
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WaitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something became available.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wake {
    /// Who waits for it.
    pub key: WaitKey,
    /// Of those, who is asked first, if anybody is parked on this.
    pub first: Option<WaitKey>,
    /// What it is: who cannot take it need not be asked, see [`Park::kinds`](crate::Park::kinds).
    pub kinds: KindSet,
}

impl From<WaitKey> for Wake {
    fn from(key: WaitKey) -> Self {
        Self { key, first: None, kinds: KindSet::ANY }
    }
}

/// Something that the people who run the server should know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// The history of an execution has passed half of what it may hold.
    #[error(
        "execution {execution} of kind {kind:?} has half as long a history as is allowed: {events} events, {bytes} bytes"
    )]
    HistoryHalfFull {
        /// Which one.
        execution: Key,
        /// Its workflow.
        kind: String,
        /// How many events it has.
        events: i32,
        /// How large they are together.
        bytes: u64,
    },
    /// Something that was due could not be done.
    #[error("{key:?} was due and failed, it is tried again in {again_ms} ms: {message}")]
    DueFailed {
        /// What was due.
        key: DeadlineKey,
        /// Why it failed.
        message: String,
        /// When it is tried again, in milliseconds from now.
        again_ms: i64,
    },
}
