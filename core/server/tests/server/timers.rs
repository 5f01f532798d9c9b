//! Time passes by itself.

use std::time::{Duration, Instant};

use flovyn_protocol::messages::WorkflowStatus;

use crate::support::{TestServer, process::ServerProcess, requests::*, within};

#[tokio::test]
async fn a_timer_fires_in_time() {
    let server = TestServer::start().await;
    let client = server.extended().await;
    let mut delays = Vec::new();
    // The first is far: each next one is earlier than what the ticker sleeps for.
    for duration_ms in [3_600_000, 400, 200, 100, 50, 0] {
        let id = client.start("sleep").await.unwrap();
        let polled = client.poll().await.unwrap();
        let started = Instant::now();
        let commands = vec![start_timer("t", duration_ms)];
        client.submit(&id, commands, WorkflowStatus::Suspended, Some(&polled.claim_token)).await.unwrap();
        if duration_ms > 1_000 {
            continue;
        }
        let fired = within(client.poll()).await.unwrap();
        let delay = started.elapsed().saturating_sub(Duration::from_millis(u64::try_from(duration_ms).unwrap()));
        delays.push(delay);
        assert_eq!(fired.workflow_execution.unwrap().id, id);
        assert!(client.event_types(&id).await.unwrap().contains(&"TIMER_FIRED".to_owned()));
        client.submit(&id, vec![complete("1")], WorkflowStatus::Completed, Some(&fired.claim_token)).await.unwrap();
    }
    // 50 ms on an idle server; a machine that runs other tests is not idle, so the best of five counts.
    assert!(delays.iter().min().unwrap() < &Duration::from_millis(50), "{delays:?}");
}

#[tokio::test]
async fn an_overdue_timer_fires_at_the_start() {
    let data = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(data.path(), &[]);
    let client = server.client(true).await;
    let id = client.start("sleep").await.unwrap();
    let polled = client.poll().await.unwrap();
    let commands = vec![start_timer("t", 20)];
    client.submit(&id, commands, WorkflowStatus::Suspended, Some(&polled.claim_token)).await.unwrap();
    server.kill();
    let server = ServerProcess::start(data.path(), &[]);
    let client = server.client(true).await;
    assert_eq!(within(client.poll()).await.unwrap().workflow_execution.unwrap().id, id);
    assert!(client.event_types(&id).await.unwrap().contains(&"TIMER_FIRED".to_owned()));
}
