use flovyn_wasm::Error;
use js_sys::{Function, JSON, Reflect};
use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue};

/// A plain object of the interface that is asked for.
pub(crate) fn js<T: JsCast>(json: &Value) -> T {
    JSON::parse(&json.to_string()).unwrap().unchecked_into()
}

/// What `JSON.stringify` makes of a value; undefined is null, as it is in an array.
pub(crate) fn json(value: &JsValue) -> Value {
    match JSON::stringify(value).unwrap().as_string() {
        Some(text) => serde_json::from_str(&text).unwrap(),
        None => Value::Null,
    }
}

pub(crate) fn field(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}

pub(crate) fn text(object: &JsValue, name: &str) -> String {
    field(object, name).as_string().unwrap_or_else(|| panic!("{name} is no string in {object:?}"))
}

/// What JavaScript catches.
pub(crate) fn thrown<T>(result: Result<T, Error>) -> JsValue {
    let error = JsValue::from(result.err().expect("a refusal"));
    assert!(error.is_instance_of::<js_sys::Error>(), "{error:?} is no Error");
    error
}

/// Prints a line even if the test passes: the runner keeps what goes to `console.log` for the tests that fail, and
/// has put the real one aside.
pub(crate) fn announce(line: &str) {
    let print = Function::new_with_args("line", "(globalThis.__wbgtest_og_console_log ?? console.log)(line)");
    print.call1(&JsValue::UNDEFINED, &line.into()).unwrap();
}
