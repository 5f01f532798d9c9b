//! The messages that the SDK sends and reads, as plain objects: payloads are JSON text, 64-bit numbers are numbers.
//!
//! What an activation is made of (the answer of PollWorkflow, submissions) is not here: it never leaves the core.

use prost::Message;
use serde::de::DeserializeOwned;
use tsify::{Ts, Tsify};

use crate::{convert::from_js, error::Error};

mod claim;
mod execution;
mod failure;
mod task;
mod worker;
mod workflow;

pub use claim::*;
pub use execution::*;
pub use failure::*;
pub use task::*;
pub use worker::*;
pub use workflow::*;

/// Reads the object of JavaScript and writes the message of the contract.
fn encode<T: Tsify + DeserializeOwned, M: Message + From<T>>(request: Ts<T>) -> Result<Vec<u8>, Error>
where
    T::JsType: Clone,
{
    Ok(M::from(from_js(request)?).encode_to_vec())
}
