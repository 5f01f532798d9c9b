use alloc::string::String;

use flovyn_protocol::Payload;
use serde::{Deserialize, Serialize};

/// The number that ties a pending promise of the language to a durable thing, from 1 in creation order.
pub type Handle = u32;

/// The one thing that workflow code is told in a turn.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// Call the workflow function.
    Start {
        /// Its input.
        input: Payload,
    },
    /// Settle a handle with a value.
    Resolve {
        /// Which one.
        handle: Handle,
        /// `null` is an ordinary value.
        value: Payload,
    },
    /// Settle a handle with an error.
    Reject {
        /// Which one.
        handle: Handle,
        /// Why.
        rejection: Rejection,
    },
}

/// Why a handle was rejected.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Rejection {
    /// The task failed for good.
    TaskFailed { task_execution_id: String, kind: String, message: String, retryable: bool },
    /// The task was cancelled.
    TaskCancelled { task_execution_id: String, kind: String, reason: String },
    /// Somebody rejected the promise.
    PromiseRejected { promise_id: String, name: String, message: String },
    /// Nobody settled the promise in time.
    PromiseTimedOut { promise_id: String, name: String },
    /// The operation threw; this is its recorded result.
    OperationFailed(OperationError),
}

/// The error that an operation ended with. It is recorded as a result, so that every replay rejects with the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationError {
    /// The name of the error class.
    pub name: String,
    /// What it says.
    pub message: String,
    /// Where it was thrown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// Whether trying again could help, where the error says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
}
