//! Our extensions of the contract, switched off on either side: then both sides speak the contract and no more.

use flovyn_protocol::messages::{
    CompleteTaskRequest, CompleteTaskResponse, PollResponse, SubmitWorkflowCommandsRequest,
    SubmitWorkflowCommandsResponse, WorkflowStatus,
    ext::{DescribeWorkflowRequest, WorkflowDescription},
};
use tonic::{Code, Response};

use crate::support::{TestServer, grpc::Client, process::ServerProcess, requests::*};

const DESCRIBE: &str = "/flovyn.ext.v1.Extensions/DescribeWorkflow";
const TASKS: [&str; 2] = ["0b5f1c1e-58a4-4b6e-9d55-000000000001", "0b5f1c1e-58a4-4b6e-9d55-000000000002"];

async fn server(extensions: bool) -> TestServer {
    TestServer::start_with(|config| config.extensions = extensions).await
}

/// Runs two executions of two tasks, with every field of ours filled in, and says whether the extensions worked.
async fn run(server: &TestServer, client: &Client) -> bool {
    let (first, second) = (client.start("order").await.unwrap(), client.start("order").await.unwrap());
    let polled: Response<PollResponse> = client.call_with(POLL, poll(), None).await.unwrap();
    let announced = polled.metadata().get("flovyn-ext").is_some();
    let polled = polled.into_inner();
    let token = Some(polled.claim_token.clone()).filter(|token| !token.is_empty());
    assert_eq!(token.is_some(), announced);
    assert_eq!((polled.events.len(), polled.lease_ms > 0), (usize::from(announced), announced));
    let submission = SubmitWorkflowCommandsRequest {
        workflow_execution_id: first.clone(),
        commands: TASKS.map(|id| schedule_task("charge", id)).to_vec(),
        status: WorkflowStatus::Suspended.into(),
        submission_number: 1,
        after_sequence: 1,
        poll: Some(poll()),
    };
    // Without a token, one that was made up must not matter.
    let claim = Some(token.as_deref().unwrap_or("made up")).filter(|_| announced || !server.extensions);
    let answer: SubmitWorkflowCommandsResponse =
        client.call_with(SUBMIT, submission, claim).await.unwrap().into_inner();
    let next = answer.next.map(|next| next.workflow_execution.unwrap().id);
    assert_eq!(next, Some(second.clone()).filter(|_| announced));

    let task = client.poll_task().await.unwrap();
    let request = CompleteTaskRequest {
        task_execution_id: task.task.unwrap().task_execution_id,
        output: b"1".to_vec(),
        poll: Some(poll_task()),
    };
    let claim = Some(task.claim_token.as_str()).filter(|token| !token.is_empty());
    let answer: CompleteTaskResponse = client.call_with(COMPLETE_TASK, request, claim).await.unwrap().into_inner();
    assert_eq!(answer.next.is_some(), announced);
    let described: Result<WorkflowDescription, _> =
        client.call(DESCRIBE, DescribeWorkflowRequest { workflow_execution_id: first.clone() }).await;
    match described {
        Ok(description) => assert_eq!(description.workflow_execution_id, first),
        Err(status) => assert_eq!((status.code(), server.extensions), (Code::Unimplemented, false), "{status}"),
    }
    assert_eq!(
        client.event_types(&first).await.unwrap(),
        ["WORKFLOW_STARTED", "TASK_SCHEDULED", "TASK_SCHEDULED", "WORKFLOW_SUSPENDED", "TASK_COMPLETED"]
    );
    announced
}

#[tokio::test]
async fn only_two_that_know_them_use_them() {
    for (of_server, of_client) in [(true, true), (true, false), (false, true), (false, false)] {
        let server = server(of_server).await;
        let client = Client::connect(server.address, of_client).await;
        assert_eq!(run(&server, &client).await, of_server && of_client, "server {of_server}, client {of_client}");
    }
}

#[tokio::test]
async fn the_command_line_switches_them_off() {
    let data = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(data.path(), &["--no-extensions"]);
    let client = server.client(true).await;
    let answer = client.call_with::<()>(START, start("order"), None).await.unwrap();
    assert!(answer.metadata().get("flovyn-ext").is_none());
    let polled = client.poll().await.unwrap();
    assert_eq!((polled.claim_token.as_str(), polled.events.len()), ("", 0));
}
