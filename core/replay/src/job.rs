use alloc::{
    borrow::Cow,
    string::{String, ToString},
};

use flovyn_protocol::Payload;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ReplayError;

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

impl Job {
    /// What the recorded result of an operation says.
    pub(crate) fn of_operation(handle: Handle, result: Payload) -> Self {
        match OperationError::from_payload(&result) {
            Some(error) => Self::Reject { handle, rejection: Rejection::OperationFailed(error) },
            None => Self::Resolve { handle, value: result },
        }
    }
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

/// How an error stands in a history, apart from all values: a plain object of a user that has the key `__type` is
/// wrapped before it gets here.
#[derive(Serialize, Deserialize)]
struct Tagged<'a, T> {
    #[serde(borrow, rename = "__type")]
    tag: Cow<'a, str>,
    value: T,
}

impl OperationError {
    const TAG: &'static str = "OperationError";

    /// The recorded result of an operation that threw this error.
    pub(crate) fn to_payload(&self) -> Result<Payload, ReplayError> {
        let unwritable = |problem| ReplayError::InvalidArgument { argument: "error", problem };
        let json = serde_json::to_string(&Tagged { tag: Cow::Borrowed(Self::TAG), value: self });
        let json = json.map_err(|error| unwritable(error.to_string()))?;
        Payload::from_json(json).map_err(|error| unwritable(error.to_string()))
    }

    fn from_payload(result: &Payload) -> Option<Self> {
        let json = result.as_json();
        // Most results are values: they are not worth a parse.
        if !json.starts_with('{') || !json.contains(Self::TAG) {
            return None;
        }
        let tagged: Tagged<'_, &RawValue> = serde_json::from_str(json).ok()?;
        if tagged.tag != Self::TAG { None } else { serde_json::from_str(tagged.value.get()).ok() }
    }
}
