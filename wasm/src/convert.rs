//! Values across the boundary. Structured ones go through serde; payloads stay the JSON text they are.

use flovyn_protocol::Payload;
use js_sys::Array;
use serde::{Serialize, de::DeserializeOwned};
use tsify::{Ts, Tsify};
use wasm_bindgen::JsValue;

use crate::error::Error;

/// Reads a plain object. Fields that are undefined count as absent.
pub(crate) fn from_js<T: Tsify + DeserializeOwned>(value: Ts<T>) -> Result<T, Error>
where
    T::JsType: Clone,
{
    value.to_rust().map_err(|error| Error::invalid_argument(error.to_string()))
}

/// Makes a plain object: absent fields are undefined, 64-bit numbers ordinary ones.
pub(crate) fn to_js<T: Tsify + Serialize>(value: &T) -> Result<Ts<T>, Error> {
    Ts::from_rust(value).map_err(|error| Error::new("INTERNAL", error.to_string()))
}

/// Payload bytes of a peer as JSON text. Empty is null; what is no UTF-8 is the fault of the peer.
pub(crate) fn json_text(bytes: Vec<u8>) -> Result<String, Error> {
    if bytes.is_empty() {
        return Ok("null".into());
    }
    String::from_utf8(bytes).map_err(|error| Error::new("INVALID_MESSAGE", format!("a payload of the peer: {error}")))
}

/// JSON text of the SDK as a payload.
pub(crate) fn payload(json: String) -> Result<Payload, Error> {
    Ok(Payload::from_json(json)?)
}

/// A whole number of JavaScript, such as milliseconds.
pub(crate) fn whole(argument: &str, number: f64) -> Result<i64, Error> {
    if number.fract() == 0.0 && number.abs() <= js_sys::Number::MAX_SAFE_INTEGER {
        // The value was just found to be a whole number that fits.
        #[allow(clippy::cast_possible_truncation)]
        return Ok(number as i64);
    }
    Err(Error::invalid_argument(format!("{argument}: expected a whole number, got {number}")))
}

/// An array of strings, made without copying them in the core.
pub(crate) fn strings<'a>(texts: impl IntoIterator<Item = &'a str>) -> Array {
    texts.into_iter().map(JsValue::from_str).collect()
}
