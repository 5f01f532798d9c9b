use alloc::string::String;

use serde::{Deserialize, Serialize};

/// A line that a task has logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskLog {
    /// The attempt that logged it, from 1.
    pub attempt: i32,
    /// DEBUG, INFO, WARN or ERROR.
    pub level: String,
    /// What it says.
    pub message: String,
    /// When it came, in milliseconds since 1970.
    pub timestamp_ms: i64,
}
