//! A client of tonic that knows none of our extensions: what it needs works over plain HTTP/2.

use flovyn_protocol::messages::WorkflowStatus;

use crate::support::{TestServer, requests::*};

const TASK: &str = "0b5f1c1e-58a4-4b6e-9d55-111111111111";

#[tokio::test]
async fn a_small_workflow_runs_to_its_end() {
    let server = TestServer::start().await;
    let client = server.plain().await;

    let id = client.start("order").await.unwrap();
    let polled = client.poll().await.unwrap();
    let execution = polled.workflow_execution.unwrap();
    assert_eq!((execution.id.as_str(), execution.kind.as_str()), (id.as_str(), "order"));
    assert_eq!(execution.input, br#"{"amount":42}"#);
    assert_eq!(execution.org_id, server.server.ready().org_id);
    assert_eq!(polled.claim_token, "", "fields of ours are not for a plain client");
    assert!(polled.events.is_empty());
    assert_eq!(client.event_types(&id).await.unwrap(), ["WORKFLOW_STARTED"]);

    client.submit(&id, vec![schedule_task("charge", TASK)], WorkflowStatus::Suspended, None).await.unwrap();
    assert!(client.poll().await.unwrap().workflow_execution.is_none(), "nothing to do until the task ends");
    let task = client.poll_task().await.unwrap().task.unwrap();
    assert_eq!((task.task_execution_id.as_str(), task.kind.as_str()), (TASK, "charge"));
    assert_eq!((task.input.as_slice(), task.execution_count), (b"7".as_slice(), 1));
    client.complete_task(TASK, r#"{"charged":true}"#).await.unwrap();

    assert_eq!(client.poll().await.unwrap().workflow_execution.unwrap().id, id);
    client.submit(&id, vec![complete("\"done\"")], WorkflowStatus::Completed, None).await.unwrap();
    assert_eq!(
        client.event_types(&id).await.unwrap(),
        ["WORKFLOW_STARTED", "TASK_SCHEDULED", "WORKFLOW_SUSPENDED", "TASK_COMPLETED", "WORKFLOW_COMPLETED"]
    );
    assert!(client.poll().await.unwrap().workflow_execution.is_none());
}

#[tokio::test]
async fn extensions_are_answered_to_those_who_ask() {
    let server = TestServer::start().await;
    let plain = server.plain().await.call_with::<()>(START, start("order"), None).await.unwrap();
    assert!(plain.metadata().get("flovyn-ext").is_none());
    let extended = server.extended().await;
    let answer = extended.call_with::<()>(START, start("order"), None).await.unwrap();
    assert_eq!(answer.metadata().get("flovyn-ext").unwrap(), "1");
    let polled = extended.poll().await.unwrap();
    assert!(!polled.claim_token.is_empty());
    assert_eq!((polled.lease_ms, polled.events.len()), (60_000, 1));
}

#[tokio::test]
async fn what_is_not_offered_says_so() {
    let server = TestServer::start().await;
    let client = server.plain().await;
    for method in [
        "/flovyn.v1.WorkflowDispatch/ReportExecutionSpans",
        "/flovyn.v1.AgentDispatch/PollAgent",
        "/nowhere.Service/Method",
        "/",
    ] {
        let status = client.call::<()>(method, ()).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::Unimplemented, "{method}: {status}");
        assert!(!status.message().is_empty(), "{method} gives a reason");
    }
}

#[tokio::test]
async fn a_large_payload_is_refused_and_the_next_request_works() {
    let server = TestServer::start().await;
    let client = server.plain().await;
    let large = |bytes| {
        let mut request = start("order");
        request.input = format!("\"{}\"", "x".repeat(bytes)).into_bytes();
        request
    };
    for bytes in [3 * 1024 * 1024, 17 * 1024 * 1024] {
        let status = client.call::<()>(START, large(bytes)).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::ResourceExhausted, "{status}");
        client.start("order").await.unwrap();
    }
    client.call::<()>(START, large(1024 * 1024)).await.unwrap();
}
