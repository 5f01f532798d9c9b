//! The requests that many tests make.

use flovyn_protocol::messages::{
    CommandType, CompleteTaskRequest, CompleteWorkflowCommand, GetEventsRequest, GetEventsResponse, PollRequest,
    PollResponse, PollTaskRequest, PollTaskResponse, ScheduleTaskCommand, StartTimerCommand, StartWorkflowRequest,
    StartWorkflowResponse, SubmitWorkflowCommandsRequest, SubmitWorkflowCommandsResponse, WorkflowCommand,
    WorkflowStatus, workflow_command::CommandData,
};
use tonic::Status;

use super::grpc::Client;

pub(crate) const START: &str = "/flovyn.v1.WorkflowDispatch/StartWorkflow";
pub(crate) const POLL: &str = "/flovyn.v1.WorkflowDispatch/PollWorkflow";
pub(crate) const EVENTS: &str = "/flovyn.v1.WorkflowDispatch/GetEvents";
pub(crate) const SUBMIT: &str = "/flovyn.v1.WorkflowDispatch/SubmitWorkflowCommands";
pub(crate) const POLL_TASK: &str = "/flovyn.v1.TaskExecution/PollTask";
pub(crate) const COMPLETE_TASK: &str = "/flovyn.v1.TaskExecution/CompleteTask";

pub(crate) fn start(kind: &str) -> StartWorkflowRequest {
    StartWorkflowRequest {
        workflow_kind: kind.to_owned(),
        input: br#"{"amount":42}"#.to_vec(),
        queue: "default".to_owned(),
        ..StartWorkflowRequest::default()
    }
}

/// A poll that waits for work up to 60 s if it comes from a client with our extensions.
pub(crate) fn poll() -> PollRequest {
    PollRequest {
        worker_id: "worker".to_owned(),
        queue: "default".to_owned(),
        timeout_seconds: 60,
        long_poll: true,
        ..PollRequest::default()
    }
}

pub(crate) fn poll_task() -> PollTaskRequest {
    PollTaskRequest {
        worker_id: "worker".to_owned(),
        queue: "default".to_owned(),
        timeout_seconds: 60,
        long_poll: true,
        ..PollTaskRequest::default()
    }
}

pub(crate) fn command(command_type: CommandType, data: CommandData) -> WorkflowCommand {
    WorkflowCommand { command_type: command_type.into(), command_data: Some(data), ..WorkflowCommand::default() }
}

pub(crate) fn schedule_task(kind: &str, id: &str) -> WorkflowCommand {
    let data = ScheduleTaskCommand {
        kind: kind.to_owned(),
        task_execution_id: id.to_owned(),
        input: b"7".to_vec(),
        ..ScheduleTaskCommand::default()
    };
    command(CommandType::ScheduleTask, CommandData::ScheduleTask(data))
}

pub(crate) fn start_timer(id: &str, duration_ms: i64) -> WorkflowCommand {
    let data = StartTimerCommand { timer_id: id.to_owned(), duration_ms };
    command(CommandType::StartTimer, CommandData::StartTimer(data))
}

pub(crate) fn complete(output: &str) -> WorkflowCommand {
    let data = CompleteWorkflowCommand { output: output.as_bytes().to_vec() };
    command(CommandType::CompleteWorkflow, CommandData::CompleteWorkflow(data))
}

impl Client {
    pub(crate) async fn start(&self, kind: &str) -> Result<String, Status> {
        let started: StartWorkflowResponse = self.call(START, start(kind)).await?;
        Ok(started.workflow_execution_id)
    }

    pub(crate) async fn poll(&self) -> Result<PollResponse, Status> {
        self.call(POLL, poll()).await
    }

    pub(crate) async fn poll_task(&self) -> Result<PollTaskResponse, Status> {
        self.call(POLL_TASK, poll_task()).await
    }

    pub(crate) async fn complete_task(&self, id: &str, output: &str) -> Result<(), Status> {
        let request = CompleteTaskRequest {
            task_execution_id: id.to_owned(),
            output: output.as_bytes().to_vec(),
            ..Default::default()
        };
        self.call(COMPLETE_TASK, request).await
    }

    pub(crate) async fn submit(
        &self,
        execution: &str,
        commands: Vec<WorkflowCommand>,
        status: WorkflowStatus,
        claim: Option<&str>,
    ) -> Result<SubmitWorkflowCommandsResponse, Status> {
        let request = SubmitWorkflowCommandsRequest {
            workflow_execution_id: execution.to_owned(),
            commands,
            status: status.into(),
            submission_number: i32::from(claim.is_some()),
            ..SubmitWorkflowCommandsRequest::default()
        };
        self.call_with(SUBMIT, request, claim).await.map(tonic::Response::into_inner)
    }

    /// The types of the events of an execution, in order.
    pub(crate) async fn event_types(&self, execution: &str) -> Result<Vec<String>, Status> {
        let request = GetEventsRequest { workflow_execution_id: execution.to_owned(), ..GetEventsRequest::default() };
        let answer: GetEventsResponse = self.call(EVENTS, request).await?;
        Ok(answer.events.into_iter().map(|event| event.event_type).collect())
    }
}
