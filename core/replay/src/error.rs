use alloc::{boxed::Box, string::String};

use crate::Violation;

/// Why a call on an [`Execution`](crate::Execution) was refused.
///
/// After a violation, a stale answer or an unusable history the execution is of no more use: the driver drops it, and
/// every later call of the driver gets the same error again.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReplayError {
    /// Code and history disagree. Fatal.
    #[error("{0}")]
    Violation(Box<Violation>),

    /// The events that came back are not those of the commands that were sent: another worker went on with the
    /// execution. Fatal; replay from the complete history.
    #[error("event {sequence}: expected {expected}, got {got}: drop this execution and replay its complete history")]
    Stale {
        /// The event that differs, or the last one held where events are missing.
        sequence: i32,
        /// The command that was sent.
        expected: String,
        /// What the history has in its place.
        got: String,
    },

    /// Events are missing between two pages. Fatal; fetch the history again.
    #[error("expected event {expected} next, got event {got}: fetch the history again from event {expected}")]
    HistoryGap {
        /// The sequence number that should have come.
        expected: i32,
        /// The one that came.
        got: i32,
    },

    /// The history says something that no history can say. Fatal; the server is at fault.
    #[error("event {sequence}: {problem}")]
    InvalidHistory {
        /// The event at fault, 0 where there is none.
        sequence: i32,
        /// What was expected and what came.
        problem: String,
    },

    /// A verb was called while the workflow was not being told anything.
    #[error(
        "{call} was called outside a turn: the workflow waited for something that the history does not know \
         (a fetch, a timeout of the host), or an operation used the workflow's context; wrap such work in ctx.run \
         and await only what the context gives"
    )]
    NotInTurn {
        /// The verb.
        call: &'static str,
    },

    /// A method of the driver was called when it cannot be.
    #[error("{call}: {problem}")]
    OutOfOrder {
        /// The method.
        call: &'static str,
        /// What stands in the way and what to call first.
        problem: &'static str,
    },

    /// The thing exists in Flovyn, but not here. Fatal when the history asks for it.
    #[error("unsupported: {what}")]
    Unsupported {
        /// What was asked for, and why it cannot be.
        what: String,
    },

    /// A value given by the caller cannot be used. Nothing has changed.
    #[error("{argument}: {problem}")]
    InvalidArgument {
        /// The parameter.
        argument: &'static str,
        /// What was expected and what came.
        problem: String,
    },

    /// Workflow code went on after a fatal error, which it may have caught. Nothing that it does counts any more.
    #[error("{call}: the execution has stopped: {reason}")]
    Poisoned {
        /// The verb.
        call: &'static str,
        /// The fatal error.
        reason: String,
    },
}

impl ReplayError {
    /// The kind of the error, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Violation(_) => "VIOLATION",
            Self::Stale { .. } => "STALE",
            Self::HistoryGap { .. } => "HISTORY_GAP",
            Self::InvalidHistory { .. } => "INVALID_HISTORY",
            Self::NotInTurn { .. } => "NOT_IN_TURN",
            Self::OutOfOrder { .. } => "OUT_OF_ORDER",
            Self::Unsupported { .. } => "UNSUPPORTED",
            Self::InvalidArgument { .. } => "INVALID_ARGUMENT",
            Self::Poisoned { .. } => "POISONED",
        }
    }
}
