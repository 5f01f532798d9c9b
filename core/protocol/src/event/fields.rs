use crate::{Payload, json::Json};
use alloc::{
    borrow::Cow,
    string::{String, ToString},
    vec::Vec,
};

/// An event that does not say what its type promises. Nothing of the history is lost: the server still has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {sequence} ({event_type}): {problem}")]
pub struct EventError {
    /// The number of the event.
    pub sequence: i32,
    /// Its type as it came.
    pub event_type: String,
    /// What was expected and what came.
    pub problem: String,
}

/// The fields of one `event_data`, looked up by any of several names: servers differ in their spelling.
///
/// There are about ten of them, so a list is found through as fast as a map.
pub(super) struct Fields<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Fields<'a> {
    pub(super) fn parse(data: &'a [u8]) -> Result<Self, String> {
        let json = if data.is_empty() { b"null" } else { data };
        let json = Json::parse(json).map_err(|error| alloc::format!("the event data: {error}"))?;
        if json.is_null() {
            return Ok(Self(Vec::new()));
        }
        let members = json.members().ok_or_else(|| unexpected("the event data", "an object", json))?;
        // A name that is no text is none of those that are looked for.
        Ok(Self(members.map(|(name, value)| (name.to_str().unwrap_or_default(), value)).collect()))
    }

    pub(super) fn text(&self, names: &[&str]) -> Result<String, String> {
        self.optional_text(names)?.ok_or_else(|| alloc::format!("{} is missing", field(names)))
    }

    pub(super) fn text_or(&self, names: &[&str], default: &str) -> Result<String, String> {
        Ok(self.optional_text(names)?.unwrap_or_else(|| default.to_string()))
    }

    pub(super) fn optional_text(&self, names: &[&str]) -> Result<Option<String>, String> {
        self.optional(names, "a string", |json| json.to_str().map(Cow::into_owned))
    }

    pub(super) fn optional_number<T: TryFrom<i64>>(&self, names: &[&str]) -> Result<Option<T>, String> {
        self.optional(names, "a whole number in range", |json| json.to_i64()?.try_into().ok())
    }

    pub(super) fn optional_flag(&self, names: &[&str]) -> Result<Option<bool>, String> {
        self.optional(names, "a boolean", Json::to_bool)
    }

    /// The value as it stands, `null` where it is absent.
    pub(super) fn payload(&self, names: &[&str]) -> Payload {
        self.find(names).map_or_else(Payload::null, Payload::from)
    }

    /// Absent and `null` are the same, here and in every optional field.
    pub(super) fn optional_payload(&self, names: &[&str]) -> Option<Payload> {
        self.find(names).filter(|json| !json.is_null()).map(Payload::from)
    }

    fn optional<T>(
        &self,
        names: &[&str],
        expected: &str,
        read: impl FnOnce(Json<'a>) -> Option<T>,
    ) -> Result<Option<T>, String> {
        match self.find(names).filter(|json| !json.is_null()) {
            Some(json) => read(json).map(Some).ok_or_else(|| unexpected(&field(names), expected, json)),
            None => Ok(None),
        }
    }

    /// Of a field given twice, the later one counts.
    fn find(&self, names: &[&str]) -> Option<Json<'a>> {
        names.iter().find_map(|name| self.0.iter().rev().find(|(field, _)| field == name)).map(|(_, json)| *json)
    }
}

fn field(names: &[&str]) -> String {
    alloc::format!("the field `{}`", names.join("` or `"))
}

fn unexpected(what: &str, expected: &str, got: Json<'_>) -> String {
    let got: String = got.text().chars().take(100).collect();
    alloc::format!("{what}: expected {expected}, got {got}")
}
