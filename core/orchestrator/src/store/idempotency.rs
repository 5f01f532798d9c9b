use alloc::string::String;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A name that a client gave to a thing, so that asking twice makes it once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IdempotencyKey {
    /// The organisation.
    pub org_id: Uuid,
    /// Keys of different things never meet.
    pub space: IdempotencySpace,
    /// What the client chose.
    pub text: String,
}

/// What a key can stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum IdempotencySpace {
    /// Executions.
    Execution,
    /// Tasks made by SubmitTask.
    Task,
    /// Promises.
    Promise,
}

/// What is known under an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// The key.
    pub key: IdempotencyKey,
    /// The thing, in the key's organisation.
    pub target_id: Uuid,
    /// The key means nothing from then on, in milliseconds since 1970; that of an execution not before it has ended.
    pub expires_at_ms: i64,
}
