//! The tests of the bindings in Node: `wasm-pack test --node`, or the runner as it is.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bindings;
