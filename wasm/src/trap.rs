//! A trap on demand, to test what the SDK does after one. Only with the feature `trap-test`.

use wasm_bindgen::prelude::*;

/// Traps as a panic in the core would.
#[wasm_bindgen(js_name = trapNow)]
#[allow(clippy::panic, reason = "this is the one place where a panic is wanted")]
pub fn trap_now() {
    panic!("trapNow was called");
}
