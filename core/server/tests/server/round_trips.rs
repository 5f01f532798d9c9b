//! Workers that keep executions in memory, and answers that bring the next piece of work.

use bytes::Bytes;
use flovyn_protocol::messages::{
    PollRequest, PollResponse, SubmitWorkflowCommandsRequest, SubmitWorkflowCommandsResponse, WorkflowStatus,
};

use crate::{
    bad_frames::h2_client_with,
    support::{TestServer, grpc::Client, requests::*, within},
    web::framed,
};

fn keeping(worker: &str) -> PollRequest {
    PollRequest { worker_id: worker.to_owned(), continues_executions: true, ..poll() }
}

fn waiting(client: &Client, worker: &'static str) -> tokio::task::JoinHandle<PollResponse> {
    let client = client.clone();
    tokio::spawn(async move { client.call(POLL, keeping(worker)).await.unwrap() })
}

/// Lets a worker suspend an execution until a task is done.
async fn suspend(client: &Client, worker: &'static str, task: &str) -> String {
    let id = client.start("order").await.unwrap();
    let polled: PollResponse = client.call(POLL, keeping(worker)).await.unwrap();
    let request = SubmitWorkflowCommandsRequest {
        workflow_execution_id: id.clone(),
        commands: vec![schedule_task("charge", task)],
        status: WorkflowStatus::Suspended.into(),
        submission_number: 1,
        after_sequence: 1,
        poll: None,
    };
    client.call_with::<SubmitWorkflowCommandsResponse>(SUBMIT, request, Some(&polled.claim_token)).await.unwrap();
    id
}

async fn finish_task(client: &Client, task: &str) {
    let polled = client.poll_task().await.unwrap();
    assert_eq!(polled.task.unwrap().task_execution_id, task);
    client.complete_task(task, "1").await.unwrap();
}

#[tokio::test]
async fn the_last_worker_is_first_if_it_waits() {
    const TASK: &str = "0b5f1c1e-58a4-4b6e-9d55-000000000001";
    let server = TestServer::start().await;
    let client = server.extended().await;
    let id = suspend(&client, "last", TASK).await;
    // Another one has waited for longer.
    let other = waiting(&client, "other");
    server.until_parked(1).await;
    let last = waiting(&client, "last");
    server.until_parked(2).await;
    finish_task(&client, TASK).await;
    let polled = within(last).await.unwrap();
    assert_eq!(polled.workflow_execution.unwrap().id, id);
    let new: Vec<_> = polled.events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(new, ["TASK_SCHEDULED", "WORKFLOW_SUSPENDED", "TASK_COMPLETED"]);
    assert_eq!(polled.after_sequence, 1);
    assert!(!other.is_finished());
}

#[tokio::test]
async fn nobody_waits_for_a_last_worker_that_is_gone() {
    const TASK: &str = "0b5f1c1e-58a4-4b6e-9d55-000000000001";
    let server = TestServer::start().await;
    let client = server.extended().await;
    let id = suspend(&client, "last", TASK).await;
    let other = waiting(&client, "other");
    server.until_parked(1).await;
    let last = waiting(&client, "last");
    server.until_parked(2).await;
    last.abort();
    server.until_parked(1).await;
    finish_task(&client, TASK).await;
    let polled = within(other).await.unwrap();
    assert_eq!(polled.workflow_execution.unwrap().id, id);
    assert_eq!((polled.after_sequence, polled.events.len()), (0, 4), "it holds nothing of it");
}

#[tokio::test]
async fn a_next_piece_of_work_that_was_not_delivered_is_given_back_at_once() {
    let server = TestServer::start().await;
    let client = server.extended().await;
    let (first, second) = (client.start("order").await.unwrap(), client.start("order").await.unwrap());
    let claim = client.poll().await.unwrap().claim_token;
    let request = SubmitWorkflowCommandsRequest {
        workflow_execution_id: first.clone(),
        commands: vec![complete("1")],
        status: WorkflowStatus::Completed.into(),
        submission_number: 1,
        poll: Some(poll()),
        ..Default::default()
    };
    // This client takes no byte of a body: the submission is applied and the next claim made, but its answer stays.
    let mut deaf = h2_client_with(server.address, h2::client::Builder::new().initial_window_size(0)).await;
    let head = http::Request::post(format!("http://localhost{SUBMIT}"))
        .header("content-type", "application/grpc")
        .header("flovyn-ext", "1")
        .header("flovyn-claim", claim)
        .body(())
        .unwrap();
    let (response, mut sending) = deaf.send_request(head, false).unwrap();
    sending.send_data(Bytes::from(framed(&request)), true).unwrap();
    assert_eq!(within(response).await.unwrap().status(), 200);
    let next = waiting(&client, "other");
    server.until_parked(1).await;
    sending.send_reset(h2::Reason::CANCEL);
    drop((sending, deaf));
    // Long before the lease of 60 s ends.
    assert_eq!(within(next).await.unwrap().workflow_execution.unwrap().id, second);
    let types = client.event_types(&first).await.unwrap();
    assert_eq!(types, ["WORKFLOW_STARTED", "WORKFLOW_COMPLETED"], "what was submitted stays");
}
