//! The messages that the SDK sends and reads, as plain objects: payloads are JSON text, 64-bit numbers are numbers.
//!
//! What an activation is made of (the answer of PollWorkflow, submissions) is not here: it never leaves the core.

mod claim;
mod description;
mod execution;
mod failure;
mod signal;
mod stream;
mod task;
mod task_reports;
mod task_state;
mod worker;
mod workflow;

pub use claim::*;
pub use description::*;
pub use execution::*;
pub use failure::*;
pub use signal::*;
pub use stream::*;
pub use task::*;
pub use task_reports::*;
pub use task_state::*;
pub use worker::*;
pub use workflow::*;
