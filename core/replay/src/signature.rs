use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::fmt;

/// What a command and its event are compared by. Inputs, durations, queues and values may change; these may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signature<'a> {
    Task { kind: &'a str },
    Timer { id: &'a str },
    Promise { name: &'a str },
    Operation { name: &'a str },
    State { key: &'a str, change: Change },
}

/// What happens to a state key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Set,
    Clear,
}

impl Signature<'_> {
    /// The words that a violation of this kind begins with.
    pub(crate) fn mismatch(&self) -> &'static str {
        match self {
            Self::Task { .. } => "Task type mismatch",
            Self::Timer { .. } => "Timer mismatch",
            Self::Promise { .. } => "Promise name mismatch",
            Self::Operation { .. } => "Operation name mismatch",
            Self::State { .. } => "State key mismatch",
        }
    }

    /// The type of the event that such a command leaves.
    pub(crate) fn event_type(&self) -> &'static str {
        match self {
            Self::Task { .. } => "TASK_SCHEDULED",
            Self::Timer { .. } => "TIMER_STARTED",
            Self::Promise { .. } => "PROMISE_CREATED",
            Self::Operation { .. } => "OPERATION_COMPLETED",
            Self::State { change: Change::Set, .. } => "STATE_SET",
            Self::State { change: Change::Clear, .. } => "STATE_CLEARED",
        }
    }

    /// The kind of thing, without its values.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Task { .. } => "task",
            Self::Timer { .. } => "timer",
            Self::Promise { .. } => "promise",
            Self::Operation { .. } => "operation",
            Self::State { .. } => "state",
        }
    }

    /// The compared values, by name.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Task { kind } => vec![("kind", kind.to_string())],
            Self::Timer { id } => vec![("id", id.to_string())],
            Self::Promise { name } | Self::Operation { name } => vec![("name", name.to_string())],
            Self::State { key, change } => vec![("key", key.to_string()), ("change", change.to_string())],
        }
    }
}

impl fmt::Display for Signature<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task { kind } => write!(f, "task {kind:?}"),
            Self::Timer { id } => write!(f, "timer {id:?}"),
            Self::Promise { name } => write!(f, "promise {name:?}"),
            Self::Operation { name } => write!(f, "operation {name:?}"),
            Self::State { key, change } => write!(f, "{change} of state key {key:?}"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set => "set",
            Self::Clear => "clear",
        })
    }
}
