use alloc::{
    boxed::Box,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error};
use serde_json::value::RawValue;

use crate::json::Json;

/// One value of a user, as the JSON text it arrived in.
///
/// It is never parsed into a tree: key order, number spelling and white space inside survive, so the same bytes
/// come out that went in. `null` is an ordinary value.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Box<str>);

impl Payload {
    /// `null`, which is also what empty bytes mean on the wire.
    pub fn null() -> Self {
        Self("null".into())
    }

    /// Reads one JSON value that must fill `bytes`; empty bytes are `null`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PayloadError> {
        if bytes.is_empty() { Ok(Self::null()) } else { Json::parse(bytes).map(Self::from) }
    }

    /// As [`Payload::from_bytes`], for text.
    pub fn from_json(json: String) -> Result<Self, PayloadError> {
        Self::from_bytes(json.as_bytes())
    }

    /// The JSON text.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// The JSON text in the form the wire wants it.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.as_json().as_bytes().to_vec()
    }
}

impl From<Json<'_>> for Payload {
    fn from(json: Json<'_>) -> Self {
        Self(json.text().into())
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::null()
    }
}

/// As the JSON value that it is; serializers other than serde_json's cannot write one.
impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(self.as_json()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|json| Self(json.into()))
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_json())
    }
}

/// Bytes that should have been one JSON value are not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one JSON value in UTF-8: {problem}")]
pub struct PayloadError {
    problem: String,
}

impl PayloadError {
    pub(crate) fn new(problem: impl ToString) -> Self {
        Self { problem: problem.to_string() }
    }
}
