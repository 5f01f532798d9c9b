//! The way out of the codec boundary: which parts of a command a codec encodes.

use alloc::{
    format,
    string::{String, ToString},
    vec::{self, Vec},
};

use flovyn_protocol::{
    Payload, PayloadError, json,
    messages::{WorkflowCommand, workflow_command::CommandData},
};

use crate::{ReplayError, slot::Slot};

/// The internal operation that records the time that workflow code has read.
pub(crate) const TIME: &str = "$time";
/// The one that records how many signals the first turn saw.
pub(crate) const SIGNALS: &str = "$signals";
/// The one that records how much of the history had been handed over when an operation was settled.
pub(crate) const SEEN: &str = "$seen";
/// Before the name of a child: its cancellation was asked for on a server that may leave no event of that.
pub(crate) const CANCEL_PREFIX: &str = "$cancel:";
/// Before the id of a patch: the code has taken the new way.
pub(crate) const PATCH_PREFIX: &str = "$patch:";

/// Internal operations are the engine's own: a codec never sees them.
pub(crate) fn is_internal(operation_name: &str) -> bool {
    operation_name.starts_with('$')
}

/// The JSON texts of all commands, in order.
pub(crate) fn texts(commands: &mut [WorkflowCommand]) -> Vec<String> {
    commands.iter_mut().flat_map(places).map(|place| place.json()).collect()
}

/// Puts the encoded texts in the places of [`texts`]; changes nothing if one of them is not JSON.
pub(crate) fn fill(commands: &mut [WorkflowCommand], encoded: Vec<String>) -> Result<(), ReplayError> {
    check_count(commands.iter_mut().map(|command| places(command).count()).sum(), encoded.len())?;
    let payloads = encoded.into_iter().map(Payload::from_json).collect::<Result<Vec<_>, _>>().map_err(not_json)?;
    let places = commands.iter_mut().flat_map(places);
    places.zip(payloads).for_each(|(place, payload)| place.write(payload));
    Ok(())
}

/// As many payloads must come back as were given out.
pub(crate) fn check_count(expected: usize, got: usize) -> Result<(), ReplayError> {
    if expected == got {
        return Ok(());
    }
    let problem = format!("expected {expected} payloads, one for each that was listed, got {got}");
    Err(ReplayError::InvalidArgument { argument: "payloads", problem })
}

enum Place<'a> {
    Payload(&'a mut Vec<u8>),
    Text(&'a mut String),
}

fn places(command: &mut WorkflowCommand) -> vec::IntoIter<Place<'_>> {
    let places = match &mut command.command_data {
        Some(CommandData::RecordOperation(c)) if !is_internal(&c.operation_name) => {
            alloc::vec![Place::Payload(&mut c.result)]
        }
        Some(CommandData::SetState(c)) => alloc::vec![Place::Payload(&mut c.value)],
        Some(CommandData::ScheduleTask(c)) => alloc::vec![Place::Payload(&mut c.input)],
        Some(CommandData::ScheduleChildWorkflow(c)) => alloc::vec![Place::Payload(&mut c.input)],
        Some(CommandData::CompleteWorkflow(c)) => alloc::vec![Place::Payload(&mut c.output)],
        Some(CommandData::FailWorkflow(c)) => {
            alloc::vec![Place::Text(&mut c.error), Place::Text(&mut c.stack_trace)]
        }
        _ => Vec::new(),
    };
    places.into_iter()
}

impl Place<'_> {
    fn json(self) -> String {
        match self {
            Self::Payload(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Text(text) => json::quote(text),
        }
    }

    fn write(self, payload: Payload) {
        match self {
            Self::Payload(bytes) => *bytes = payload.to_bytes(),
            Self::Text(text) => *text = Slot::payload(payload).into_text(),
        }
    }
}

fn not_json(error: PayloadError) -> ReplayError {
    ReplayError::InvalidArgument { argument: "payloads", problem: error.to_string() }
}
