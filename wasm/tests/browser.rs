//! The tests of the bindings in a browser: `wasm-pack test --headless --chrome`. Asked for Node only, the runner passes
//! them over.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

mod bindings;
