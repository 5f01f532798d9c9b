//! Values across the boundary. Objects are read and written field by field, which takes a third of the code that serde
//! would; payloads stay the JSON text they are.

use std::{cell::RefCell, collections::BTreeMap};

use flovyn_protocol::Payload;
use js_sys::{Array, JsString, Object, Reflect, Uint8Array};
use prost::Message;
use wasm_bindgen::{JsCast, JsValue};

use crate::error::Error;

/// A plain object of JavaScript.
pub(crate) struct Fields<'a>(pub(crate) &'a JsValue);

impl Fields<'_> {
    /// Reads a field; what is not there is undefined.
    pub(crate) fn get<T: FromJs>(&self, name: &'static str) -> Result<T, Error> {
        T::from_js(name, &self.find(name))
    }

    /// A payload in JSON text, as the wire wants it.
    pub(crate) fn json(&self, name: &'static str) -> Result<Vec<u8>, Error> {
        self.get(name).map(String::into_bytes)
    }

    /// A message in its bytes.
    pub(crate) fn message<M: Message + Default>(&self, name: &'static str) -> Result<Option<M>, Error> {
        let value = self.find(name);
        if value.is_undefined() {
            return Ok(None);
        }
        let bytes = value.dyn_ref::<Uint8Array>().ok_or_else(|| refused(name, "bytes", &value))?;
        Ok(Some(M::decode(bytes.to_vec().as_slice())?))
    }

    fn find(&self, name: &'static str) -> JsValue {
        // Only what is no object at all has no fields.
        Reflect::get(self.0, &field_name(name)).unwrap_or_default()
    }
}

thread_local! {
    /// Strings of JavaScript by the place of their text, in the order of the places.
    static FIELD_NAMES: RefCell<Vec<(*const u8, usize, JsString)>> = const { RefCell::new(Vec::new()) };
}

/// The name of a field as JavaScript has it. It is made once, since that costs more than the access that it is for.
fn field_name(name: &'static str) -> JsString {
    let wanted = (name.as_ptr(), name.len());
    FIELD_NAMES.with_borrow_mut(|names| match names.binary_search_by_key(&wanted, |known| (known.0, known.1)) {
        Ok(place) => names[place].2.clone(),
        Err(place) => {
            let made = JsString::from(name);
            names.insert(place, (wanted.0, wanted.1, made.clone()));
            made
        }
    })
}

/// What can be read from JavaScript. Errors name the field and say what was expected.
pub(crate) trait FromJs: Sized {
    fn from_js(name: &str, value: &JsValue) -> Result<Self, Error>;
}

impl FromJs for String {
    fn from_js(name: &str, value: &JsValue) -> Result<Self, Error> {
        value.as_string().ok_or_else(|| refused(name, "a string", value))
    }
}

impl FromJs for bool {
    fn from_js(name: &str, value: &JsValue) -> Result<Self, Error> {
        value.as_bool().ok_or_else(|| refused(name, "a boolean", value))
    }
}

impl FromJs for f64 {
    fn from_js(name: &str, value: &JsValue) -> Result<Self, Error> {
        value.as_f64().ok_or_else(|| refused(name, "a number", value))
    }
}

/// Anything, to be read field by field.
impl FromJs for JsValue {
    fn from_js(_: &str, value: &JsValue) -> Result<Self, Error> {
        Ok(value.clone())
    }
}

impl FromJs for i64 {
    fn from_js(name: &str, value: &JsValue) -> Result<Self, Error> {
        value.as_f64().and_then(to_whole).ok_or_else(|| refused(name, "a whole number", value))
    }
}

impl FromJs for i32 {
    fn from_js(name: &str, value: &JsValue) -> Result<Self, Error> {
        i64::from_js(name, value)?.try_into().map_err(|_| refused(name, "a whole number of 32 bits", value))
    }
}

