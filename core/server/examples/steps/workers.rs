use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use flovyn_protocol::{
    event::{Event, EventBody},
    messages::{
        CommandType, CompleteTaskRequest, CompleteTaskResponse, CompleteWorkflowCommand, PollRequest, PollResponse,
        PollTaskRequest, PollTaskResponse, ScheduleTaskCommand, StartWorkflowRequest, StartWorkflowResponse,
        SubmitWorkflowCommandsRequest, SubmitWorkflowCommandsResponse, WorkflowCommand, WorkflowStatus,
        ext::{AwaitResultRequest, AwaitResultResponse},
        workflow_command::CommandData,
    },
};

use crate::client::Client;

/// What was done.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) steps: AtomicUsize,
    latencies: Mutex<Vec<Duration>>,
}

impl Counts {
    pub(crate) fn snapshot(&self) -> Self {
        let latencies = self.latencies.lock().unwrap().clone();
        Self { steps: self.steps.load(Ordering::Relaxed).into(), latencies: latencies.into() }
    }

    pub(crate) fn take_latencies(&self) -> Vec<Duration> {
        std::mem::take(&mut self.latencies.lock().unwrap())
    }
}

/// A client that starts an execution when the one before has ended.
pub(crate) async fn start_workflows(client: Client, until: Instant, counts: Arc<Counts>) {
    while Instant::now() < until {
        let sent = Instant::now();
        let request = StartWorkflowRequest {
            workflow_kind: "order".to_owned(),
            input: br#"{"item":"book","amount":1}"#.to_vec(),
            ..StartWorkflowRequest::default()
        };
        let started: StartWorkflowResponse =
            client.call("/flovyn.v1.WorkflowDispatch/StartWorkflow", request, "").await.unwrap();
        let request = AwaitResultRequest { workflow_execution_id: started.workflow_execution_id, timeout_ms: 60_000 };
        let result: AwaitResultResponse =
            client.call("/flovyn.ext.v1.Extensions/AwaitResult", request, "").await.unwrap();
        assert_eq!(result.status(), WorkflowStatus::Completed);
        counts.latencies.lock().unwrap().push(sent.elapsed());
    }
}

fn poll() -> PollRequest {
    PollRequest {
        worker_id: "workflows".to_owned(),
        timeout_seconds: 60,
        long_poll: true,
        continues_executions: true,
        ..PollRequest::default()
    }
}

/// One slot of a workflow worker.
pub(crate) async fn run_workflows(client: Client, tasks: usize) {
    let mut next = None;
    loop {
        let polled: PollResponse = match next.take() {
            Some(polled) => polled,
            None => client.call("/flovyn.v1.WorkflowDispatch/PollWorkflow", poll(), "").await.unwrap(),
        };
        let Some(execution) = &polled.workflow_execution else { continue };
        // The task's id tells how many came before it, so nothing need be remembered between activations.
        let done = polled.events.iter().filter_map(completed).max().unwrap_or(0);
        let (command, status) = match done < tasks {
            true => (schedule(&execution.id, done + 1), WorkflowStatus::Suspended),
            false => (complete(), WorkflowStatus::Completed),
        };
        let request = SubmitWorkflowCommandsRequest {
            workflow_execution_id: execution.id.clone(),
            commands: vec![command],
            status: status.into(),
            submission_number: 1,
            after_sequence: execution.current_sequence,
            poll: Some(poll()),
        };
        let answer: SubmitWorkflowCommandsResponse = client
            .call("/flovyn.v1.WorkflowDispatch/SubmitWorkflowCommands", request, &polled.claim_token)
            .await
            .unwrap();
        next = answer.next;
    }
}

fn completed(event: &flovyn_protocol::messages::WorkflowEvent) -> Option<usize> {
    if event.event_type != "TASK_COMPLETED" {
        return None;
    }
    match Event::parse(event).unwrap().body {
        EventBody::TaskCompleted { task_execution_id, .. } => usize::from_str_radix(&task_execution_id[32..], 16).ok(),
        _ => None,
    }
}

fn schedule(execution: &str, number: usize) -> WorkflowCommand {
    let data = ScheduleTaskCommand {
        kind: "charge".to_owned(),
        input: br#"{"amount":1}"#.to_vec(),
        task_execution_id: format!("{}{number:04x}", &execution[..32]),
        ..ScheduleTaskCommand::default()
    };
    command(CommandType::ScheduleTask, CommandData::ScheduleTask(data))
}

fn complete() -> WorkflowCommand {
    let data = CompleteWorkflowCommand { output: b"true".to_vec() };
    command(CommandType::CompleteWorkflow, CommandData::CompleteWorkflow(data))
}

fn command(command_type: CommandType, data: CommandData) -> WorkflowCommand {
    WorkflowCommand { command_type: command_type.into(), sequence_number: 1, command_data: Some(data) }
}

/// One slot of a task worker.
pub(crate) async fn run_tasks(client: Client, counts: Arc<Counts>) {
    let poll = || PollTaskRequest {
        worker_id: "tasks".to_owned(),
        timeout_seconds: 60,
        long_poll: true,
        ..PollTaskRequest::default()
    };
    let mut next = None;
    loop {
        let polled: PollTaskResponse = match next.take() {
            Some(polled) => polled,
            None => client.call("/flovyn.v1.TaskExecution/PollTask", poll(), "").await.unwrap(),
        };
        let Some(task) = polled.task else { continue };
        let request = CompleteTaskRequest {
            task_execution_id: task.task_execution_id,
            output: br#"{"charged":true}"#.to_vec(),
            poll: Some(poll()),
        };
        let answer: CompleteTaskResponse =
            client.call("/flovyn.v1.TaskExecution/CompleteTask", request, &polled.claim_token).await.unwrap();
        counts.steps.fetch_add(1, Ordering::Relaxed);
        next = answer.next;
    }
}
