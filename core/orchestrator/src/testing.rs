//! The behaviour of a server, as tests that any store must pass.
//!
//! A store brings a [`Harness`]; [`suite`] gives the tests, and each gets a fresh one. Time and randomness are the
//! tests' own, so nothing waits and every run is the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod commands;
mod harness;
mod suite;
mod world;

pub use harness::{Harness, InTransaction, MemoryHarness};
pub use suite::{Test, random_run, suite};
