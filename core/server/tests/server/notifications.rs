//! SubscribeToNotifications, over both kinds of gRPC.

use std::time::Duration;

use flovyn_protocol::messages::{SubmitTaskRequest, SubmitTaskResponse, SubscriptionRequest, WorkAvailableEvent};
use tonic::{Code, Streaming};

use crate::{
    support::{TestServer, grpc::Client, http1::Connection, within},
    web::framed,
};

const SUBSCRIBE: &str = "/flovyn.v1.WorkflowDispatch/SubscribeToNotifications";

fn of_queue(queue: &str) -> SubscriptionRequest {
    SubscriptionRequest { worker_id: "worker".to_owned(), queue: queue.to_owned(), ..SubscriptionRequest::default() }
}

async fn subscribe(client: &Client, queue: &str) -> Streaming<WorkAvailableEvent> {
    client.stream(SUBSCRIBE, of_queue(queue), None).await.unwrap()
}

async fn next(events: &mut Streaming<WorkAvailableEvent>) -> WorkAvailableEvent {
    within(events.message()).await.unwrap().unwrap()
}

async fn submit_task(client: &Client, queue: &str) {
    let request = SubmitTaskRequest { kind: "charge".into(), queue: queue.into(), ..SubmitTaskRequest::default() };
    client.call::<SubmitTaskResponse>("/flovyn.v1.TaskExecution/SubmitTask", request).await.unwrap();
}

#[tokio::test]
async fn subscribers_hear_of_work_in_their_queue_alone() {
    let server = TestServer::start().await;
    let client = server.plain().await;
    let (mut default, mut fast) = (subscribe(&client, "").await, subscribe(&client, "fast").await);
    client.start("order").await.unwrap();
    let event = next(&mut default).await;
    assert_eq!((event.org_id.as_str(), event.queue.as_str()), (server.server.ready().org_id.as_str(), "default"));
    assert!(event.timestamp_ms > 1_700_000_000_000);
    submit_task(&client, "fast").await;
    assert_eq!(next(&mut fast).await.queue, "fast");
    submit_task(&client, "").await;
    assert_eq!(next(&mut default).await.queue, "default");
    // Who waits for work loses none to who only hears of it.
    assert_eq!(client.poll().await.unwrap().workflow_execution.unwrap().kind, "order");
    assert!(client.poll_task().await.unwrap().task.is_some());
}

#[tokio::test]
async fn subscriptions_end_with_the_time_of_the_caller() {
    let server = TestServer::start().await;
    let client = server.plain().await;
    let mut events: Streaming<WorkAvailableEvent> =
        client.stream(SUBSCRIBE, of_queue(""), Some(Duration::from_millis(50))).await.unwrap();
    let status = within(events.message()).await.unwrap_err();
    // The client has a timer of its own, and calls its end another name.
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status}");
}

#[tokio::test]
async fn subscriptions_are_bounded_and_checked() {
    let server = TestServer::start_with(|config| config.http.event_streams_per_key_max = 1).await;
    let client = server.plain().await;
    let first = subscribe(&client, "").await;
    let refused = |request| client.stream::<WorkAvailableEvent>(SUBSCRIBE, request, None);
    let status = refused(of_queue("")).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    let foreign = "0b5f1c1e-58a4-4b6e-9d55-000000000009".to_owned();
    let status = refused(SubscriptionRequest { org_id: foreign, ..of_queue("") }).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "{status}");
    drop(first);
    // The server hears of that a little later.
    let again = async { while refused(of_queue("")).await.is_err() {} };
    within(again).await;
}

#[tokio::test]
async fn a_browser_hears_too_and_is_told_of_the_end() {
    let server = TestServer::start().await;
    let mut connection = Connection::open(server.address).await;
    let headers = [("content-type", "application/grpc-web+proto")];
    connection.send("POST", SUBSCRIBE, &headers, &framed(&of_queue(""))).await;
    let head = connection.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("application/grpc-web+proto"), "{head}");
    server.plain().await.start("order").await.unwrap();
    connection.until("default").await;
    let (end, stopped) = tokio::join!(connection.until("0\r\n\r\n"), server.server.shutdown());
    stopped.unwrap();
    assert!(end.contains("grpc-status:14\r\n") && end.contains("grpc-message:the server is shutting down"), "{end}");
}
