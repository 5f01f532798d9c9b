//! Queries, between a client and a worker that are both parked.

use flovyn_protocol::messages::{
    CommandType, PollRequest, PollResponse, QueryWorkflowRequest, QueryWorkflowResponse, SetStateCommand,
    WorkerRegistrationRequest, WorkerRegistrationResponse, WorkflowCapability, WorkflowStatus, ext::AnswerQueryRequest,
    workflow_command::CommandData,
};
use tonic::Code;

use crate::support::{TestServer, grpc::Client, requests::*, within};

const QUERY: &str = "/flovyn.v1.WorkflowQuery/QueryWorkflow";
const ANSWER: &str = "/flovyn.ext.v1.Extensions/AnswerQuery";

/// A suspended execution with a state, and a registered worker that answers `progress`.
async fn prepare(client: &Client) -> String {
    let workflow = WorkflowCapability {
        kind: "order".to_owned(),
        query_names: vec!["progress".to_owned(), "done".to_owned()],
        ..WorkflowCapability::default()
    };
    let request = WorkerRegistrationRequest {
        worker_name: "worker".to_owned(),
        workflows: vec![workflow],
        ..WorkerRegistrationRequest::default()
    };
    let _: WorkerRegistrationResponse =
        client.call("/flovyn.v1.WorkerLifecycle/RegisterWorker", request).await.unwrap();
    let id = client.start("order").await.unwrap();
    let claim = client.poll().await.unwrap().claim_token;
    let state = SetStateCommand { key: "done".to_owned(), value: b"3".to_vec() };
    let commands = vec![command(CommandType::SetState, CommandData::SetState(state))];
    client.submit(&id, commands, WorkflowStatus::Suspended, Some(&claim)).await.unwrap();
    id
}

async fn query(client: &Client, id: &str, name: &str) -> Result<QueryWorkflowResponse, tonic::Status> {
    let request = QueryWorkflowRequest {
        workflow_execution_id: id.to_owned(),
        query_name: name.to_owned(),
        ..QueryWorkflowRequest::default()
    };
    client.call(QUERY, request).await
}

#[tokio::test]
async fn a_waiting_worker_answers() {
    let server = TestServer::start().await;
    let worker = server.extended().await;
    let id = prepare(&worker).await;
    let polling = tokio::spawn({
        let worker = worker.clone();
        async move {
            let poll = PollRequest { answers_queries: true, ..poll() };
            worker.call::<PollResponse>(POLL, poll).await.unwrap()
        }
    });
    server.until_parked(1).await;
    // Whoever asks knows none of our extensions.
    let client = server.plain().await;
    let asking = tokio::spawn({
        let (client, id) = (client.clone(), id.clone());
        async move { query(&client, &id, "progress").await }
    });
    let task = within(polling).await.unwrap().query.unwrap();
    assert_eq!((task.workflow_execution_id.as_str(), task.state[0].value.as_slice()), (id.as_str(), &b"3"[..]));
    let answer = AnswerQueryRequest { query_id: task.query_id, result: b"0.3".to_vec(), error: None };
    worker.call::<()>(ANSWER, answer).await.unwrap();
    assert_eq!(within(asking).await.unwrap().unwrap().result, b"0.3");
    let whole = query(&client, &id, "__state").await.unwrap().result;
    assert_eq!(whole, b"{\"done\":3}");
}

#[tokio::test]
async fn without_a_worker_that_takes_it_the_state_answers() {
    let server = TestServer::start_with(|config| config.rules.queries.take_ms = 50).await;
    let client = server.extended().await;
    let id = prepare(&client).await;
    // The worker lives and polls no more. Of `progress`, only it would have known.
    let status = within(query(&client, &id, "progress")).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(status.message().contains("no worker has taken it within"), "{status}");
    assert_eq!(within(query(&client, &id, "done")).await.unwrap().result, b"3");
    server.until_parked(0).await;
}
