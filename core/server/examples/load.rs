//! How many StartWorkflow requests per second a server answers, each on disk, at growing concurrency.
//!
//! `cargo run --release -p flovyn-server --example load [seconds per step]`
//!
//! Client and server share the machine: the figures are a floor.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::time::{Duration, Instant};

use flovyn_protocol::messages::{StartWorkflowRequest, StartWorkflowResponse};
use flovyn_server::{
    Server,
    config::{Config, Options, Variables},
};
use tokio::task::JoinSet;
use tonic::{client::Grpc, codegen::http::uri::PathAndQuery, transport::Endpoint};
use tonic_prost::ProstCodec;

const START: &str = "/flovyn.v1.WorkflowDispatch/StartWorkflow";

#[tokio::main]
async fn main() {
    let seconds = std::env::args().nth(1).map_or(3, |text| text.parse().expect("a number of seconds"));
    // Not under /tmp, which is memory on some machines: the point is the disk.
    let data = tempfile::tempdir_in(".").unwrap();
    let options = Options { port: Some(0), data: data.path().to_owned(), ..Options::default() };
    let server = Server::start(Config::resolve(&options, &Variables::default()).unwrap()).await.unwrap();
    println!("concurrency  requests/s  commits/s  p50 ms  p99 ms");
    for concurrency in [1, 10, 50] {
        let commits = server.writer_stats().commits;
        let (elapsed, mut latencies) = step(&server.ready().url, concurrency, Duration::from_secs(seconds)).await;
        let commits = server.writer_stats().commits - commits;
        latencies.sort_unstable();
        let per_second = |count: f64| count / elapsed.as_secs_f64();
        println!(
            "{concurrency:>11}  {:>10.0}  {:>9.0}  {:>6.2}  {:>6.2}",
            per_second(latencies.len() as f64),
            per_second(commits as f64),
            percentile(&latencies, 50),
            percentile(&latencies, 99),
        );
    }
    server.shutdown().await.unwrap();
}

/// Clients that each send the next request when the last is answered.
async fn step(url: &str, concurrency: usize, duration: Duration) -> (Duration, Vec<Duration>) {
    let started = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..concurrency {
        clients.spawn(client(url.to_owned(), started + duration));
    }
    let latencies = clients.join_all().await.into_iter().flatten().collect();
    (started.elapsed(), latencies)
}

async fn client(url: String, until: Instant) -> Vec<Duration> {
    let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
    let mut grpc = Grpc::new(channel);
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let request = StartWorkflowRequest {
            workflow_kind: "order".to_owned(),
            input: br#"{"item":"book","amount":1}"#.to_vec(),
            ..StartWorkflowRequest::default()
        };
        let sent = Instant::now();
        grpc.ready().await.unwrap();
        let codec = ProstCodec::<_, StartWorkflowResponse>::default();
        grpc.unary(tonic::Request::new(request), PathAndQuery::from_static(START), codec).await.unwrap();
        latencies.push(sent.elapsed());
    }
    latencies
}

fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    sorted.get(sorted.len() * percent / 100).map_or(0.0, |latency| latency.as_secs_f64() * 1_000.0)
}
