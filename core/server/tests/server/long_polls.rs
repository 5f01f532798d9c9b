//! Polls that wait: work wakes them, clients leave them, and no claim is lost on the way.

use bytes::Bytes;
use flovyn_protocol::messages::{
    WorkerRegistrationRequest, WorkerRegistrationResponse, WorkflowCapability, WorkflowStatus,
};
use tokio::task::JoinSet;

use crate::{
    bad_frames::h2_client_with,
    support::{TestServer, http1::Connection, requests::*, within},
    web::framed,
};

const REGISTER: &str = "/flovyn.v1.WorkerLifecycle/RegisterWorker";
const EXTENDED_WEB: [(&str, &str); 2] = [("content-type", "application/grpc-web+proto"), ("flovyn-ext", "1")];

#[tokio::test]
async fn work_wakes_one_poll_each() {
    let server = TestServer::start().await;
    let client = server.extended().await;
    let mut polls = JoinSet::new();
    for _ in 0..5 {
        let client = client.clone();
        polls.spawn(async move { client.poll().await.unwrap() });
    }
    server.until_parked(5).await;
    let mut started = [client.start("a").await.unwrap(), client.start("b").await.unwrap()];
    let mut claimed = Vec::new();
    for _ in 0..2 {
        let polled = within(polls.join_next()).await.unwrap().unwrap();
        claimed.push(polled.workflow_execution.unwrap().id);
    }
    started.sort();
    claimed.sort();
    assert_eq!(started[..], claimed[..]);
    server.until_parked(3).await;
}

#[tokio::test]
async fn a_client_that_leaves_is_forgotten() {
    let server = TestServer::start().await;
    let client = server.extended().await;
    let native = tokio::spawn({
        let client = client.clone();
        async move { client.poll().await }
    });
    let mut web = Connection::open(server.address).await;
    web.send("POST", POLL, &EXTENDED_WEB, &framed(&poll())).await;
    server.until_parked(2).await;
    native.abort();
    server.until_parked(1).await;
    drop(web);
    server.until_parked(0).await;
    let id = client.start("order").await.unwrap();
    assert_eq!(within(client.poll()).await.unwrap().workflow_execution.unwrap().id, id);
}

#[tokio::test]
async fn a_claim_that_was_not_delivered_is_given_back_at_once() {
    let server = TestServer::start().await;
    let client = server.extended().await;
    let id = client.start("order").await.unwrap();
    // This client takes no byte of a body: the claim is made, and its answer stays at the server.
    let mut deaf = h2_client_with(server.address, h2::client::Builder::new().initial_window_size(0)).await;
    let request = http::Request::post(format!("http://localhost{POLL}"))
        .header("content-type", "application/grpc")
        .header("flovyn-ext", "1")
        .body(())
        .unwrap();
    let (response, mut sending) = deaf.send_request(request, false).unwrap();
    sending.send_data(Bytes::from(framed(&poll())), true).unwrap();
    let response = within(response).await.unwrap();
    assert_eq!(response.status(), 200);

    let next = tokio::spawn({
        let client = client.clone();
        async move { client.poll().await.unwrap() }
    });
    server.until_parked(1).await;
    // It leaves, long before its lease of 60 s ends.
    sending.send_reset(h2::Reason::CANCEL);
    drop((response, sending, deaf));
    let polled = within(next).await.unwrap();
    assert_eq!(polled.workflow_execution.unwrap().id, id);
    client.submit(&id, vec![complete("1")], WorkflowStatus::Completed, Some(&polled.claim_token)).await.unwrap();
}

#[tokio::test]
async fn clients_that_leave_at_any_moment_lose_nothing() {
    // An answer that was sent and not read is noticed by nobody: then the lease ends.
    let server = TestServer::start_with(|config| config.rules.lease_ms = 100).await;
    let client = server.extended().await;
    for round in 0..40 {
        let id = client.start("order").await.unwrap();
        let mut leaving = JoinSet::new();
        for _ in 0..3 {
            let client = client.clone();
            leaving.spawn(async move { client.poll().await });
        }
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        leaving.shutdown().await;
        // A machine that is busy with other tests may need more than a lease for this.
        loop {
            let polled = within(client.poll()).await.unwrap();
            assert_eq!(polled.workflow_execution.unwrap().id, id, "round {round}");
            let claim = Some(polled.claim_token.as_str());
            if client.submit(&id, vec![complete("1")], WorkflowStatus::Completed, claim).await.is_ok() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn beyond_the_bound_a_poll_is_answered_empty() {
    let server = TestServer::start_with(|config| config.rules.limits.concurrent_polls_per_key_max = 2).await;
    let client = server.extended().await;
    let mut polls = JoinSet::new();
    for _ in 0..2 {
        let client = client.clone();
        polls.spawn(async move { client.poll().await.unwrap() });
    }
    server.until_parked(2).await;
    assert!(within(client.poll()).await.unwrap().workflow_execution.is_none());
    // Another key has places of its own.
    let mut other = server.extended().await;
    other.key = server.server.ready().worker_key.clone();
    polls.spawn(async move { other.poll().await.unwrap() });
    server.until_parked(3).await;
}

#[tokio::test]
async fn a_poll_that_waits_hears_of_another_registration() {
    let server = TestServer::start().await;
    let client = server.extended().await;
    let register = |kind: &str| WorkerRegistrationRequest {
        worker_name: "worker".to_owned(),
        workflows: vec![WorkflowCapability { kind: kind.to_owned(), ..WorkflowCapability::default() }],
        ..WorkerRegistrationRequest::default()
    };
    let _: WorkerRegistrationResponse = client.call(REGISTER, register("order")).await.unwrap();
    let id = client.start("refund").await.unwrap();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.poll().await.unwrap() }
    });
    server.until_parked(1).await;
    // Another process of the same name, which does more.
    let _: WorkerRegistrationResponse = client.call(REGISTER, register("refund")).await.unwrap();
    let polled = within(waiting).await.unwrap();
    assert_eq!(polled.workflow_execution.unwrap().id, id);
}
