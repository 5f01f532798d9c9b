//! Reads the commands of a submission. All of them are understood before any is applied.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::{
    Payload,
    event::EventBody,
    messages::{
        CommandType, CreatePromiseCommand, FailWorkflowCommand, ScheduleTaskCommand, WorkflowCommand, WorkflowStatus,
        workflow_command::CommandData,
    },
};
use uuid::Uuid;

use crate::{
    Status, border,
    children::NewChild,
    context::{Caller, Ctx},
    idempotency::NamedBy,
    store::{IdempotencySpace, RetryPolicy},
    tasks,
};

/// The failure type that means the execution was cancelled.
const CANCELLED: &str = "CANCELLED";

/// What workflow code asks for, checked.
pub(super) enum Command {
    /// Nothing but its event.
    Record(EventBody),
    ScheduleTask(ScheduleTask),
    CreatePromise {
        name: String,
        timeout_ms: Option<i64>,
        named: Option<NamedBy>,
    },
    ResolvePromise {
        promise: String,
        value: Payload,
    },
    ScheduleChild(NewChild),
    CancelChild {
        name: String,
        id: Uuid,
        reason: String,
    },
    CancelTask {
        id: Uuid,
        reason: String,
    },
    StartTimer {
        timer_id: String,
        duration_ms: i64,
    },
    CancelTimer {
        timer_id: String,
    },
}

pub(super) struct ScheduleTask {
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) input: Payload,
    /// `None` is the queue of the execution.
    pub(super) queue: Option<String>,
    pub(super) priority_ms: i64,
    pub(super) max_retries: i32,
    pub(super) retry_policy: Option<RetryPolicy>,
    pub(super) timeout_ms: Option<i64>,
    pub(super) start_to_close_timeout_ms: Option<i64>,
    pub(super) heartbeat_timeout_ms: Option<i64>,
}

/// How the activation goes on after the commands.
pub(super) enum Ending {
    /// The claim is kept.
    Partial,
    Suspended {
        reason: Option<String>,
    },
    /// The event that ends the execution.
    Ended(EventBody),
}

/// The commands and the status of one submission.
pub(super) struct Submission {
    /// With the place of each among the commands of the request.
    pub(super) commands: Vec<(usize, Command)>,
    pub(super) ending: Ending,
}

pub(super) fn read(
    ctx: &Ctx<'_>,
    caller: &Caller<'_>,
    commands: Vec<WorkflowCommand>,
    status: i32,
) -> Result<Submission, Status> {
    let max = ctx.config.limits.commands_per_submit_max;
    if commands.len() > max {
        return Err(Status::resource_exhausted(format!("expected at most {max} commands, got {}", commands.len())));
    }
    let mut read = Vec::with_capacity(commands.len());
    let mut last = None;
    for (index, command) in commands.into_iter().enumerate() {
        let name = name(&command);
        let at = |status: Status| located(index, &name, status);
        let Some(data) = data(command).map_err(at)? else { continue };
        if last.is_some() {
            return Err(at(Status::invalid_argument("expected nothing after the command that ends the activation")));
        }
        match read_one(ctx, caller, data).map_err(at)? {
            Read::Command(command) => read.push((index, command)),
            Read::Last(ending) => last = Some(ending),
        }
    }
    Ok(Submission { commands: read, ending: ending(last, status)? })
}

/// Says which command an error is about.
pub(super) fn located(index: usize, name: &str, status: Status) -> Status {
    Status::new(status.code, format!("commands[{index}] {name}: {}", status.message))
}

fn name(command: &WorkflowCommand) -> String {
    match CommandType::try_from(command.command_type) {
        Ok(known) => known.as_str_name().to_string(),
        Err(_) => format!("type {}", command.command_type),
    }
}

/// The data of a command; `None` for one that some clients send and that means nothing.
fn data(command: WorkflowCommand) -> Result<Option<CommandData>, Status> {
    let Ok(expected) = CommandType::try_from(command.command_type) else {
        return Err(Status::unimplemented("this type of command is not offered by this server"));
    };
    let Some(data) = command.command_data else {
        return match expected {
            CommandType::Unspecified => Ok(None),
            // Its only field may be empty, and then some clients leave it out.
            CommandType::SuspendWorkflow => Ok(Some(CommandData::SuspendWorkflow(Default::default()))),
            _ => Err(Status::invalid_argument("expected the data of the command, got none")),
        };
    };
    let got = command_type(&data);
    if got != expected {
        return Err(Status::invalid_argument(format!("the data is that of {}", got.as_str_name())));
    }
    Ok(Some(data))
}

