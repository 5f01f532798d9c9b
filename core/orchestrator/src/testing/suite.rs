//! The tests, by what they are about.

mod attempts;
mod cancel;
mod cancel_children;
mod children;
mod claims;
mod discovery;
mod executions;
mod limits;
mod listing;
mod malformed;
mod organisations;
mod past_attempts;
mod plain_clients;
mod polls;
mod promises;
mod queries;
mod random;
mod reports;
mod retries;
mod round_trips;
mod signals;
mod stickiness;
mod submissions;
mod task_cancel;
mod tasks;
mod timeouts;
mod timers;
mod wake_ups;
mod workers;

use alloc::vec::Vec;

pub use self::random::random_run;
use super::Harness;

/// A test and its name. It panics if the store fails it.
pub type Test = (&'static str, fn(&mut dyn Harness));

/// Names functions after themselves.
macro_rules! tests {
    ($($name:ident),+ $(,)?) => {
        pub(super) const TESTS: &[super::Test] =
            &[$((concat!(module_path!(), "::", stringify!($name)), $name)),+];
    };
}
use tests;

/// All tests. Each wants a harness of its own.
pub fn suite() -> Vec<Test> {
    [
        executions::TESTS,
        polls::TESTS,
        submissions::TESTS,
        wake_ups::TESTS,
        claims::TESTS,
        plain_clients::TESTS,
        tasks::TESTS,
        retries::TESTS,
        queries::TESTS,
        listing::TESTS,
        round_trips::TESTS,
        stickiness::TESTS,
        timers::TESTS,
        promises::TESTS,
        signals::TESTS,
        children::TESTS,
        cancel::TESTS,
        cancel_children::TESTS,
        timeouts::TESTS,
        task_cancel::TESTS,
        attempts::TESTS,
        past_attempts::TESTS,
        reports::TESTS,
        workers::TESTS,
        discovery::TESTS,
        organisations::TESTS,
        limits::TESTS,
        malformed::TESTS,
        random::TESTS,
    ]
    .concat()
}
