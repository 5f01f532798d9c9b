use alloc::string::String;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Key;

/// A promise that an execution made, which somebody outside settles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseRecord {
    /// Its id, made by the server.
    pub key: Key,
    /// Whose.
    pub execution_id: Uuid,
    /// Its name; not unique.
    pub name: String,
    /// The sequence number of PROMISE_CREATED, which orders promises of one name.
    pub sequence: i32,
    /// Whether it is settled.
    pub state: PromiseState,
}

/// The life of a promise: the first of the three ends wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PromiseState {
    /// Not settled.
    Pending,
    /// Has a value.
    Resolved,
    /// Has an error.
    Rejected,
    /// Nobody settled it in time.
    TimedOut,
}
