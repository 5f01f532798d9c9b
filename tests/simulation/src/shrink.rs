use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use crate::{
    chance::Chance,
    faults::Allowed,
    program::Program,
    run::{Outcome, run},
    transcript::Transcript,
};

/// How many schedules each smaller case is tried with.
const SCHEDULES: u64 = 12;
/// How long smaller cases are looked for.
const LIMIT: Duration = Duration::from_secs(30);

/// What makes a run.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) program: Program,
    pub(crate) schedule: u64,
    pub(crate) allowed: Allowed,
}

impl Case {
    pub(crate) fn of_seed(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let program = Program::generate(&mut chance);
        Self { program, schedule: chance.next(), allowed: Allowed::all() }
    }

    /// Runs it; what is broken is given as text.
    pub(crate) fn run(&self, transcript: &Transcript) -> Result<Outcome, String> {
        let run = AssertUnwindSafe(|| run(&self.program, self.schedule, self.allowed.clone(), transcript));
        catch_unwind(run).map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
        })
    }

    /// A case that breaks, too, with fewer faults and a smaller program.
    pub(crate) fn shrink(self, problem: &str) -> Self {
        let (mut smallest, kind) = (self, kind(problem));
        let ends = Instant::now() + LIMIT;
        loop {
            let mut cases = smallest.smaller().into_iter().take_while(|_| Instant::now() < ends);
            let smaller = cases.find_map(|case| case.breaking(&kind));
            match smaller {
                Some(case) => smallest = case,
                None => break,
            }
        }
        smallest
    }

    fn smaller(&self) -> Vec<Self> {
        let mut cases = Vec::new();
        if self.allowed.count == usize::MAX {
            cases.extend((0..8).map(|count| self.with(Allowed { count, ..self.allowed.clone() })));
        }
        for index in 0..self.allowed.kinds.len() {
            let mut allowed = self.allowed.clone();
            allowed.kinds.remove(index);
            cases.push(self.with(allowed));
        }
        cases.extend(self.program.smaller().into_iter().map(|program| Self { program, ..self.clone() }));
        cases
    }

    fn with(&self, allowed: Allowed) -> Self {
        Self { allowed, ..self.clone() }
    }

    /// The same under the first schedule that breaks it in this way, if one does.
    fn breaking(self, problem: &str) -> Option<Self> {
        let schedules = (0..SCHEDULES).map(|index| self.schedule.wrapping_add(index));
        let mut cases = schedules.map(|schedule| Self { schedule, ..self.clone() });
        cases.find(|case| case.run(&Transcript::default()).is_err_and(|other| kind(&other) == problem))
    }
}

/// What a problem has in common with others: its first words, without names and numbers.
fn kind(problem: &str) -> String {
    problem.chars().filter(|letter| !letter.is_ascii_digit()).take(40).collect()
}
