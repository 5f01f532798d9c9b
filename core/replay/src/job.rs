use alloc::{
    borrow::Cow,
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::{Payload, json::Json};
use serde::{Deserialize, Serialize};

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
        /// Names and values: their handlers run first, in this order, in the same turn.
        signals: Vec<(String, Payload)>,
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
    /// Run the handler of a signal.
    Signal {
        /// Whose handler.
        name: String,
        /// What it is given.
        value: Payload,
    },
    /// The execution was asked to end as cancelled: from now on the code sees so.
    Cancel {
        /// Why.
        reason: String,
        /// Reject these as cancelled, in this order. Running operations among them are to be told to stop.
        handles: Vec<Handle>,
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
    TaskFailed {
        task_execution_id: String,
        kind: String,
        message: String,
        /// The name of the error class, where it was recorded.
        error_type: Option<String>,
        /// Where the task threw it, where that was recorded.
        stack_trace: Option<String>,
        retryable: bool,
    },
    /// The task was cancelled.
    TaskCancelled { task_execution_id: String, kind: String, reason: String },
    /// Somebody rejected the promise.
    PromiseRejected { promise_id: String, name: String, message: String },
    /// Nobody settled the promise in time.
    PromiseTimedOut { promise_id: String, name: String },
    /// The child workflow failed or was cancelled.
    ChildFailed {
        child_execution_id: String,
        name: String,
        kind: String,
        message: String,
        /// How the child's own end names it, where it was recorded.
        failure_type: Option<String>,
        /// Where the child threw it, where that was recorded.
        stack_trace: Option<String>,
    },
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
#[derive(Serialize)]
struct Tagged<'a> {
    #[serde(rename = "__type")]
    tag: &'a str,
    value: &'a OperationError,
}

impl OperationError {
    const TAG: &'static str = "OperationError";

    /// Reads `{ name, message, stack?, retryable? }`; `None` for anything else.
    pub fn from_json(json: Json<'_>) -> Option<Self> {
        let (mut name, mut message, mut stack, mut retryable) = (None, None, None, None);
        let text = |json: Json<'_>| json.to_str().map(Cow::into_owned);
        for (member, json) in json.members()?.filter(|(_, json)| !json.is_null()) {
            match &*member.to_str()? {
                "name" => name = Some(text(json)?),
                "message" => message = Some(text(json)?),
                "stack" => stack = Some(text(json)?),
                "retryable" => retryable = Some(json.to_bool()?),
                _ => {}
            }
        }
        Some(Self { name: name?, message: message?, stack, retryable })
    }

    /// The recorded result of an operation that threw this error.
    pub(crate) fn to_payload(&self) -> Result<Payload, ReplayError> {
        let unwritable = |problem| ReplayError::InvalidArgument { argument: "error", problem };
        let json = serde_json::to_string(&Tagged { tag: Self::TAG, value: self });
        let json = json.map_err(|error| unwritable(error.to_string()))?;
        Payload::from_json(json).map_err(|error| unwritable(error.to_string()))
    }

    fn from_payload(result: &Payload) -> Option<Self> {
        // Most results are values: they are not worth a parse.
        if !result.as_json().starts_with('{') || !result.as_json().contains(Self::TAG) {
            return None;
        }
        let member = |wanted| {
            let mut members = Json::from(result).members()?;
            members.find(|(name, _)| name.to_str().is_some_and(|name| name == wanted)).map(|(_, json)| json)
        };
        let tag = member("__type")?.to_str()?;
        if tag != Self::TAG { None } else { Self::from_json(member("value")?) }
    }
}
