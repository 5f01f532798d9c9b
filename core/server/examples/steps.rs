//! How many steps of workflows per second a server does, each answer on disk, at growing concurrency: a step is a task
//! that a workflow schedules, a worker completes, and the workflow goes on from.
//!
//! `cargo run --release -p flovyn-server --example steps [seconds per row]`
//!
//! The clients do what our SDK does and nothing more: they speak native gRPC with all extensions, keep executions in
//! memory, and ask for the next piece of work with each answer. They share the machine with the server, so the figures
//! are a floor; the processor time of the server's threads is printed beside them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "steps/client.rs"]
mod client;
#[path = "steps/processor.rs"]
mod processor;
#[path = "steps/workers.rs"]
mod workers;

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use flovyn_server::{
    Server, WriterStats,
    config::{Config, Options, Variables},
};
use tokio::task::JoinSet;

use self::{client::Client, processor::Processor, workers::Counts};

/// Tasks of one execution in the first table: one after the other.
const TASKS: usize = 50;

fn main() {
    let seconds = std::env::args().nth(1).map_or(3, |text| text.parse().expect("a number of seconds"));
    let duration = Duration::from_secs(seconds);
    // Server and clients have threads of their own, named so that their processor time can be told apart.
    let runtime = |name: &str| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name(name).enable_all().build().unwrap()
    };
    let (serving, loading) = (runtime("server"), runtime("load"));
    // Not under /tmp, which is memory on some machines: the point is the disk.
    let data = tempfile::tempdir_in(".").unwrap();
    let options = Options { port: Some(0), data: data.path().to_owned(), ..Options::default() };
    let config = Config::resolve(&options, &Variables::default()).unwrap();
    let server = serving.block_on(Server::start(config)).unwrap();

    println!("task steps: executions of {TASKS} tasks, one after the other");
    println!("concurrency  steps/s  commits/s  attempts/step  server us/step  writer us/step");
    for concurrency in [1, 10, 50] {
        let Row { elapsed, counts, stats, used } = loading.block_on(row(&server, concurrency, TASKS, duration));
        let steps = counts.steps.load(Ordering::Relaxed) as f64;
        println!(
            "{concurrency:>11}  {:>7.0}  {:>9.0}  {:>13.1}  {:>14.0}  {:>14.0}",
            steps / elapsed.as_secs_f64(),
            stats.commits as f64 / elapsed.as_secs_f64(),
            stats.requests as f64 / steps,
            used.of("server").as_secs_f64() * 1e6 / steps,
            used.of("flovyn-writer").as_secs_f64() * 1e6 / steps,
        );
    }

    println!("\nexecutions of one task, from StartWorkflow to the answer of AwaitResult");
    println!("concurrency  executions/s  p50 ms  p99 ms");
    for concurrency in [1, 10, 50] {
        let Row { elapsed, counts, .. } = loading.block_on(row(&server, concurrency, 1, duration));
        let mut latencies = counts.take_latencies();
        latencies.sort_unstable();
        println!(
            "{concurrency:>11}  {:>12.0}  {:>6.2}  {:>6.2}",
            latencies.len() as f64 / elapsed.as_secs_f64(),
            percentile(&latencies, 50),
            percentile(&latencies, 99),
        );
    }
    loading.shutdown_background();
    serving.block_on(server.shutdown()).unwrap();
}

/// What was done and used in the time of one row.
struct Row {
    elapsed: Duration,
    counts: Counts,
    stats: WriterStats,
    used: Processor,
}

/// Executions that are each started when the one before has ended, and as many workers for them.
async fn row(server: &Server, concurrency: usize, tasks: usize, duration: Duration) -> Row {
    let url = &server.ready().url;
    let counts = Arc::new(Counts::default());
    let (starter, worker, task_worker) =
        (Client::connect(url).await, Client::connect(url).await, Client::connect(url).await);
    let mut workers = JoinSet::new();
    for _ in 0..concurrency {
        workers.spawn(workers::run_workflows(worker.clone(), tasks));
        workers.spawn(workers::run_tasks(task_worker.clone(), Arc::clone(&counts)));
    }
    let (before, processor, started) = (server.writer_stats(), Processor::now(), Instant::now());
    let mut starters = JoinSet::new();
    for _ in 0..concurrency {
        starters.spawn(workers::start_workflows(starter.clone(), started + duration, Arc::clone(&counts)));
    }
    tokio::time::sleep_until((started + duration).into()).await;
    let (elapsed, after) = (started.elapsed(), server.writer_stats());
    let row = Row {
        elapsed,
        counts: counts.snapshot(),
        stats: WriterStats { requests: after.requests - before.requests, commits: after.commits - before.commits },
        used: Processor::now().since(&processor),
    };
    // What is under way ends, so that the next row begins with nothing.
    starters.join_all().await;
    workers.shutdown().await;
    row
}

fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    sorted.get(sorted.len() * percent / 100).map_or(0.0, |latency| latency.as_secs_f64() * 1_000.0)
}