fn command_type(data: &CommandData) -> CommandType {
    match data {
        CommandData::RecordOperation(_) => CommandType::RecordOperation,
        CommandData::SetState(_) => CommandType::SetState,
        CommandData::ClearState(_) => CommandType::ClearState,
        CommandData::ScheduleTask(_) => CommandType::ScheduleTask,
        CommandData::CompleteWorkflow(_) => CommandType::CompleteWorkflow,
        CommandData::FailWorkflow(_) => CommandType::FailWorkflow,
        CommandData::SuspendWorkflow(_) => CommandType::SuspendWorkflow,
        CommandData::CancelWorkflow(_) => CommandType::CancelWorkflow,
        CommandData::CreatePromise(_) => CommandType::CreatePromise,
        CommandData::ResolvePromise(_) => CommandType::ResolvePromise,
        CommandData::ScheduleChildWorkflow(_) => CommandType::ScheduleChildWorkflow,
        CommandData::StartTimer(_) => CommandType::StartTimer,
        CommandData::CancelTimer(_) => CommandType::CancelTimer,
        CommandData::RequestCancelChildWorkflow(_) => CommandType::RequestCancelChildWorkflow,
        CommandData::CancelTask(_) => CommandType::CancelTask,
    }
}

enum Read {
    Command(Command),
    Last(Ending),
}

fn read_one(ctx: &Ctx<'_>, caller: &Caller<'_>, data: CommandData) -> Result<Read, Status> {
    let limits = &ctx.config.limits;
    Ok(Read::Command(match data {
        CommandData::RecordOperation(operation) => {
            border::name(limits, "operation_name", &operation.operation_name)?;
            let result = border::payload(limits, "result", &operation.result)?;
            Command::Record(EventBody::OperationCompleted { name: operation.operation_name, result })
        }
        CommandData::SetState(set) => {
            border::name(limits, "key", &set.key)?;
            let value = border::payload(limits, "value", &set.value)?;
            Command::Record(EventBody::StateSet { key: set.key, value })
        }
        CommandData::ClearState(clear) => {
            border::name(limits, "key", &clear.key)?;
            Command::Record(EventBody::StateCleared { key: clear.key })
        }
        CommandData::ScheduleTask(schedule) => Command::ScheduleTask(schedule_task(ctx, caller, schedule)?),
        CommandData::CreatePromise(create) => create_promise(ctx, caller, create)?,
        CommandData::ResolvePromise(resolve) => {
            let value = border::payload(limits, "value", &resolve.value)?;
            Command::ResolvePromise { promise: resolve.promise_id, value }
        }
        CommandData::StartTimer(start) => {
            border::name(limits, "timer_id", &start.timer_id)?;
            Command::StartTimer { timer_id: start.timer_id, duration_ms: start.duration_ms }
        }
        CommandData::CancelTimer(cancel) => {
            border::name(limits, "timer_id", &cancel.timer_id)?;
            Command::CancelTimer { timer_id: cancel.timer_id }
        }
        CommandData::CompleteWorkflow(complete) => {
            let output = border::payload(limits, "output", &complete.output)?;
            return Ok(Read::Last(Ending::Ended(EventBody::WorkflowCompleted { output })));
        }
        CommandData::FailWorkflow(fail) => return fail_workflow(ctx, fail),
        CommandData::SuspendWorkflow(suspend) => {
            border::long_text(limits, "reason", &suspend.reason)?;
            let reason = Some(suspend.reason).filter(|reason| !reason.is_empty());
            return Ok(Read::Last(Ending::Suspended { reason }));
        }
        CommandData::ScheduleChildWorkflow(child) => Command::ScheduleChild(NewChild::read(ctx, child)?),
        CommandData::RequestCancelChildWorkflow(cancel) => {
            border::at_most("child_execution_name", cancel.child_execution_name.len(), limits.name_bytes_max)?;
            border::cancel_reason(limits, &cancel.reason)?;
            let id = border::id("child_workflow_execution_id", &cancel.child_workflow_execution_id)?;
            Command::CancelChild { name: cancel.child_execution_name, id, reason: cancel.reason }
        }
        CommandData::CancelWorkflow(cancel) => {
            border::long_text(limits, "reason", &cancel.reason)?;
            return Ok(Read::Last(Ending::Ended(EventBody::WorkflowCancelled { reason: cancel.reason })));
        }
        CommandData::CancelTask(cancel) => {
            if !caller.extended {
                return Err(Status::unimplemented("this type of command is for clients that announce flovyn-ext"));
            }
            border::cancel_reason(limits, &cancel.reason)?;
            let id = border::id("task_execution_id", &cancel.task_execution_id)?;
            Command::CancelTask { id, reason: cancel.reason }
        }
    }))
}

