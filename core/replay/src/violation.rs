use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::fmt;

use crate::{ReplayError, ending::Ending, signature::Signature};

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
    /// `command`, `kind`, `name`, `id`, `key`, `change` or `outcome`.
    pub field: &'static str,
    /// The value in the history.
    pub expected: String,
    /// The value that the code gave.
    pub got: String,
}

const CHANGED_CODE: &str = "The code asks for other things, or in another order, than when this history was written. \
    Run the execution with the code that wrote its history. If the code is the same, look for what differs between two \
    runs of it: the clock, random numbers, the environment, the order of a collection, or an await of something that \
    did not come from the workflow's context.";
const CHANGED_END: &str = "The execution has ended already, in another way. Replay it with the code that wrote its \
    history.";
const WAITS: &str = "the code waits";

impl Violation {
    /// A command meets an event of its type that says something else, or is new before all events are claimed.
    pub(crate) fn other_command(sequence: i32, expected: &Signature<'_>, got: &Signature<'_>) -> ReplayError {
        let differences = compare(expected, got);
        Self::raise(sequence, expected.event_type(), expected.mismatch(), differences, expected, got, CHANGED_CODE)
    }

    /// The cursor has reached an event that no command has claimed, and the code waits for something later.
    pub(crate) fn no_command(sequence: i32, expected: &Signature<'_>, suspect: Option<&Signature<'_>>) -> ReplayError {
        match suspect {
            Some(suspect) => Self::other_command(sequence, expected, suspect),
            None => Self::absent(sequence, expected, &format!("no such command: {WAITS}")),
        }
    }

    /// The function has ended although events are left that no command has claimed.
    pub(crate) fn ended_early(sequence: i32, expected: &Signature<'_>, got: &Ending) -> ReplayError {
        Self::absent(sequence, expected, &format!("the end of the workflow ({got})"))
    }

    fn absent(sequence: i32, expected: &Signature<'_>, got: &str) -> ReplayError {
        let differences = vec![Difference::new("command", expected.noun(), "nothing")];
        Self::raise(sequence, expected.event_type(), expected.mismatch(), differences, expected, &got, CHANGED_CODE)
    }

    /// A command that the history of an ended execution does not have.
    pub(crate) fn after_end(sequence: i32, end: &Ending, got: &Signature<'_>) -> ReplayError {
        let differences = vec![Difference::new("command", "nothing", got.noun())];
        let expected = format!("no further {} before the end ({end})", got.noun());
        Self::raise(sequence, end.event_type(), got.mismatch(), differences, &expected, got, CHANGED_CODE)
    }

    /// The history has ended and the code has not.
    pub(crate) fn still_waiting(sequence: i32, end: &Ending) -> ReplayError {
        let differences = vec![Difference::new("outcome", end, WAITS)];
        Self::raise(sequence, end.event_type(), OUTCOME, differences, end, &WAITS, CHANGED_END)
    }

    /// Both have ended, each in its own way.
    pub(crate) fn other_outcome(sequence: i32, end: &Ending, got: &Ending) -> ReplayError {
        let differences = vec![Difference::new("outcome", end, got)];
        Self::raise(sequence, end.event_type(), OUTCOME, differences, end, got, CHANGED_END)
    }

    fn raise(
        event_sequence: i32,
        event: &str,
        kind: &str,
        differences: Vec<Difference>,
        expected: &dyn fmt::Display,
        got: &dyn fmt::Display,
        hint: &str,
    ) -> ReplayError {
        ReplayError::Violation(Box::new(Self {
            event_sequence,
            event: event.to_string(),
            expected: expected.to_string(),
            got: got.to_string(),
            differences,
            message: format!("{kind} at event {event_sequence} ({event}): expected {expected}, got {got}"),
            hint: hint.to_string(),
        }))
    }
}

const OUTCOME: &str = "Outcome mismatch";

impl Difference {
    fn new(field: &'static str, expected: impl ToString, got: impl ToString) -> Self {
        Self { field, expected: expected.to_string(), got: got.to_string() }
    }
}

fn compare(expected: &Signature<'_>, got: &Signature<'_>) -> Vec<Difference> {
    if expected.noun() != got.noun() {
        return vec![Difference::new("command", expected.noun(), got.noun())];
    }
    let pairs = expected.fields().into_iter().zip(got.fields());
    pairs.filter(|(e, g)| e != g).map(|(e, g)| Difference::new(e.0, e.1, g.1)).collect()
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
