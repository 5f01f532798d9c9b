use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::fmt;

use crate::{Handle, ReplayError, ending::Ending, signature::Signature};

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
    /// The handle of what the code did instead, where there is one: its line in the code is where they part.
    pub handle: Option<Handle>,
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

const ADVICE: &str = "If that was meant, let executions that began before go the old way: \
    `if (ctx.patched('some-name')) { the new way } else { the old way }`; or run this one with the code that wrote its \
    history. If the code is the same, look for what differs between two runs of it: the clock, random numbers, the \
    environment, the order of a collection, or an await of something that did not come from the workflow's context.";
const CHANGED_END: &str = "The execution has ended already, in another way. Replay it with the code that wrote its \
    history.";
const WAITS: &str = "the code waits";

impl Violation {
    /// A command meets an event of its type that says something else. `is_later` if a later event of the type says the
    /// same as the command.
    pub(crate) fn other_command(
        sequence: i32,
        expected: &Signature<'_>,
        got: &Signature<'_>,
        is_later: bool,
    ) -> ReplayError {
        let hint = match is_later {
            true => format!("The code asks for {got} before {expected}, or no longer asks for {expected}. {ADVICE}"),
            false => format!("The code asks for {got} in the place of {expected}, or has added it before. {ADVICE}"),
        };
        Self::disagree(sequence, expected, got, None, hint)
    }

    /// A command is new although events of other types are unclaimed.
    pub(crate) fn added(sequence: i32, expected: &Signature<'_>, got: &Signature<'_>) -> ReplayError {
        Self::disagree(sequence, expected, got, None, added(expected, got))
    }

    /// An operation of the history was passed because the code had not begun it, and the code goes on after it.
    pub(crate) fn skipped_operation(sequence: i32, got: &Signature<'_>) -> ReplayError {
        let differences = vec![Difference::new("command", "operation", got.noun())];
        let hint = format!("The code asks for {got} before the operation of event {sequence}. {ADVICE}");
        let kind = "Operation name mismatch";
        Self::raise(sequence, "OPERATION_COMPLETED", kind, differences, &"an operation", got, None, hint)
    }

    /// The cursor has reached an event that no command has claimed, and the code waits for something later.
    pub(crate) fn no_command(
        sequence: i32,
        expected: &Signature<'_>,
        suspect: Option<(Handle, Signature<'_>)>,
    ) -> ReplayError {
        match suspect {
            Some((handle, suspect)) => {
                Self::disagree(sequence, expected, &suspect, Some(handle), added(expected, &suspect))
            }
            None => Self::absent(sequence, expected, &format!("no such command: {WAITS}")),
        }
    }

    /// The function has ended although events are left that no command has claimed.
    pub(crate) fn ended_early(sequence: i32, expected: &Signature<'_>, got: &Ending) -> ReplayError {
        Self::absent(sequence, expected, &format!("the end of the workflow ({got})"))
    }

    fn absent(sequence: i32, expected: &Signature<'_>, got: &str) -> ReplayError {
        let differences = vec![Difference::new("command", expected.noun(), "nothing")];
        let (event, kind) = (expected.event_type(), expected.mismatch(None));
        let hint = format!("The code no longer asks for {expected} at this point. {ADVICE}");
        Self::raise(sequence, event, kind, differences, expected, &got, None, hint)
    }

    fn disagree(
        sequence: i32,
        expected: &Signature<'_>,
        got: &Signature<'_>,
        handle: Option<Handle>,
        hint: String,
    ) -> ReplayError {
        let (event, kind) = (expected.event_type(), expected.mismatch(Some(got)));
        Self::raise(sequence, event, kind, compare(expected, got), expected, got, handle, hint)
    }

    /// A command that the history of an ended execution does not have.
    pub(crate) fn after_end(sequence: i32, end: &Ending, got: &Signature<'_>) -> ReplayError {
        let differences = vec![Difference::new("command", "nothing", got.noun())];
        let expected = format!("no further {} before the end ({end})", got.noun());
        let hint = format!("The code has added {got}. {ADVICE}");
        Self::raise(sequence, end.event_type(), got.mismatch(None), differences, &expected, got, None, hint)
    }

    /// The old way of a patch is gone from the code, and this execution took it.
    pub(crate) fn deprecated_too_early(
        sequence: i32,
        expected: Option<&Signature<'_>>,
        got: &Signature<'_>,
    ) -> ReplayError {
        let differences = vec![Difference::new("command", expected.map_or("nothing", Signature::noun), got.noun())];
        let event = expected.unwrap_or(got).event_type();
        let expected = expected.map_or_else(|| "no record of the patch".to_string(), |expected| expected.to_string());
        let hint = "This execution went the old way, before the patch. Use ctx.patched with both ways until no such \
                    execution is left, and only then ctx.deprecatePatch; or run it with the code from before.";
        let kind = got.mismatch(None);
        Self::raise(sequence, event, kind, differences, &expected, got, None, hint.to_string())
    }

    /// The history has ended and the code has not.
    pub(crate) fn still_waiting(sequence: i32, end: &Ending) -> ReplayError {
        let differences = vec![Difference::new("outcome", end, WAITS)];
        Self::raise(sequence, end.event_type(), OUTCOME, differences, end, &WAITS, None, CHANGED_END.to_string())
    }

    /// Both have ended, each in its own way.
    pub(crate) fn other_outcome(sequence: i32, end: &Ending, got: &Ending) -> ReplayError {
        let differences = vec![Difference::new("outcome", end, got)];
        Self::raise(sequence, end.event_type(), OUTCOME, differences, end, got, None, CHANGED_END.to_string())
    }

    #[allow(clippy::too_many_arguments)]
    fn raise(
        event_sequence: i32,
        event: &str,
        kind: &str,
        differences: Vec<Difference>,
        expected: &dyn fmt::Display,
        got: &dyn fmt::Display,
        handle: Option<Handle>,
        hint: String,
    ) -> ReplayError {
        ReplayError::Violation(Box::new(Self {
            event_sequence,
            event: event.to_string(),
            expected: expected.to_string(),
            got: got.to_string(),
            differences,
            message: format!("{kind} at event {event_sequence} ({event}): expected {expected}, got {got}"),
            hint,
            handle,
        }))
    }
}

const OUTCOME: &str = "Outcome mismatch";

impl Difference {
    fn new(field: &'static str, expected: impl ToString, got: impl ToString) -> Self {
        Self { field, expected: expected.to_string(), got: got.to_string() }
    }
}

fn added(expected: &Signature<'_>, got: &Signature<'_>) -> String {
    format!("The code has added {got}, or no longer asks for {expected}. {ADVICE}")
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
