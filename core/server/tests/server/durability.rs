//! What was answered OK is there after kill -9.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{sync::mpsc, task::JoinSet};

use crate::support::{http1, process::ServerProcess, requests::*, within};
use flovyn_protocol::messages::WorkflowStatus;

#[tokio::test]
async fn every_answered_start_is_on_disk() {
    let data = tempfile::tempdir().unwrap();
    let mut answered = Vec::new();
    for round in 0..3 {
        let server = ServerProcess::start(data.path(), &[]);
        let client = server.client(false).await;
        let (started, mut ids) = mpsc::unbounded_channel();
        let killed = Arc::new(AtomicBool::new(false));
        let mut load = JoinSet::new();
        for _ in 0..16 {
            let (client, started, killed) = (client.clone(), started.clone(), Arc::clone(&killed));
            load.spawn(async move {
                while let Ok(id) = client.start("order").await {
                    started.send(id).unwrap();
                }
                assert!(killed.load(Ordering::SeqCst), "starts fail only because the server was killed");
            });
        }
        drop(started);
        // In the middle of the load, at another moment each time.
        for _ in 0..50 + 37 * round {
            answered.push(within(ids.recv()).await.unwrap());
        }
        killed.store(true, Ordering::SeqCst);
        server.kill();
        load.join_all().await;
        while let Some(id) = ids.recv().await {
            answered.push(id);
        }
    }
    let server = ServerProcess::start(data.path(), &[]);
    let client = server.client(false).await;
    for id in &answered {
        assert_eq!(client.event_types(id).await.unwrap(), ["WORKFLOW_STARTED"], "{id} was answered OK");
    }
}

#[tokio::test]
async fn a_claim_outlives_its_server() {
    let data = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(data.path(), &[]);
    let identity = server.ready.clone();
    let client = server.client(true).await;
    let id = client.start("order").await.unwrap();
    let polled = client.poll().await.unwrap();
    server.kill();

    let server = ServerProcess::start(data.path(), &[]);
    for field in ["orgId", "orgSlug", "apiKey", "workerKey"] {
        assert_eq!(server.ready[field], identity[field], "{field} is stable");
    }
    let client = server.client(true).await;
    client.submit(&id, vec![complete("1")], WorkflowStatus::Completed, Some(&polled.claim_token)).await.unwrap();
    let path = format!("/api/orgs/dev/workflow-executions/{id}");
    let described = http1::request(server.address, "GET", &path, &[], b"").await.json();
    assert_eq!((&described["status"], &described["output"]), (&"COMPLETED".into(), &1.into()));
}

#[tokio::test]
async fn a_lease_that_ended_while_the_server_was_down_ends_when_it_is_back() {
    let data = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(data.path(), &["--lease-ms", "1"]);
    let client = server.client(true).await;
    let id = client.start("order").await.unwrap();
    let first = client.poll().await.unwrap();
    server.kill();
    let server = ServerProcess::start(data.path(), &[]);
    let client = server.client(true).await;
    let second = within(client.poll()).await.unwrap();
    assert_eq!(second.workflow_execution.unwrap().id, id);
    assert_ne!(second.claim_token, first.claim_token);
}

#[tokio::test]
async fn one_database_one_server() {
    let server = crate::support::TestServer::start().await;
    let output = crate::support::process::command(server.data.path(), &[]).output().unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty(), "no ready line");
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("another server has it open"), "{log}");
}
