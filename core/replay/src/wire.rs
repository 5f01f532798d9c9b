//! Commands in the form of the contract.

use alloc::string::{String, ToString};

use flovyn_protocol::{
    Payload,
    messages::{
        CancelTaskCommand, CancelTimerCommand, CancelWorkflowCommand, ClearStateCommand, CommandType,
        CompleteWorkflowCommand, CreatePromiseCommand, FailWorkflowCommand, RecordOperationCommand,
        RequestCancelChildWorkflowCommand, ScheduleChildWorkflowCommand, ScheduleTaskCommand, SetStateCommand,
        StartTimerCommand, WorkflowCommand, workflow_command::CommandData,
    },
};

use crate::{CreatePromise, ScheduleTask, StartChild, WorkflowFailure};

pub(crate) fn schedule_task(task: ScheduleTask, task_execution_id: String, extended: bool) -> WorkflowCommand {
    command(
        CommandType::ScheduleTask,
        CommandData::ScheduleTask(ScheduleTaskCommand {
            kind: task.kind,
            input: task.input.to_bytes(),
            task_execution_id,
            max_retries: task.max_retries,
            timeout_ms: task.timeout_ms,
            queue: task.queue,
            priority_seconds: task.priority_seconds,
            idempotency_key: task.idempotency_key,
            idempotency_key_ttl_seconds: task.idempotency_key_ttl_seconds,
            retry_policy: task.retry_policy.filter(|_| extended),
            start_to_close_timeout_ms: task.start_to_close_timeout_ms.filter(|_| extended).unwrap_or_default(),
            heartbeat_timeout_ms: task.heartbeat_timeout_ms.filter(|_| extended).unwrap_or_default(),
        }),
    )
}

pub(crate) fn start_timer(timer_id: String, duration_ms: i64) -> WorkflowCommand {
    command(CommandType::StartTimer, CommandData::StartTimer(StartTimerCommand { timer_id, duration_ms }))
}

/// The contract's field `promise_id` carries the name; the server chooses the id.
pub(crate) fn create_promise(promise: CreatePromise) -> WorkflowCommand {
    command(
        CommandType::CreatePromise,
        CommandData::CreatePromise(CreatePromiseCommand {
            promise_id: promise.name,
            timeout_ms: promise.timeout_ms,
            idempotency_key: promise.idempotency_key,
            idempotency_key_ttl_seconds: promise.idempotency_key_ttl_seconds,
        }),
    )
}

pub(crate) fn start_child(child: StartChild, name: String, child_execution_id: String) -> WorkflowCommand {
    command(
        CommandType::ScheduleChildWorkflow,
        CommandData::ScheduleChildWorkflow(ScheduleChildWorkflowCommand {
            child_execution_name: name,
            workflow_kind: Some(child.kind),
            workflow_definition_id: None,
            child_workflow_execution_id: child_execution_id,
            input: child.input.to_bytes(),
            queue: child.queue.unwrap_or_default(),
            priority_seconds: child.priority_seconds.unwrap_or_default(),
        }),
    )
}

pub(crate) fn cancel_timer(timer_id: String) -> WorkflowCommand {
    command(CommandType::CancelTimer, CommandData::CancelTimer(CancelTimerCommand { timer_id }))
}

pub(crate) fn cancel_task(task_execution_id: String, reason: &str) -> WorkflowCommand {
    let data = CancelTaskCommand { task_execution_id, reason: reason.to_string() };
    command(CommandType::CancelTask, CommandData::CancelTask(data))
}

pub(crate) fn cancel_child(name: String, child_execution_id: String, reason: &str) -> WorkflowCommand {
    command(
        CommandType::RequestCancelChildWorkflow,
        CommandData::RequestCancelChildWorkflow(RequestCancelChildWorkflowCommand {
            child_execution_name: name,
            child_workflow_execution_id: child_execution_id,
            reason: reason.to_string(),
        }),
    )
}

/// The result of an operation, in JSON.
pub(crate) fn record(operation_name: &str, json: String) -> WorkflowCommand {
    let (operation_name, result) = (operation_name.to_string(), json.into_bytes());
    let data = CommandData::RecordOperation(RecordOperationCommand { operation_name, result });
    command(CommandType::RecordOperation, data)
}

pub(crate) fn set_state(key: &str, value: &Payload) -> WorkflowCommand {
    let data = CommandData::SetState(SetStateCommand { key: key.to_string(), value: value.to_bytes() });
    command(CommandType::SetState, data)
}

pub(crate) fn clear_state(key: &str) -> WorkflowCommand {
    command(CommandType::ClearState, CommandData::ClearState(ClearStateCommand { key: key.to_string() }))
}

pub(crate) fn complete_workflow(output: &Payload) -> WorkflowCommand {
    let data = CommandData::CompleteWorkflow(CompleteWorkflowCommand { output: output.to_bytes() });
    command(CommandType::CompleteWorkflow, data)
}

pub(crate) fn fail_workflow(failure: &WorkflowFailure) -> WorkflowCommand {
    command(
        CommandType::FailWorkflow,
        CommandData::FailWorkflow(FailWorkflowCommand {
            error: failure.error.clone(),
            stack_trace: failure.stack_trace.clone(),
            failure_type: failure.failure_type.clone(),
        }),
    )
}

pub(crate) fn cancel_workflow(reason: &str) -> WorkflowCommand {
    let data = CancelWorkflowCommand { reason: reason.to_string() };
    command(CommandType::CancelWorkflow, CommandData::CancelWorkflow(data))
}

fn command(command_type: CommandType, data: CommandData) -> WorkflowCommand {
    // Servers number events themselves; the number is set when the submission is put together.
    WorkflowCommand { command_type: command_type.into(), sequence_number: 0, command_data: Some(data) }
}
