use alloc::{borrow::ToOwned, boxed::Box, string::String};
use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::json::Json;

/// One value of a user, as the JSON text it arrived in.
///
/// It is never parsed into a tree: key order, number spelling and white space inside survive, so the same bytes
/// come out that went in. `null` is an ordinary value.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Payload(Box<RawValue>);

impl Payload {
    /// `null`, which is also what empty bytes mean on the wire.
    pub fn null() -> Self {
        Self(RawValue::NULL.to_owned())
    }

    /// Reads one JSON value that must fill `bytes`; empty bytes are `null`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PayloadError> {
        if bytes.is_empty() {
            return Ok(Self::null());
        }
        serde_json::from_slice(bytes).map(Self).map_err(PayloadError)
    }

    /// As [`Payload::from_bytes`], for text.
    pub fn from_json(json: String) -> Result<Self, PayloadError> {
        if json.is_empty() {
            return Ok(Self::null());
        }
        RawValue::from_string(json).map(Self).map_err(PayloadError)
    }

    /// The JSON text.
    pub fn as_json(&self) -> &str {
        self.0.get()
    }

    /// The JSON text in the form the wire wants it.
    pub fn to_bytes(&self) -> alloc::vec::Vec<u8> {
        self.as_json().as_bytes().to_vec()
    }
}

impl From<Json<'_>> for Payload {
    fn from(json: Json<'_>) -> Self {
        // The text was checked when the `Json` was made.
        Self(RawValue::from_string(json.text().to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::null()
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.as_json() == other.as_json()
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_json())
    }
}

/// Bytes that should have been one JSON value are not.
#[derive(Debug, thiserror::Error)]
#[error("expected one JSON value in UTF-8: {0}")]
pub struct PayloadError(pub(crate) serde_json::Error);
