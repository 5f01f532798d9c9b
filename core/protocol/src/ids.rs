//! UUIDs: how they are read, and how those that replay must find again are made.

use alloc::string::String;

use uuid::Uuid;

/// The id of the task, child or user UUID that an execution makes as its `counter`-th, from 0.
///
/// UUID v5 with the execution id as namespace and `"<execution id>:<counter>"` as name, so that every replay gives
/// the same id on every platform.
pub fn derive(execution_id: Uuid, counter: u64) -> Uuid {
    Uuid::new_v5(&execution_id, alloc::format!("{execution_id}:{counter}").as_bytes())
}

/// Reads a UUID in any of its usual spellings. [`Uuid`] writes it back in lower case with hyphens.
pub fn parse(text: &str) -> Result<Uuid, IdError> {
    Uuid::try_parse(text).map_err(|_| IdError { got: text.chars().take(100).collect() })
}

/// Text that should have been a UUID is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a UUID, got {got:?}")]
pub struct IdError {
    /// What came, shortened to 100 characters.
    pub got: String,
}
