//! A history in JSON, as golden files have it.

use std::borrow::Cow;

use flovyn_protocol::{json::Json, messages::WorkflowEvent};
use flovyn_replay::ExecutionInfo;

use crate::error::Error;

/// Reads `{ execution: { executionId, kind, taskTimeMs, extended, tolerant?, keepsCommands? }, events: [{ sequence,
/// eventType, data }] }`, other members are passed over: the execution, whether it keeps its commands, and the events.
pub(super) fn parse(history: &str) -> Result<(ExecutionInfo, bool, Vec<WorkflowEvent>), Error> {
    let history = Members::of(Json::parse(history.as_bytes())?, "history")?;
    let members = Members::of(history.get("execution")?, "execution")?;
    let execution = execution(&members)?;
    let keeps_commands = members.flag("keepsCommands");
    let events = history.get("events")?.elements().ok_or_else(|| refused("events", "an array"))?;
    let events = events.map(|event| self::event(&Members::of(event, "event")?)).collect::<Result<_, _>>()?;
    Ok((execution, keeps_commands, events))
}

fn execution(members: &Members<'_>) -> Result<ExecutionInfo, Error> {
    Ok(ExecutionInfo {
        execution_id: members.text("executionId")?,
        kind: members.text("kind")?,
        task_time_ms: members.number("taskTimeMs")?,
        extended: members.get("extended")?.to_bool().ok_or_else(|| refused("extended", "a boolean"))?,
        tolerant: members.flag("tolerant"),
    })
}

fn event(members: &Members<'_>) -> Result<WorkflowEvent, Error> {
    Ok(WorkflowEvent {
        sequence_number: members.number("sequence")?,
        event_type: members.text("eventType")?,
        event_data: members.get("data")?.text().into(),
    })
}

struct Members<'a>(Vec<(Json<'a>, Json<'a>)>);

impl<'a> Members<'a> {
    fn of(json: Json<'a>, what: &str) -> Result<Self, Error> {
        json.members().map(|members| Self(members.collect())).ok_or_else(|| refused(what, "an object"))
    }

    fn get(&self, name: &str) -> Result<Json<'a>, Error> {
        let found = self.0.iter().find(|(member, _)| member.to_str().is_some_and(|member| member == name));
        found.map(|(_, json)| *json).ok_or_else(|| refused(name, "a value"))
    }

    /// False where it is absent.
    fn flag(&self, name: &str) -> bool {
        self.get(name).is_ok_and(|flag| flag.to_bool() == Some(true))
    }

    fn text(&self, name: &str) -> Result<String, Error> {
        self.get(name)?.to_str().map(Cow::into_owned).ok_or_else(|| refused(name, "a string"))
    }

    fn number<T: TryFrom<i64>>(&self, name: &str) -> Result<T, Error> {
        let number = self.get(name)?.to_i64().and_then(|number| number.try_into().ok());
        number.ok_or_else(|| refused(name, "a whole number in range"))
    }
}

fn refused(what: &str, expected: &str) -> Error {
    Error::invalid_argument(format!("history: {what}: expected {expected}"))
}
