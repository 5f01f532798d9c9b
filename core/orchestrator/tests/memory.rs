//! The behavioural suite on the memory store.
#![allow(clippy::panic)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use flovyn_orchestrator::testing::{MemoryHarness, random_run, suite};

#[test]
fn the_memory_store_passes_the_suite() {
    let tests = suite();
    let failed: Vec<_> = tests
        .iter()
        .filter(|(_, test)| catch_unwind(AssertUnwindSafe(|| test(&mut MemoryHarness::default()))).is_err())
        .map(|(name, _)| *name)
        .collect();
    assert!(failed.is_empty(), "{} of {} failed: {failed:#?}", failed.len(), tests.len());
}

#[test]
fn random_requests_break_no_rule() {
    for seed in 100..120 {
        random_run(&mut MemoryHarness::default(), seed, 400);
    }
}
