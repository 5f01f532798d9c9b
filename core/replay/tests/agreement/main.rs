//! Random workflows against a random server: whatever lands when, whichever operation finishes first and wherever
//! the worker is killed, the run and its replay agree turn for turn and command for command.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod chance;
mod code;
mod program;
mod server;
mod worker;

use std::{
    collections::BTreeMap,
    io::{Write, stderr},
};

use proptest::{
    prelude::{ProptestConfig, any},
    test_runner::TestRunner,
};

use chance::Chance;
use program::Program;
use worker::Run;

/// Rounds of one run; a workflow that still waits then is left waiting.
const ACTIVATIONS_MAX: usize = 40;

fn simulate(program: &Program, seed: u64, counts: &mut BTreeMap<&'static str, usize>) {
    let mut run = Run::new(program, Chance::new(seed));
    for _ in 0..ACTIVATIONS_MAX {
        if run.is_over() {
            break;
        }
        run.activation();
        run.server.something_happens();
    }
    run.check_full_replay();
    run.check_every_prefix();
    for (what, count) in run.counts() {
        *counts.entry(what).or_default() += count;
    }
}

#[test]
fn live_runs_and_replays_agree() {
    let config = ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() };
    let mut counts = BTreeMap::new();
    let seen = std::cell::RefCell::new(&mut counts);
    let result = TestRunner::new(config).run(&(program::any_program(), any::<u64>()), |(program, seed)| {
        simulate(&program, seed, &mut seen.borrow_mut());
        Ok(())
    });
    result.unwrap();
    writeln!(stderr(), "{counts:?}").unwrap();
    for what in [
        "turns",
        "partial",
        "landed",
        "crash before",
        "crash after",
        "finished in a turn",
        "completed",
        "signals",
        "cancels",
        "continued",
    ] {
        assert!(counts.get(what).is_some_and(|count| *count > 40), "{what} hardly ever happened: {counts:?}");
    }
}
