use alloc::{string::String, vec::Vec};
use core::fmt;

/// Code and history disagree: the code no longer asks for what it asked for when the history was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The event that the code does not agree with.
    pub event_sequence: i32,
    /// Its type, such as `TASK_SCHEDULED`.
    pub event: String,
    /// What the history has.
    pub expected: String,
    /// What the code did.
    pub got: String,
    /// The fields that differ, one by one.
    pub differences: Vec<Difference>,
    /// One sentence that begins with the kind of disagreement ("Task type mismatch", ...) and gives both values.
    pub message: String,
    /// What usually causes this, and what to do.
    pub hint: String,
}

/// One field in which a command and its event differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `command`, `kind`, `name`, `id`, `key`, `change`, `outcome`, ...
    pub field: &'static str,
    /// The value in the history.
    pub expected: String,
    /// The value that the code gave.
    pub got: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
