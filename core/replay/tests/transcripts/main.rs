//! Transcripts: a history, what the code was told, what it asked for, what was sent, and nothing more.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod codec;
mod describe;
mod ends;
mod events;
mod history;
mod operation;
mod partial_submission;
mod promise;
mod random;
mod scale;
mod semantics;
mod stale;
mod state;
mod support;
mod task;
mod time;
mod timer;
mod turns;
mod violations;
