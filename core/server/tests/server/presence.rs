//! A worker without our extensions keeps its claim while its connection is open, however busy it is.

use flovyn_protocol::messages::PollRequest;

use crate::support::{TestServer, requests::*, within};

#[tokio::test]
async fn an_open_connection_is_a_sign_of_life() {
    let server = TestServer::start_with(|config| {
        config.rules.workers.offline_after_ms = 1_000;
        config.rules.workers.note_after_ms = 100;
    })
    .await;
    let other = server.extended().await;
    let id = other.start("order").await.unwrap();
    let busy = server.plain().await;
    assert_eq!(busy.poll().await.unwrap().workflow_execution.unwrap().id, id);

    // It says nothing for twice the time after which a silent worker is taken for gone.
    let two_seconds = PollRequest { worker_id: "other".to_owned(), timeout_seconds: 2, ..poll() };
    let polled: flovyn_protocol::messages::PollResponse = other.call(POLL, two_seconds).await.unwrap();
    assert!(polled.workflow_execution.is_none(), "the claim is held");

    drop(busy);
    let polled: flovyn_protocol::messages::PollResponse =
        within(other.call(POLL, PollRequest { worker_id: "other".to_owned(), ..poll() })).await.unwrap();
    assert_eq!(polled.workflow_execution.unwrap().id, id, "the claim ended with its holder");
}
