use alloc::string::String;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Key;

/// The kinds of thing that a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Work {
    /// Executions.
    Workflow,
    /// Tasks.
    Task,
    /// Queries.
    Query,
}

impl Work {
    /// `workflows`, `tasks` or `queries`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Workflow => "workflows",
            Self::Task => "tasks",
            Self::Query => "queries",
        }
    }

    /// Whether a [`WaitKey`](crate::WaitKey) with this text announces a piece of this kind of work.
    pub fn is_announced_by(self, key: &str) -> bool {
        key.split('/').next() == Some(self.name())
    }
}

/// A queue, as workers poll it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReadyQueue {
    /// Workflows and tasks have queues of their own.
    pub work: Work,
    /// Organisations too.
    pub org_id: Uuid,
    /// The name.
    pub name: String,
}

/// Work that waits in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyEntry {
    /// The queue.
    pub queue: ReadyQueue,
    /// The execution or task; of the queue's organisation.
    pub id: Uuid,
    /// Which workflow or task.
    pub kind: String,
    /// The lowest is taken first: when it was created, less its priority.
    pub rank_ms: i64,
    /// The worker that has it in memory, if there is one.
    pub worker: Option<String>,
    /// When it was put into its queue.
    pub ready_at_ms: i64,
}

/// Takes work for a worker that keeps some in memory: that comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preference<'a> {
    /// The worker.
    pub worker: &'a str,
    /// Unless the first of the queue has been ready since then or before, in milliseconds since 1970.
    pub since_ms: i64,
}

impl ReadyEntry {
    /// The execution or task.
    pub fn key(&self) -> Key {
        Key { org_id: self.queue.org_id, id: self.id }
    }
}
