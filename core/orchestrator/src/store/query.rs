use alloc::string::String;

use flovyn_protocol::Payload;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Key;

/// A question to an execution that a worker answers. It lives as long as somebody may wait for the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryRecord {
    /// Its id, made by the server.
    pub key: Key,
    /// Which execution is asked.
    pub execution_id: Uuid,
    /// Its workflow.
    pub kind: String,
    /// Its queue.
    pub queue: String,
    /// What is asked.
    pub name: String,
    /// The details.
    pub params: Payload,
    /// A worker that has not taken it by then gets it no more, in milliseconds since 1970.
    pub take_by_ms: i64,
    /// Nobody waits for it from then on, in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// How far it has come.
    pub state: QueryState,
}

/// ```text
/// offered --a worker polls--> taken --AnswerQuery--> answered
/// offered --a worker polls--> too large
/// taken --the poll's answer was not delivered--> offered
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueryState {
    /// No worker has it.
    Offered,
    /// A worker has it.
    Taken,
    /// A worker has answered.
    Answered(QueryAnswer),
    /// The state of the execution is more than is sent to a worker.
    TooLarge,
}

/// What a worker says to a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryAnswer {
    /// The result.
    pub result: Payload,
    /// Why there is none.
    pub error: Option<String>,
}
