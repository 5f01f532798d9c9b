//! Commands, in one line each.

use flovyn_protocol::messages::{
    CancelTaskCommand, CancelTimerCommand, CancelWorkflowCommand, ClearStateCommand, CommandType,
    CompleteWorkflowCommand, CreatePromiseCommand, FailWorkflowCommand, RecordOperationCommand,
    RequestCancelChildWorkflowCommand, ResolvePromiseCommand, ScheduleChildWorkflowCommand, ScheduleTaskCommand,
    SetStateCommand, StartTimerCommand, SuspendWorkflowCommand, WorkflowCommand, workflow_command::CommandData,
};

/// A task's id, from a number.
pub(super) fn task_id(number: u128) -> alloc::string::String {
    alloc::format!("{}", uuid::Uuid::from_u128(number))
}

fn command(command_type: CommandType, data: CommandData) -> WorkflowCommand {
    WorkflowCommand { command_type: command_type.into(), sequence_number: 0, command_data: Some(data) }
}

pub(super) fn task(number: u128) -> WorkflowCommand {
    task_with(ScheduleTaskCommand {
        kind: "charge".into(),
        input: b"1".to_vec(),
        task_execution_id: task_id(number),
        ..ScheduleTaskCommand::default()
    })
}

pub(super) fn task_with(data: ScheduleTaskCommand) -> WorkflowCommand {
    command(CommandType::ScheduleTask, CommandData::ScheduleTask(data))
}

/// A child of the kind "ship", whose id is made from a number as for tasks.
pub(super) fn child(number: u128) -> WorkflowCommand {
    child_with(ScheduleChildWorkflowCommand {
        child_execution_name: alloc::format!("ship-{number}"),
        workflow_kind: Some("ship".into()),
        child_workflow_execution_id: task_id(number),
        input: b"[1]".to_vec(),
        ..ScheduleChildWorkflowCommand::default()
    })
}

pub(super) fn child_with(data: ScheduleChildWorkflowCommand) -> WorkflowCommand {
    command(CommandType::ScheduleChildWorkflow, CommandData::ScheduleChildWorkflow(data))
}

pub(super) fn cancel_task(number: u128, reason: &str) -> WorkflowCommand {
    let data = CancelTaskCommand { task_execution_id: task_id(number), reason: reason.into() };
    command(CommandType::CancelTask, CommandData::CancelTask(data))
}

pub(super) fn cancel_child(number: u128, reason: &str) -> WorkflowCommand {
    let data = RequestCancelChildWorkflowCommand {
        child_execution_name: alloc::format!("ship-{number}"),
        child_workflow_execution_id: task_id(number),
        reason: reason.into(),
    };
    command(CommandType::RequestCancelChildWorkflow, CommandData::RequestCancelChildWorkflow(data))
}

pub(super) fn cancelled(reason: &str) -> WorkflowCommand {
    let data = CancelWorkflowCommand { reason: reason.into() };
    command(CommandType::CancelWorkflow, CommandData::CancelWorkflow(data))
}

pub(super) fn timer(id: &str, duration_ms: i64) -> WorkflowCommand {
    let data = StartTimerCommand { timer_id: id.into(), duration_ms };
    command(CommandType::StartTimer, CommandData::StartTimer(data))
}

pub(super) fn cancel_timer(id: &str) -> WorkflowCommand {
    command(CommandType::CancelTimer, CommandData::CancelTimer(CancelTimerCommand { timer_id: id.into() }))
}

pub(super) fn promise(name: &str) -> WorkflowCommand {
    promise_with(CreatePromiseCommand { promise_id: name.into(), ..CreatePromiseCommand::default() })
}

pub(super) fn promise_with(data: CreatePromiseCommand) -> WorkflowCommand {
    command(CommandType::CreatePromise, CommandData::CreatePromise(data))
}

pub(super) fn resolve_promise(name: &str, value: &str) -> WorkflowCommand {
    let data = ResolvePromiseCommand { promise_id: name.into(), value: value.into() };
    command(CommandType::ResolvePromise, CommandData::ResolvePromise(data))
}

pub(super) fn operation(name: &str, result: &str) -> WorkflowCommand {
    let data = RecordOperationCommand { operation_name: name.into(), result: result.into() };
    command(CommandType::RecordOperation, CommandData::RecordOperation(data))
}

pub(super) fn set_state(key: &str, value: &str) -> WorkflowCommand {
    let data = SetStateCommand { key: key.into(), value: value.into() };
    command(CommandType::SetState, CommandData::SetState(data))
}

pub(super) fn clear_state(key: &str) -> WorkflowCommand {
    command(CommandType::ClearState, CommandData::ClearState(ClearStateCommand { key: key.into() }))
}

pub(super) fn complete(output: &str) -> WorkflowCommand {
    let data = CompleteWorkflowCommand { output: output.into() };
    command(CommandType::CompleteWorkflow, CommandData::CompleteWorkflow(data))
}

pub(super) fn fail(error: &str) -> WorkflowCommand {
    fail_with(FailWorkflowCommand {
        error: error.into(),
        stack_trace: "at order".into(),
        failure_type: "BUSINESS_LOGIC".into(),
    })
}

pub(super) fn fail_with(data: FailWorkflowCommand) -> WorkflowCommand {
    command(CommandType::FailWorkflow, CommandData::FailWorkflow(data))
}

pub(super) fn suspend(reason: &str) -> WorkflowCommand {
    let data = SuspendWorkflowCommand { reason: reason.into() };
    command(CommandType::SuspendWorkflow, CommandData::SuspendWorkflow(data))
}
