//! The attempts at a task, as they ended.

use alloc::{borrow::ToOwned, string::String};

use crate::{
    Status,
    context::Ctx,
    store::{AttemptEnd, TaskAttempt, TaskRecord, TaskState},
};

/// Notes in the task how the attempt ends that is under way, if one is; the one before goes to those that are stored.
pub(super) fn ended(ctx: &mut Ctx<'_>, task: &mut TaskRecord, end: AttemptEnd) -> Result<(), Status> {
    let TaskState::Running(claim) = &task.state else { return Ok(()) };
    let attempt = TaskAttempt {
        number: task.execution_count,
        worker: claim.worker.clone(),
        started_at_ms: claim.given_at_ms,
        ended_at_ms: ctx.now_ms,
        end,
    };
    let kept = i32::try_from(ctx.config.limits.task_attempts_max).unwrap_or(i32::MAX);
    if attempt.number > kept {
        ctx.tx.remove_task_attempt(task.key, attempt.number - kept)?;
    }
    if let Some(before) = task.last_attempt.replace(attempt) {
        ctx.tx.put_task_attempt(task.key, &before)?;
    }
    Ok(())
}

/// An error, cut to what an attempt keeps: the task has all of the last one.
pub(super) fn kept(ctx: &Ctx<'_>, error: &str) -> String {
    error[..error.floor_char_boundary(ctx.config.limits.attempt_error_bytes_max)].to_owned()
}
