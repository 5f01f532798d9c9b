use alloc::string::{String, ToString};

use flovyn_protocol::Payload;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::ReplayError;

/// A place in an event or a command that a codec may encode: a payload, or a text that is shown to it as a JSON
/// string.
///
/// A codec gives JSON back. Where an encoded text is no JSON string it stands in the text field as the JSON that it
/// is, `{"__codec":...}`, and is recognised by that.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slot(Payload);

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "__codec")]
    _codec: &'a RawValue,
}

impl Slot {
    pub(crate) fn payload(payload: Payload) -> Self {
        Self(payload)
    }

    pub(crate) fn text(text: String) -> Result<Self, ReplayError> {
        let encoded = text.starts_with('{') && serde_json::from_str::<Envelope<'_>>(&text).is_ok();
        Self::from_json(if encoded { text } else { Value::from(text).to_string() })
    }

    pub(crate) fn from_json(json: String) -> Result<Self, ReplayError> {
        let payload = Payload::from_json(json);
        payload
            .map(Self)
            .map_err(|error| ReplayError::InvalidArgument { argument: "payloads", problem: error.to_string() })
    }

    pub(crate) fn as_json(&self) -> &str {
        self.0.as_json()
    }

    pub(crate) fn into_payload(self) -> Payload {
        self.0
    }

    pub(crate) fn into_text(self) -> String {
        serde_json::from_str(self.as_json()).unwrap_or_else(|_| self.as_json().to_string())
    }
}
