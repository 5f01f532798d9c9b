use alloc::{
    borrow::Cow,
    string::{String, ToString},
};

use flovyn_protocol::{
    Payload,
    json::{self, Json},
};

use crate::ReplayError;

/// A place in an event or a command that a codec may encode: a payload, or a text that is shown to it as a JSON
/// string.
///
/// A codec gives JSON back. Where an encoded text is no JSON string it stands in the text field as the JSON that it
/// is, `{"__codec":...}`, and is recognised by that.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slot(Payload);

impl Slot {
    pub(crate) fn payload(payload: Payload) -> Self {
        Self(payload)
    }

    pub(crate) fn text(text: String) -> Result<Self, ReplayError> {
        Self::from_json(if is_encoded(&text) { text } else { json::quote(&text) })
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
        let json = Json::from(&self.0);
        json.to_str().map_or_else(|| json.text().to_string(), Cow::into_owned)
    }
}

/// An object with the member `__codec`.
fn is_encoded(text: &str) -> bool {
    let members = Json::parse(text.as_bytes()).ok().and_then(Json::members);
    members.is_some_and(|mut members| members.any(|(name, _)| name.text() == "\"__codec\""))
}
