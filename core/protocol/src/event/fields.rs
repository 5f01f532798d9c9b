use alloc::{
    borrow::Cow,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
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

/// The fields of one `event_data`, looked up by any of several names: servers differ in their spelling.
///
/// There are about ten of them, so a list is found through as fast as a map.
#[derive(Default)]
pub(super) struct Fields<'a>(Vec<(Key<'a>, &'a RawValue)>);

/// A name, borrowed from the input where it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Fields<'a> {
    pub(super) fn parse(data: &'a [u8]) -> Result<Self, String> {
        if data.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_slice::<Option<Self>>(data)
            .map(Option::unwrap_or_default)
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

    /// Of a field given twice, the later one counts.
    fn find(&self, names: &[&str]) -> Option<&'a RawValue> {
        names.iter().find_map(|name| self.0.iter().rev().find(|(key, _)| key.0 == *name)).map(|(_, raw)| *raw)
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = map.next_entry()? {
            fields.push(entry);
        }
        Ok(Fields(fields))
    }
}
