//! The server from outside: over sockets, in this process or in one that is killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

mod authentication;
mod bad_frames;
mod cancel;
mod configuration;
mod deadlines;
mod durability;
mod extensions;
mod group_commit;
mod logs;
mod long_polls;
mod native;
mod notifications;
mod origins;
mod presence;
mod queries;
mod rest;
mod rest_executions;
mod rest_tasks;
mod rest_workers;
mod round_trips;
mod shutdown;
mod streams;
mod timers;
mod upgrade;
mod web;
