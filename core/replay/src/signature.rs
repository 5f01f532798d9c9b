use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::fmt;

/// What a command and its event are compared by. Inputs, durations, queues and values may change; these may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signature<'a> {
    Task {
        kind: &'a str,
    },
    Timer {
        id: &'a str,
    },
    Promise {
        name: &'a str,
    },
    Child {
        name: &'a str,
        kind: &'a str,
    },
    Operation {
        name: &'a str,
    },
    State {
        key: &'a str,
        change: Change,
    },
    TimerCancellation {
        id: &'a str,
    },
    TaskCancellation {
        id: &'a str,
    },
    ChildCancellation {
        name: &'a str,
    },
    /// Only of `deprecatePatch`: other patches need no event.
    Patch {
        id: &'a str,
    },
}

/// What happens to a state key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Set,
    Clear,
}

impl Signature<'_> {
    /// The time that workflow code has read is recorded as an operation of the engine's own.
    pub(crate) const TIME: Signature<'static> = Signature::Operation { name: crate::codec::TIME };

    /// The words that a violation of this kind begins with.
    pub(crate) fn mismatch(&self, got: Option<&Signature<'_>>) -> &'static str {
        match (self, got) {
            (Self::Task { .. }, _) => "Task type mismatch",
            (Self::Timer { .. }, _) => "Timer mismatch",
            (Self::Promise { .. }, _) => "Promise name mismatch",
            (Self::Child { name, .. }, Some(Signature::Child { name: got, .. })) if name == got => {
                "Child workflow kind mismatch"
            }
            (Self::Child { .. }, _) => "Child workflow name mismatch",
            (Self::Operation { .. }, _) => "Operation name mismatch",
            (Self::State { .. }, _) => "State key mismatch",
            (Self::TimerCancellation { .. }, _) => "Timer cancellation mismatch",
            (Self::TaskCancellation { .. }, _) => "Task cancellation mismatch",
            (Self::ChildCancellation { .. }, _) => "Child workflow cancellation mismatch",
            (Self::Patch { .. }, _) => "Patch mismatch",
        }
    }

    /// The type of the event that such a command leaves.
    pub(crate) fn event_type(&self) -> &'static str {
        match self {
            Self::Task { .. } => "TASK_SCHEDULED",
            Self::Timer { .. } => "TIMER_STARTED",
            Self::Promise { .. } => "PROMISE_CREATED",
            Self::Child { .. } => "CHILD_WORKFLOW_INITIATED",
            Self::Operation { .. } | Self::Patch { .. } => "OPERATION_COMPLETED",
            Self::State { change: Change::Set, .. } => "STATE_SET",
            Self::State { change: Change::Clear, .. } => "STATE_CLEARED",
            Self::TimerCancellation { .. } => "TIMER_CANCELLED",
            Self::TaskCancellation { .. } => "TASK_CANCELLATION_REQUESTED",
            Self::ChildCancellation { .. } => "CHILD_WORKFLOW_CANCELLATION_REQUESTED",
        }
    }

    /// The kind of thing, without its values.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Task { .. } => "task",
            Self::Timer { .. } => "timer",
            Self::Promise { .. } => "promise",
            Self::Child { .. } => "child workflow",
            Self::Operation { .. } => "operation",
            Self::State { .. } => "state",
            Self::TimerCancellation { .. } => "cancellation of a timer",
            Self::TaskCancellation { .. } => "cancellation of a task",
            Self::ChildCancellation { .. } => "cancellation of a child workflow",
            Self::Patch { .. } => "patch",
        }
    }

    /// The compared values, by name.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Task { kind } => vec![("kind", kind.to_string())],
            Self::Timer { id }
            | Self::TimerCancellation { id }
            | Self::TaskCancellation { id }
            | Self::Patch { id } => {
                vec![("id", id.to_string())]
            }
            Self::Promise { name } | Self::Operation { name } | Self::ChildCancellation { name } => {
                vec![("name", name.to_string())]
            }
            Self::Child { name, kind } => vec![("name", name.to_string()), ("kind", kind.to_string())],
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
            Self::Child { name, kind } => write!(f, "child workflow {name:?} of kind {kind:?}"),
            Self::Operation { name } => write!(f, "operation {name:?}"),
            Self::State { key, change } => write!(f, "{change} of state key {key:?}"),
            Self::TimerCancellation { id } => write!(f, "cancellation of timer {id:?}"),
            Self::TaskCancellation { id } => write!(f, "cancellation of task {id:?}"),
            Self::ChildCancellation { name } => write!(f, "cancellation of child workflow {name:?}"),
            Self::Patch { id } => write!(f, "deprecated patch {id:?}"),
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
