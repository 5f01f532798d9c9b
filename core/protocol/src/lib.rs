//! The wire contract of Flovyn: what is said between a client, a worker and a server, and nothing about when.
//!
//! ```text
//!   body bytes --frame::Decoder--> message bytes --prost--> messages --Event::parse--> typed events
//!   body bytes <--frame::encode--- message bytes <--prost-- messages <--to_message---- typed events
//! ```
//!
//! Bytes from outside become typed things here, once, and are trusted from there on; what cannot be understood is a
//! typed error and never a panic. There is no clock, no I/O and no decision in this crate.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod event;
pub mod frame;
pub mod ids;
pub mod json;
pub mod limits;
pub mod messages;
pub mod metadata;
mod payload;
pub mod status;
pub mod trailer;

pub use payload::{Payload, PayloadError};
