use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Key, TaskAttempt};

/// A unit of side-effecting work, without its payloads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRecord {
    /// Its id, chosen by the client or made by SubmitTask.
    pub key: Key,
    /// Which task.
    pub kind: String,
    /// Where workers look for it.
    pub queue: String,
    /// The execution that scheduled it; `None` for one made by SubmitTask.
    pub execution_id: Option<Uuid>,
    /// Where it is in its life.
    pub state: TaskState,
    /// It is taken as early as if it were created this much earlier.
    pub priority_ms: i64,
    /// When it was created.
    pub created_at_ms: i64,
    /// When it changed last.
    pub updated_at_ms: i64,
    /// How often it was delivered to a worker.
    pub execution_count: i32,
    /// How often a failed attempt is followed by another.
    pub max_retries: i32,
    /// How the attempts are spaced; `None` means the server's way.
    pub retry_policy: Option<RetryPolicy>,
    /// Its whole life, from its creation.
    pub timeout_ms: Option<i64>,
    /// An attempt may take this long.
    pub start_to_close_timeout_ms: Option<i64>,
    /// An attempt may be silent for this long.
    pub heartbeat_timeout_ms: Option<i64>,
    /// The last heartbeat of the current attempt, where it matters.
    pub heartbeat_at_ms: Option<i64>,
    /// The error of the last failed attempt.
    pub error: Option<String>,
    /// Where it was thrown.
    pub stack_trace: Option<String>,
    /// What SubmitTask was given.
    pub metadata: BTreeMap<String, String>,
    /// How far it has come, as it said last.
    #[serde(default)]
    pub progress: Option<TaskProgress>,
    /// Its last attempt that has ended. Most tasks have one, which so costs no row of its own.
    #[serde(default)]
    pub last_attempt: Option<TaskAttempt>,
    /// How many lines it has logged.
    #[serde(default)]
    pub logs: i32,
    /// How many keys its state has.
    #[serde(default)]
    pub state_keys: u32,
    /// How large the keys and values of its state are together.
    #[serde(default)]
    pub state_bytes: u64,
}

/// How far a task has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskProgress {
    /// From 0 to 1, as JSON.
    pub value: String,
    /// For people; may be empty.
    pub details: String,
}

/// The life of a task.
///
/// | from | event | to |
/// |---|---|---|
/// | – | scheduled or submitted | Ready |
/// | Ready | claim | Running |
/// | Running | the lease ends, the answer was not delivered | Ready |
/// | Running | an attempt fails or takes too long, retries left | BackingOff |
/// | Running | released with a retry-after | BackingOff |
/// | BackingOff | its time comes | Ready |
/// | any but the ends | an attempt completes | Completed |
/// | any but the ends | an attempt fails for good, the deadline is missed | Failed |
/// | any but the ends | a cancel request, the end of a cancelled execution | Cancelled |
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskState {
    /// In its queue.
    Ready,
    /// Waiting for its next attempt.
    BackingOff {
        /// Until then, in milliseconds since 1970.
        until_ms: i64,
    },
    /// A worker is at it.
    Running(Claim),
    /// Ended with a result.
    Completed,
    /// Ended with an error.
    Failed,
    /// Ended by a cancel request.
    Cancelled,
}

impl TaskState {
    /// PENDING, RUNNING, COMPLETED, FAILED or CANCELLED.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Ready | Self::BackingOff { .. } => "PENDING",
            Self::Running(_) => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Whether it is one of the three ends.
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// How the attempts of a task are spaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Before the first retry.
    pub initial_delay_ms: i64,
    /// No delay is longer.
    pub max_delay_ms: i64,
    /// The growth from retry to retry, in thousandths.
    pub multiplier_milli: i32,
    /// Error types that fail the task at once.
    pub non_retryable_errors: Vec<String>,
}

/// The right to an activation or a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Proves it. Clients without our extension never see theirs.
    pub token: String,
    /// The worker, as it named itself when it polled.
    pub worker: String,
    /// How it lives on.
    pub holder: ClaimHolder,
    /// When it was given.
    pub given_at_ms: i64,
    /// When it ends unless it is renewed or, for a plain holder, the worker is alive.
    pub expires_at_ms: i64,
}

/// Who holds a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClaimHolder {
    /// A client with our extension: it has the token and a lease.
    Extended,
    /// Any other: it has no token, and signs of life of its worker keep the claim.
    Plain,
}

/// Which payload of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PayloadSlot {
    /// What it is given.
    TaskInput,
    /// Its result, if no event holds it.
    TaskOutput,
    /// What its last heartbeat said.
    HeartbeatDetails,
}