impl FromJs for u32 {
    fn from_js(name: &str, value: &JsValue) -> Result<Self, Error> {
        i64::from_js(name, value)?.try_into().map_err(|_| refused(name, "a positive whole number of 32 bits", value))
    }
}

impl<T: FromJs> FromJs for Option<T> {
    fn from_js(name: &str, value: &JsValue) -> Result<Self, Error> {
        if value.is_undefined() { Ok(None) } else { T::from_js(name, value).map(Some) }
    }
}

impl<T: FromJs> FromJs for Vec<T> {
    fn from_js(name: &str, value: &JsValue) -> Result<Self, Error> {
        let array = value.dyn_ref::<Array>().ok_or_else(|| refused(name, "an array", value))?;
        array.iter().map(|item| T::from_js(name, &item)).collect()
    }
}

impl FromJs for BTreeMap<String, String> {
    fn from_js(name: &str, value: &JsValue) -> Result<Self, Error> {
        let object = value.dyn_ref::<Object>().ok_or_else(|| refused(name, "an object", value))?;
        let mut entries = Self::new();
        for key in Object::keys(object).iter() {
            let value = Reflect::get(value, &key).unwrap_or_default();
            let key = String::from_js(name, &key)?;
            let value = String::from_js(&key, &value)?;
            entries.insert(key, value);
        }
        Ok(entries)
    }
}

/// A whole number given as an argument, such as milliseconds.
pub(crate) fn whole(name: &str, number: f64) -> Result<i64, Error> {
    i64::from_js(name, &number.into())
}

/// A plain object of the type that is asked for: its fields are those of the interface of that name.
pub(crate) fn object<T: JsCast>(fields: &[(&'static str, JsValue)]) -> T {
    let object = Object::new();
    for (name, value) in fields {
        set(&object, &field_name(name), value);
    }
    object.unchecked_into()
}

/// A plain object whose names are values too.
pub(crate) fn record(entries: &BTreeMap<String, String>) -> Object {
    let object = Object::new();
    for (name, value) in entries {
        set(&object, &JsString::from(name.as_str()), &value.into());
    }
    object
}

fn set(object: &Object, name: &JsString, value: &JsValue) {
    // Setting a property of an object just made can only succeed.
    let _ = Reflect::set(object, name, value);
}

/// A 64-bit number as an ordinary one. Nothing counted here comes near 2^53.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn number(value: i64) -> f64 {
    value as f64
}

/// Payload bytes of a peer as JSON text. Empty is null; what is no UTF-8 is the fault of the peer.
pub(crate) fn json_text(bytes: Vec<u8>) -> Result<JsValue, Error> {
    if bytes.is_empty() {
        return Ok("null".into());
    }
    let text = String::from_utf8(bytes);
    text.map(JsValue::from).map_err(|error| Error::new("INVALID_MESSAGE", format!("a payload of the peer: {error}")))
}

/// JSON text of the SDK as a payload.
pub(crate) fn payload(json: String) -> Result<Payload, Error> {
    Ok(Payload::from_json(json)?)
}

/// An array of strings, made without copying them in the core.
pub(crate) fn strings<'a>(texts: impl IntoIterator<Item = &'a str>) -> Array {
    texts.into_iter().map(JsValue::from_str).collect()
}

fn to_whole(number: f64) -> Option<i64> {
    let fits = number.fract() == 0.0 && number.abs() <= js_sys::Number::MAX_SAFE_INTEGER;
    // The number was just found to be whole and to fit.
    #[allow(clippy::cast_possible_truncation)]
    fits.then_some(number as i64)
}

fn refused(name: &str, expected: &str, got: &JsValue) -> Error {
    let got = match got.as_f64() {
        Some(_) => String::from(js_sys::JSON::stringify(got).unwrap_or_default()),
        None => got.js_typeof().as_string().unwrap_or_default(),
    };
    Error::invalid_argument(format!("{name}: expected {expected}, got {got}"))
}
