//! Transcripts: a history, what the code was told, what it asked for, what was sent, and nothing more.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cancellation;
mod child;
mod codec;
mod continued;
mod describe;
mod ends;
mod events;
mod history;
mod operation;
mod partial_submission;
mod patch;
mod plain;
mod promise;
mod random;
mod scale;
mod semantics;
mod signal;
mod stale;
mod state;
mod support;
mod task;
mod task_requests;
mod time;
mod timer;
mod tolerant;
mod turns;
mod violations;
