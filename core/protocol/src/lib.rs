//! The wire contract of Flovyn: what is said between a client, a worker and a server, and nothing about when.
//!
//! Bytes from outside come in as prost messages ([`messages`]), are turned into typed things once ([`event`],
//! [`Payload`]) and are trusted from there on.
#![no_std]

extern crate alloc;

pub mod event;
pub mod messages;
mod payload;

pub use payload::{Payload, PayloadError};
