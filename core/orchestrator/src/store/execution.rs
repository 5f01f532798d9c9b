use alloc::{string::String, vec::Vec};

use flovyn_protocol::messages::WorkflowEvent;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Claim, ClaimHolder, Key};

/// One run of a workflow, without its history. Input and metadata are in the first event, the outcome in the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Its id.
    pub key: Key,
    /// Which workflow.
    pub kind: String,
    /// Where workers look for it.
    pub queue: String,
    /// Which version of the workflow was asked for.
    pub version: Option<String>,
    /// The execution that started it, if one did.
    pub parent: Option<Parent>,
    /// Where it is in its life.
    pub state: ExecutionState,
    /// It is taken as early as if it were created this much earlier.
    pub priority_ms: i64,
    /// When it was started.
    pub created_at_ms: i64,
    /// When it was claimed first.
    pub started_at_ms: Option<i64>,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
    /// When it changed last.
    pub updated_at_ms: i64,
    /// The sequence number of the last event.
    pub current_sequence: i32,
    /// The size of the history as one message of the wire, in bytes.
    pub history_bytes: u64,
    /// The sequence number of the last event that came from outside: neither of a command nor WORKFLOW_SUSPENDED.
    pub landed_sequence: i32,
    /// What the oldest claim since the last applied submission had seen.
    pub oldest_claim_sequence: Option<i32>,
    /// The worker that claimed it last.
    pub worker: Option<String>,
    /// How that worker held it; decides how long the history may grow.
    pub last_holder: Option<ClaimHolder>,
    /// How long it may take, from its creation.
    pub timeout_ms: Option<i64>,
    /// That it was asked to end as cancelled.
    pub cancel: Option<CancelRequest>,
    /// The signals it has received.
    pub signals: i32,
    /// Who holds it in memory, and how much of it: known since the last applied submission.
    pub continuation: Option<Continuation>,
    /// Claims given back with ReleaseClaim since the last applied submission.
    pub parks: i32,
    /// The reason of the last of them.
    pub park_reason: Option<String>,
}

/// A worker with our extension that submitted for an execution last. It may have kept it in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continuation {
    /// As it named itself when it polled.
    pub worker: String,
    /// The last event that it held when it submitted.
    pub after_sequence: i32,
}

/// The execution that started another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its id, in the same organisation.
    pub id: Uuid,
    /// What it calls this child.
    pub child_name: String,
}

/// What an execution was asked to end for, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequest {
    /// Why.
    pub reason: String,
    /// The sequence number of CANCELLATION_REQUESTED.
    pub sequence: i32,
    /// A worker that held this event has submitted since.
    pub seen: bool,
    /// Its children are asked too, when it ends.
    pub cascade: bool,
    /// It was asked because it has taken too long.
    pub by_timeout: bool,
}

impl Execution {
    /// What people are shown: that of [`ExecutionState::status`], or CANCELLING if it was asked to end and has not.
    pub fn status(&self) -> &'static str {
        if self.cancel.is_some() && !self.state.is_ended() { "CANCELLING" } else { self.state.status() }
    }
}

/// The life of an execution.
///
/// | from | event | to |
/// |---|---|---|
/// | – | start | Ready |
/// | Ready | claim | Running |
/// | Running | submission: suspended, nothing new came from outside | Waiting |
/// | Running | submission: suspended, something did | Ready |
/// | Running | submission: an end | Completed, Failed, Cancelled |
/// | Running | the lease ends; the answer was not delivered; released at once | Ready |
/// | Running | released with a retry-after | Parked |
/// | Parked | its time comes | Ready |
/// | Waiting | an event from outside | Ready |
/// | any but the ends | the history is full | Failed |
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecutionState {
    /// In its queue.
    Ready,
    /// Not offered to anybody yet, after its claim was given back.
    Parked {
        /// Until then, in milliseconds since 1970.
        until_ms: i64,
    },
    /// A worker is at it.
    Running(Activation),
    /// Nothing to do until something comes from outside.
    Waiting,
    /// Ended with a result.
    Completed,
    /// Ended with an error.
    Failed,
    /// Ended by a cancel request.
    Cancelled,
}

impl ExecutionState {
    /// PENDING, RUNNING, WAITING, COMPLETED, FAILED or CANCELLED.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Ready | Self::Parked { .. } => "PENDING",
            Self::Running(_) => "RUNNING",
            Self::Waiting => "WAITING",
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

/// A worker's round on an execution, from the claim to the last submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// The right to it.
    pub claim: Claim,
    /// The last event that the worker was given.
    pub seen_sequence: i32,
    /// The number of the last submission that was applied; they count from 1.
    pub submissions: i32,
}

/// Something that happened to an execution, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// From 1, without gaps.
    pub sequence: i32,
    /// The type of the contract, for example `TASK_COMPLETED`.
    pub event_type: String,
    /// One JSON object, in UTF-8.
    pub data: Vec<u8>,
    /// When it happened.
    pub timestamp_ms: i64,
}

impl EventRecord {
    /// What this event adds to a message of the wire at most, in bytes.
    pub fn wire_bytes(&self) -> usize {
        // Three tags with their lengths, and the tag and length of the event itself.
        self.event_type.len() + self.data.len() + 24
    }

    /// The event in its wire form.
    pub fn into_message(self) -> WorkflowEvent {
        WorkflowEvent { sequence_number: self.sequence, event_type: self.event_type, event_data: self.data }
    }
}

/// Which executions are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutionFilter {
    /// Those that are shown with this [`Execution::status`].
    pub status: Option<String>,
    /// Those of this workflow.
    pub kind: Option<String>,
    /// Those of this queue.
    pub queue: Option<String>,
}

impl ExecutionFilter {
    /// Whether an execution is listed.
    pub fn admits(&self, execution: &Execution) -> bool {
        self.status.as_deref().is_none_or(|status| execution.status() == status)
            && self.kind.as_ref().is_none_or(|kind| execution.kind == *kind)
            && self.queue.as_ref().is_none_or(|queue| execution.queue == *queue)
    }
}

/// Part of a list of executions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionList {
    /// Those asked for.
    pub executions: Vec<Execution>,
    /// How many the filter admits; [`TOTAL_MAX`](Self::TOTAL_MAX) if there are more.
    pub total: i64,
}

impl ExecutionList {
    /// So many are counted and no more: counting all of them would keep other requests waiting.
    pub const TOTAL_MAX: usize = 10_000;
}

/// How much of a history, or of a stream, is read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageMax {
    /// At most this many events.
    pub events: usize,
    /// At most this much together, unless the first event alone is more: of a history [`EventRecord::wire_bytes`].
    pub bytes: usize,
}