fn schedule_task(ctx: &Ctx<'_>, caller: &Caller<'_>, schedule: ScheduleTaskCommand) -> Result<ScheduleTask, Status> {
    let limits = &ctx.config.limits;
    border::name(limits, "kind", &schedule.kind)?;
    border::not_offered(
        "idempotency_key",
        schedule.idempotency_key.as_deref().unwrap_or_default(),
        "the task_execution_id already makes the command idempotent",
    )?;
    let queue = border::inherited_queue(limits, schedule.queue.unwrap_or_default())?;
    let max_retries = schedule.max_retries.unwrap_or(ctx.config.tasks.max_retries);
    border::not_negative("max_retries", max_retries.into())?;
    let timeout_ms = border::not_negative("timeout_ms", schedule.timeout_ms.unwrap_or_default())?;
    let policy = schedule.retry_policy.filter(|_| caller.extended);
    Ok(ScheduleTask {
        id: border::id("task_execution_id", &schedule.task_execution_id)?,
        kind: schedule.kind,
        input: border::payload(limits, "input", &schedule.input)?,
        queue,
        priority_ms: i64::from(schedule.priority_seconds.unwrap_or_default()) * 1_000,
        max_retries,
        start_to_close_timeout_ms: attempt_timeout_ms(
            caller,
            "start_to_close_timeout_ms",
            schedule.start_to_close_timeout_ms,
        )?,
        heartbeat_timeout_ms: attempt_timeout_ms(caller, "heartbeat_timeout_ms", schedule.heartbeat_timeout_ms)?,
        retry_policy: policy.map(|policy| tasks::read_policy(ctx, policy)).transpose()?,
        timeout_ms: (timeout_ms > 0).then_some(timeout_ms),
    })
}

/// 0 is no limit.
fn attempt_timeout_ms(caller: &Caller<'_>, field: &str, timeout_ms: i64) -> Result<Option<i64>, Status> {
    if !caller.extended {
        return Ok(None);
    }
    border::not_negative(field, timeout_ms).map(|timeout_ms| Some(timeout_ms).filter(|timeout_ms| *timeout_ms > 0))
}

fn create_promise(ctx: &Ctx<'_>, caller: &Caller<'_>, create: CreatePromiseCommand) -> Result<Command, Status> {
    border::name(&ctx.config.limits, "promise_id", &create.promise_id)?;
    let named = NamedBy::new(
        ctx,
        caller,
        IdempotencySpace::Promise,
        create.idempotency_key,
        create.idempotency_key_ttl_seconds,
    )?;
    let timeout_ms = create.timeout_ms.map(|timeout_ms| border::not_negative("timeout_ms", timeout_ms)).transpose()?;
    Ok(Command::CreatePromise { name: create.promise_id, timeout_ms, named })
}

fn fail_workflow(ctx: &Ctx<'_>, fail: FailWorkflowCommand) -> Result<Read, Status> {
    let limits = &ctx.config.limits;
    border::long_text(limits, "error", &fail.error)?;
    border::long_text(limits, "stack_trace", &fail.stack_trace)?;
    border::at_most("failure_type", fail.failure_type.len(), limits.name_bytes_max)?;
    if fail.failure_type == CANCELLED {
        return Ok(Read::Last(Ending::Ended(EventBody::WorkflowCancelled { reason: fail.error })));
    }
    let failure_type = if fail.failure_type.is_empty() { "ERROR".into() } else { fail.failure_type };
    Ok(Read::Last(Ending::Ended(EventBody::WorkflowExecutionFailed {
        error: fail.error,
        stack_trace: fail.stack_trace,
        failure_type,
        by_server: false,
    })))
}

/// A status without its command is as good as with it; a command with another status is a mistake.
fn ending(last: Option<Ending>, status: i32) -> Result<Ending, Status> {
    let status = WorkflowStatus::try_from(status)
        .map_err(|_| Status::invalid_argument(format!("status: expected a WorkflowStatus, got {status}")))?;
    match (status, last) {
        (WorkflowStatus::Running, None) => Ok(Ending::Partial),
        (WorkflowStatus::Suspended, None) => Ok(Ending::Suspended { reason: None }),
        (WorkflowStatus::Suspended, Some(Ending::Suspended { reason })) => Ok(Ending::Suspended { reason }),
        (WorkflowStatus::Completed, None) => {
            Ok(Ending::Ended(EventBody::WorkflowCompleted { output: Payload::null() }))
        }
        (WorkflowStatus::Completed, Some(Ending::Ended(event @ EventBody::WorkflowCompleted { .. }))) => {
            Ok(Ending::Ended(event))
        }
        (WorkflowStatus::Failed, None) => Ok(Ending::Ended(EventBody::WorkflowExecutionFailed {
            error: "the workflow failed and gave no error".into(),
            stack_trace: String::new(),
            failure_type: "ERROR".into(),
            by_server: false,
        })),
        (WorkflowStatus::Failed, Some(Ending::Ended(event @ EventBody::WorkflowExecutionFailed { .. }))) => {
            Ok(Ending::Ended(event))
        }
        (WorkflowStatus::Cancelled, None) => Ok(Ending::Ended(EventBody::WorkflowCancelled { reason: String::new() })),
        // FAIL_WORKFLOW with the failure type CANCELLED comes with either status.
        (
            WorkflowStatus::Cancelled | WorkflowStatus::Failed,
            Some(Ending::Ended(event @ EventBody::WorkflowCancelled { .. })),
        ) => Ok(Ending::Ended(event)),
        (status, _) => Err(Status::invalid_argument(format!(
            "status: expected the one that belongs to the last command, got {}",
            status.as_str_name()
        ))),
    }
}
