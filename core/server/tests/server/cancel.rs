//! What one execution wants of another happens by itself, and soon.

use flovyn_protocol::messages::{
    CommandType, RequestCancelChildWorkflowCommand, ScheduleChildWorkflowCommand, WorkflowStatus,
    ext::{CancelWorkflowRequest, DescribeWorkflowRequest, WorkflowDescription},
    workflow_command::CommandData,
};

use crate::support::{TestServer, process::ServerProcess, requests::*, within};

const CHILD: &str = "00000000-0000-0000-0000-000000000005";

fn schedule_child() -> flovyn_protocol::messages::WorkflowCommand {
    let data = ScheduleChildWorkflowCommand {
        child_execution_name: "ship-1".to_owned(),
        workflow_kind: Some("ship".to_owned()),
        child_workflow_execution_id: CHILD.to_owned(),
        ..ScheduleChildWorkflowCommand::default()
    };
    command(CommandType::ScheduleChildWorkflow, CommandData::ScheduleChildWorkflow(data))
}

fn cancel_child() -> flovyn_protocol::messages::WorkflowCommand {
    let data = RequestCancelChildWorkflowCommand {
        child_workflow_execution_id: CHILD.to_owned(),
        ..RequestCancelChildWorkflowCommand::default()
    };
    command(CommandType::RequestCancelChildWorkflow, CommandData::RequestCancelChildWorkflow(data))
}

#[tokio::test]
async fn a_parent_asks_its_child() {
    let server = TestServer::start().await;
    let client = server.extended().await;
    let id = client.start("order").await.unwrap();
    let polled = client.poll().await.unwrap();
    client.submit(&id, vec![schedule_child()], WorkflowStatus::Suspended, Some(&polled.claim_token)).await.unwrap();
    let child = client.poll().await.unwrap();
    assert_eq!(child.workflow_execution.unwrap().id, CHILD);
    client.submit(CHILD, vec![], WorkflowStatus::Suspended, Some(&child.claim_token)).await.unwrap();

    let cancel = CancelWorkflowRequest { workflow_execution_id: id, force: true, ..CancelWorkflowRequest::default() };
    client.call::<()>("/flovyn.ext.v1.Extensions/CancelWorkflow", cancel).await.unwrap();
    // Nobody but the server itself wakes the child.
    let child = within(client.poll()).await.unwrap();
    assert_eq!(child.events.last().unwrap().event_type, "CANCELLATION_REQUESTED");
}

#[tokio::test]
async fn a_killed_server_asks_the_child_when_it_is_back() {
    let data = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(data.path(), &[]);
    let client = server.client(true).await;
    let id = client.start("order").await.unwrap();
    let polled = client.poll().await.unwrap();
    let commands = vec![schedule_child(), cancel_child()];
    client.submit(&id, commands, WorkflowStatus::Suspended, Some(&polled.claim_token)).await.unwrap();
    server.kill();
    let server = ServerProcess::start(data.path(), &[]);
    let client = server.client(true).await;
    let describe = DescribeWorkflowRequest { workflow_execution_id: CHILD.to_owned() };
    let asked = async {
        loop {
            let described: WorkflowDescription =
                client.call("/flovyn.ext.v1.Extensions/DescribeWorkflow", describe.clone()).await.unwrap();
            if described.status == "CANCELLING" {
                break;
            }
        }
    };
    within(asked).await;
}
