//! A Flovyn server: the rules of `flovyn-orchestrator` over HTTP, SQLite and real time.
//!
//! ```text
//!             gRPC  gRPC-Web  REST                              (http, grpc, rest)
//!                \     |      /
//!   key ──> auth ──> host.call(method, bytes, caller)           (auth, host)
//!                      │    ↑ answer, after its commit
//!                      v    │           parked ──> hub ──wake──> call again
//!               writer thread: SAVEPOINT handle(..) RELEASE ... COMMIT
//!                      │    ↑ tick when something is due        (store/sqlite)
//!                      v
//!                  flovyn.db
//! ```
//!
//! What goes in is bytes and a key; what comes out is bytes and a status. It decides nothing about workflows, looks
//! into no payload, and logs neither payloads nor keys.

mod auth;
mod clock;
pub mod config;
mod grpc;
mod host;
mod http;
mod ready;
mod rest;
mod server;
mod store;

pub use host::WriterStats;
pub use ready::Ready;
pub use server::{Server, ShutdownError, StartError};
pub use store::sqlite::OpenError;
