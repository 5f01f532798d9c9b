//! The core of the SDK in wasm: the replay engine, the wire format and a server in memory, as JavaScript calls them.
//!
//! ```text
//!   sdk/src/core.ts ──calls──> replay        one workflow execution during one activation, by its number
//!                              messages      plain objects <-> bytes of the contract
//!                              frame         messages <-> bytes of gRPC
//!                              orchestrator  a whole server in memory, by its number
//! ```
//!
//! There are no decisions in here: every function reads its arguments, makes one call and writes the result. What
//! lives on between calls is in a handle table and known by a number. Every function that can refuse throws an
//! `Error` with a `code`. A panic is a bug; it traps, and the instance must be replaced (`resetInstance`).

mod convert;
mod error;
mod frame;
mod messages;
mod orchestrator;
mod replay;
mod table;
#[cfg(feature = "trap-test")]
mod trap;

pub use error::Error;
pub use frame::*;
pub use messages::*;
pub use orchestrator::*;
pub use replay::*;
use wasm_bindgen::prelude::*;

/// Runs once when an instance is made: a panic says on the console what it was before it traps.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}
