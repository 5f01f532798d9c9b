use alloc::string::ToString;

use flovyn_protocol::{event::EventBody, messages::CancelTaskRequest};
use uuid::Uuid;

use super::{load, outcome::end};
use crate::{
    Answer, Status,
    context::{Caller, Ctx, reply_empty},
    execution,
    store::{ClaimHolder, Execution, Key, TaskRecord, TaskState},
};

/// The error of a task that was cancelled, for clients that know only failures.
const ERROR: &str = "cancelled";

/// CancelTask. What has ended already stays as it is.
pub(crate) fn cancel(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: CancelTaskRequest) -> Result<Answer, Status> {
    let mut task = load(ctx, caller, &request.task_execution_id)?;
    if task.state.is_ended() {
        return Ok(reply_empty());
    }
    end_as_cancelled(ctx, &mut task, "")?;
    if let Some(id) = task.execution_id
        && let Some(mut execution) = ctx.tx.execution(caller.key(id))?
    {
        tell(ctx, &mut execution, &task, "")?;
        ctx.tx.put_execution(&execution)?;
    }
    Ok(reply_empty())
}

/// CANCEL_TASK, when all commands of its submission are applied. There is nothing to do if the task is not of this
/// execution or has ended.
pub(crate) fn cancel_own(ctx: &mut Ctx<'_>, execution: &mut Execution, id: Uuid, reason: &str) -> Result<(), Status> {
    let Some(mut task) = own(ctx, execution, id)? else { return Ok(()) };
    end_as_cancelled(ctx, &mut task, reason)?;
    tell(ctx, execution, &task, reason)
}

/// The execution of a task has ended, and the task ends with it.
pub(crate) fn end_with_execution(
    ctx: &mut Ctx<'_>,
    execution: &Execution,
    id: Uuid,
    reason: &str,
) -> Result<(), Status> {
    match own(ctx, execution, id)? {
        Some(mut task) => end_as_cancelled(ctx, &mut task, reason),
        None => Ok(()),
    }
}

/// All tasks of an execution that has ended end with it.
pub(crate) fn end_all_with_execution(ctx: &mut Ctx<'_>, execution: &Execution, reason: &str) -> Result<(), Status> {
    let tasks = ctx.tx.execution_tasks(execution.key, usize::MAX, 0)?;
    for mut task in tasks.into_iter().filter(|task| !task.state.is_ended()) {
        end_as_cancelled(ctx, &mut task, reason)?;
    }
    Ok(())
}

/// A task of this execution that has not ended.
fn own(ctx: &mut Ctx<'_>, execution: &Execution, id: Uuid) -> Result<Option<TaskRecord>, Status> {
    let task = ctx.tx.task(Key { id, ..execution.key })?;
    Ok(task.filter(|task| task.execution_id == Some(execution.key.id) && !task.state.is_ended()))
}

fn end_as_cancelled(ctx: &mut Ctx<'_>, task: &mut TaskRecord, reason: &str) -> Result<(), Status> {
    task.error = Some(if reason.is_empty() { ERROR.into() } else { reason.into() });
    end(ctx, task, TaskState::Cancelled)
}

/// Tells the execution, if it still listens. No other client ends a wait on TASK_CANCELLED, and ours ignores what
/// comes after it.
fn tell(ctx: &mut Ctx<'_>, execution: &mut Execution, task: &TaskRecord, reason: &str) -> Result<(), Status> {
    let (task_execution_id, kind) = (task.key.id.to_string(), task.kind.clone());
    let cancelled = EventBody::TaskCancelled {
        task_execution_id: task_execution_id.clone(),
        kind: kind.clone(),
        reason: reason.into(),
    };
    execution::land(ctx, execution, &cancelled)?;
    if execution.last_holder == Some(ClaimHolder::Plain) {
        let failed = EventBody::TaskFailed {
            task_execution_id,
            kind,
            error: ERROR.into(),
            error_type: None,
            stack_trace: None,
            retryable: false,
        };
        execution::land(ctx, execution, &failed)?;
    }
    Ok(())
}
