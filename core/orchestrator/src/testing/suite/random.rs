//! Random requests, and what must hold whatever they are.
//!
//! A seed gives a run: executions are started, claimed by clients of both kinds, continued with random commands,
//! abandoned, released, answered twice; tasks complete, fail and are forgotten; time jumps. After each part of it every
//! history is checked, and at the end everything is brought to its end.

mod checks;
mod run;

use self::run::Run;
use crate::testing::{Harness, suite::tests};

tests!(first_seed, second_seed, third_seed, fourth_seed);

const STEPS: usize = 300;

fn first_seed(harness: &mut dyn Harness) {
    random_run(harness, 1, STEPS);
}

fn second_seed(harness: &mut dyn Harness) {
    random_run(harness, 2, STEPS);
}

fn third_seed(harness: &mut dyn Harness) {
    random_run(harness, 3, STEPS);
}

fn fourth_seed(harness: &mut dyn Harness) {
    random_run(harness, 4, STEPS);
}

/// One run on an empty store. It panics if a rule is broken; the same seed breaks it again.
pub fn random_run(harness: &mut dyn Harness, seed: u64, steps: usize) {
    let mut run = Run::new(harness, seed);
    for step in 0..steps {
        run.step();
        if step % 25 == 0 {
            run.check();
        }
    }
    run.finish();
}
