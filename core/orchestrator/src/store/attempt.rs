use alloc::string::String;

use serde::{Deserialize, Serialize};

/// An attempt at a task that has ended. One under way is the task's [`Claim`](super::Claim).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskAttempt {
    /// From 1, as the worker was told.
    pub number: i32,
    /// As the worker named itself when it polled; may be empty.
    pub worker: String,
    /// When it was claimed.
    pub started_at_ms: i64,
    /// When it ended.
    pub ended_at_ms: i64,
    /// How.
    pub end: AttemptEnd,
}

/// How an attempt ended. The texts may be cut short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttemptEnd {
    /// With the result of the task.
    Completed,
    /// With this error, which its worker reported or for which it was given up.
    Failed(String),
    /// The task was cancelled for this reason.
    Cancelled(String),
}

impl AttemptEnd {
    /// COMPLETED, FAILED or CANCELLED.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED",
            Self::Failed(_) => "FAILED",
            Self::Cancelled(_) => "CANCELLED",
        }
    }

    /// What went wrong.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Completed => None,
            Self::Failed(error) | Self::Cancelled(error) => Some(error),
        }
    }
}
