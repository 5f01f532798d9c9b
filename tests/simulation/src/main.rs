//! Random workflows on simulated workers, against the engine and the server's rules, in virtual time.
//!
//! ```text
//!   seed ──> program ──> workflow on Execution ──> worker ──submissions──> network ──> orchestrator on a memory store
//!     └────> schedule: who goes next, what lands, what is lost, doubled, killed, and how much time passes
//! ```
//!
//! A run goes wrong in every way that the schedule knows, then nothing goes wrong any more and all that the workflow
//! waits for comes. It must have ended then; whoever replays any part of its history must do as the worker did that
//! wrote it; and all that the code asked for must be in the history once. `--help` says how to run it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod chance;
mod clients;
mod faults;
mod life;
mod network;
mod news;
mod program;
mod replica;
mod report;
mod run;
mod server;
mod shrink;
mod tasks;
mod transcript;
mod worker;
mod workflow;
mod world;

use std::{
    io::{self, Write as _},
    num::NonZero,
    panic,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use clap::Parser;

use faults::{FAULTS, Fault};
use news::{ARRIVALS, ENDS, REQUESTS};
use report::{Histogram, Tally};
use shrink::Case;
use transcript::Transcript;

const VERBS: &[&str] = &[
    "task",
    "timer",
    "promise",
    "operation",
    "child",
    "signal",
    "has signal",
    "count signals",
    "drain",
    "set",
    "clear",
    "clear all",
    "get",
    "time",
    "random",
    "uuid",
    "patched",
    "deprecate patch",
    "is cancelled",
    "cancel",
    "cancel scope",
    "complete",
    "fail",
    "end as cancelled",
];
const COMBINATORS: &[&str] = &[
    "all",
    "race",
    "any",
    "allSettled",
    "start",
    "repeat",
    "if",
    "catch",
    "finally",
    "return",
    "throw",
    "cancel after",
    "within",
    "nonCancellable",
    "while signal",
    "handler",
    "changed",
];
/// Of fewer runs no shares are asked.
const SHARES_FROM: u64 = 1_000;
/// The search goes on for so many failures.
const FAILURES_MAX: usize = 3;

/// Runs random workflows with random faults and checks that every replica of a run agrees. A failing seed is made as
/// small as possible and told as a transcript.
#[derive(Parser)]
struct Options {
    /// Run this seed only, and tell what happens.
    #[arg(long)]
    seed: Option<u64>,
    /// How many seeds to run.
    #[arg(long, default_value_t = 100_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Run for this long instead, with as many seeds as fit in.
    #[arg(long)]
    minutes: Option<u64>,
    /// Tell a failing seed as it is, without making it smaller.
    #[arg(long)]
    whole: bool,
}

#[derive(Default)]
struct Found {
    runs: u64,
    events: u64,
    verbs: Tally,
    faults: Tally,
    news: Tally,
    failures: Vec<(u64, String)>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    // What breaks is told with its transcript.
    panic::set_hook(Box::new(|_| {}));
    let told = match options.seed {
        Some(seed) => tell(seed, !options.whole),
        None => search(&options),
    };
    told.unwrap_or(ExitCode::FAILURE)
}

fn search(options: &Options) -> io::Result<ExitCode> {
    let started = Instant::now();
    let found = run_all(options, started);
    let mut out = io::stdout().lock();
    for (title, tally, things) in histograms(&found) {
        write!(out, "{}", Histogram { title, tally, things: &things })?;
    }
    let seconds = started.elapsed().as_secs_f64();
    writeln!(out, "{} runs with {} events in {seconds:.1} s", found.runs, found.events)?;
    for (seed, problem) in &found.failures {
        writeln!(out, "seed {seed} breaks: {problem}")?;
    }
    if let Some((seed, _)) = found.failures.iter().min() {
        drop(out);
        tell(*seed, !options.whole)?;
        out = io::stdout().lock();
    }
    let rare = if found.runs < SHARES_FROM { Vec::new() } else { rare(&found) };
    for what in &rare {
        writeln!(out, "{what} happens in less than 1 % of the cases")?;
    }
    let failed = found.failures.len() + rare.len();
    writeln!(out, "{} passed, {failed} failed, 0 skipped", found.runs - found.failures.len() as u64)?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn histograms(found: &Found) -> [(&'static str, &Tally, Vec<&'static str>); 6] {
    [
        ("verbs", &found.verbs, VERBS.to_vec()),
        ("combinators", &found.verbs, COMBINATORS.to_vec()),
        ("faults", &found.faults, FAULTS.into_iter().map(Fault::name).collect()),
        ("ends", &found.news, ENDS.to_vec()),
        ("requests", &found.news, REQUESTS.to_vec()),
        ("arrivals", &found.news, ARRIVALS.to_vec()),
    ]
}

fn rare(found: &Found) -> Vec<&'static str> {
    histograms(found).iter().flat_map(|(_, tally, things)| tally.rare(things)).collect()
}

/// All seeds, on all processors.
fn run_all(options: &Options, started: Instant) -> Found {
    let ends = options.minutes.map(|minutes| started + Duration::from_secs(60 * minutes));
    let (next, found) = (AtomicU64::new(options.first), Mutex::new(Found::default()));
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| {
                let mut mine = Found::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let is_over = match ends {
                        Some(ends) => Instant::now() >= ends,
                        None => seed >= options.first + options.seeds,
                    };
                    if is_over || mine.failures.len() >= FAILURES_MAX {
                        break;
                    }
                    mine.run(seed);
                }
                found.lock().unwrap().add(mine);
            });
        }
    });
    found.into_inner().unwrap()
}

impl Found {
    fn run(&mut self, seed: u64) {
        self.runs += 1;
        match Case::of_seed(seed).run(&Transcript::default()) {
            Ok(outcome) => {
                self.events += outcome.events as u64;
                self.verbs.add(&outcome.verbs);
                self.faults.add(&outcome.faults);
                self.news.add(&outcome.news);
            }
            Err(problem) => self.failures.push((seed, problem)),
        }
    }

    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.events += other.events;
        self.verbs.add(&other.verbs);
        self.faults.add(&other.faults);
        self.news.add(&other.news);
        self.failures.extend(other.failures);
    }
}

/// Tells the run of a seed, made small if it breaks.
fn tell(seed: u64, shrinks: bool) -> io::Result<ExitCode> {
    let case = Case::of_seed(seed);
    let case = match case.run(&Transcript::default()) {
        Err(problem) if shrinks => case.shrink(&problem),
        _ => case,
    };
    let transcript = Transcript::kept();
    let result = case.run(&transcript);
    let mut out = io::stdout().lock();
    writeln!(out, "seed {seed}\n{}", case.program)?;
    writeln!(out, "{}", transcript.text())?;
    match result {
        Ok(outcome) => {
            writeln!(out, "seed {seed} holds: {} events, {} faults", outcome.events, outcome.injected)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(problem) => {
            let kinds: Vec<&str> = case.allowed.kinds.iter().map(|fault| fault.name()).collect();
            writeln!(out, "with these faults allowed: {}", kinds.join(", "))?;
            writeln!(out, "seed {seed} breaks: {problem}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}
