use alloc::{
    borrow::Cow,
    collections::BTreeMap,
    string::{String, ToString},
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::Payload;

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

/// A key borrowed from the input where it has no escapes.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// The fields of one `event_data`, looked up by any of several names: servers differ in their spelling.
pub(super) struct Fields<'a>(BTreeMap<Key<'a>, &'a RawValue>);

impl<'a> Fields<'a> {
    pub(super) fn parse(data: &'a [u8]) -> Result<Self, String> {
        if data.is_empty() {
            return Ok(Self(BTreeMap::new()));
        }
        serde_json::from_slice::<Option<_>>(data)
            .map(|fields| Self(fields.unwrap_or_default()))
            .map_err(|error| alloc::format!("expected a JSON object as event data: {error}"))
    }

    pub(super) fn text(&self, names: &[&str]) -> Result<String, String> {
        self.optional(names)?.ok_or_else(|| alloc::format!("the field `{}` is missing", names.join("` or `")))
    }

    pub(super) fn text_or(&self, names: &[&str], default: &str) -> Result<String, String> {
        Ok(self.optional(names)?.unwrap_or_else(|| default.to_string()))
    }

    /// The value as it stands, `null` where it is absent.
    pub(super) fn payload(&self, names: &[&str]) -> Payload {
        self.find(names).map_or_else(Payload::null, Payload::from_raw)
    }

    /// Absent and `null` are the same.
    pub(super) fn optional_payload(&self, names: &[&str]) -> Option<Payload> {
        self.find(names).filter(|raw| raw.get() != "null").map(Payload::from_raw)
    }

    /// Absent and `null` are the same.
    pub(super) fn optional<T: DeserializeOwned>(&self, names: &[&str]) -> Result<Option<T>, String> {
        let Some(raw) = self.find(names) else { return Ok(None) };
        serde_json::from_str(raw.get()).map_err(|error| alloc::format!("the field `{}`: {error}", names.join("` or `")))
    }

    fn find(&self, names: &[&str]) -> Option<&'a RawValue> {
        names.iter().find_map(|name| self.0.get(&Key(Cow::Borrowed(name)))).copied()
    }
}
