//! Cancelling executions.
//!
//! An execution is asked once, by CANCELLATION_REQUESTED, and its code decides what comes of it; to compensate it may
//! take as long as it needs. But a code that does not hear is ended: if no submission has seen the request when the
//! grace period is over, the server itself appends the end. A whole-life timeout asks in the same way and waits no
//! longer than the grace period, seen or not.

use alloc::{
    format,
    string::{String, ToString},
};

use flovyn_protocol::{event::EventBody, messages::ext::CancelWorkflowRequest};
use uuid::Uuid;

use crate::{
    Answer, Status, border,
    context::{Caller, Ctx, reply_empty},
    execution,
    store::{CancelRequest, Deadline, DeadlineKey, Execution, Key},
    tasks,
};

/// The failure type of an execution that took too long.
const TIMEOUT: &str = "TIMEOUT";

/// CancelWorkflow.
pub(crate) fn cancel(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: CancelWorkflowRequest) -> Result<Answer, Status> {
    let key = caller.key(border::id("workflow_execution_id", &request.workflow_execution_id)?);
    border::cancel_reason(&ctx.config.limits, &request.reason)?;
    let mut execution = execution::load(ctx, key)?;
    if execution.state.is_ended() {
        return Err(Status::failed_precondition(format!(
            "execution {} has ended ({}) and cannot be cancelled any more",
            key.id,
            execution.status()
        )));
    }
    let wish = Wish {
        reason: request.reason,
        requested_by: caller.principal_id.to_string(),
        cascade: request.cascade_to_children.unwrap_or(true),
        by_timeout: false,
    };
    if request.force {
        wish.force(ctx, &mut execution)?;
    } else {
        wish.ask(ctx, &mut execution)?;
    }
    ctx.tx.put_execution(&execution)?;
    Ok(reply_empty())
}

/// That an execution should end, and why.
struct Wish {
    reason: String,
    requested_by: String,
    cascade: bool,
    by_timeout: bool,
}

impl Wish {
    /// Asks an execution that has not ended. Whoever asks again is too late to change anything.
    fn ask(self, ctx: &mut Ctx<'_>, execution: &mut Execution) -> Result<(), Status> {
        if execution.cancel.is_some() {
            return Ok(());
        }
        let event =
            EventBody::CancellationRequested { reason: self.reason.clone(), requested_by: self.requested_by.clone() };
        execution::land(ctx, execution, &event)?;
        if execution.state.is_ended() {
            return Ok(());
        }
        execution.cancel = Some(self.into_request(execution.current_sequence));
        set_grace(ctx, execution.key)
    }

    /// Ends an execution that has not ended, without asking it.
    fn force(self, ctx: &mut Ctx<'_>, execution: &mut Execution) -> Result<(), Status> {
        let reason = self.reason.clone();
        execution.cancel = Some(self.into_request(execution.current_sequence));
        execution::end(ctx, execution, &EventBody::WorkflowCancelled { reason })
    }

    fn into_request(self, sequence: i32) -> CancelRequest {
        let Self { reason, cascade, by_timeout, .. } = self;
        CancelRequest { reason, sequence, seen: false, cascade, by_timeout }
    }
}

fn set_grace(ctx: &mut Ctx<'_>, key: Key) -> Result<(), Status> {
    let due_ms = ctx.now_ms.saturating_add(ctx.config.cancel_grace_ms);
    ctx.tx.put_deadline(&Deadline { key: DeadlineKey::Grace(key), due_ms })?;
    Ok(())
}

/// A worker that holds everything up to this event has submitted.
pub(crate) fn note_seen(execution: &mut Execution, sequence: i32) {
    if let Some(cancel) = &mut execution.cancel {
        cancel.seen |= sequence >= cancel.sequence;
    }
}

/// The grace period is over.
pub(crate) fn grace_is_over(ctx: &mut Ctx<'_>, key: Key) -> Result<(), Status> {
    let Some(mut execution) = ctx.tx.execution(key)? else { return Ok(()) };
    let Some(cancel) = execution.cancel.as_ref().filter(|_| !execution.state.is_ended()) else { return Ok(()) };
    let end = match timed_out(ctx, &execution) {
        Some(failure) => failure,
        None if cancel.seen => return Ok(()),
        None => EventBody::WorkflowCancelled { reason: cancel.reason.clone() },
    };
    execution::end(ctx, &mut execution, &end)?;
    ctx.tx.put_execution(&execution)?;
    Ok(())
}

/// How an execution ends whose time is over; `None` if it is not.
fn timed_out(ctx: &Ctx<'_>, execution: &Execution) -> Option<EventBody> {
    let timeout_ms = execution.timeout_ms?;
    (ctx.now_ms >= execution.created_at_ms.saturating_add(timeout_ms))
        .then(|| execution::failed_by_server(timeout_text(timeout_ms), TIMEOUT))
}

fn timeout_text(timeout_ms: i64) -> String {
    format!("timed out: not done within {timeout_ms} ms of its start")
}

/// Decides how long an execution may take from its creation.
pub(crate) fn set_timeout(ctx: &mut Ctx<'_>, execution: &mut Execution, timeout_ms: i64) -> Result<(), Status> {
    execution.timeout_ms = Some(timeout_ms);
    let due_ms = execution.created_at_ms.saturating_add(timeout_ms);
    ctx.tx.put_deadline(&Deadline { key: DeadlineKey::WorkflowTimeout(execution.key), due_ms })?;
    Ok(())
}

/// The time that an execution may take is over.
pub(crate) fn timeout_is_over(ctx: &mut Ctx<'_>, key: Key) -> Result<(), Status> {
    let Some(mut execution) = ctx.tx.execution(key)? else { return Ok(()) };
    if execution.state.is_ended() {
        return Ok(());
    }
    if execution.cancel.is_some() {
        // It was asked already; now it has no longer than this.
        return set_grace(ctx, key);
    }
    let wish = Wish {
        reason: timeout_text(execution.timeout_ms.unwrap_or_default()),
        requested_by: "timeout".into(),
        cascade: true,
        by_timeout: true,
    };
    wish.ask(ctx, &mut execution)?;
    ctx.tx.put_execution(&execution)?;
    Ok(())
}

/// Asks a child to end, soon: the records of children are not touched while those of their parents are held.
pub(crate) fn ask_child(ctx: &mut Ctx<'_>, parent: &Execution, child: Uuid, reason: String) -> Result<(), Status> {
    let execution = Key { org_id: parent.key.org_id, id: child };
    let key = DeadlineKey::Cancel { execution, parent: parent.key.id, reason };
    ctx.tx.put_deadline(&Deadline { key, due_ms: ctx.now_ms })?;
    Ok(())
}

/// [`ask_child`], where the child can be touched. What is no child of this parent is left alone.
pub(crate) fn parent_asks(ctx: &mut Ctx<'_>, key: Key, parent: Uuid, reason: String) -> Result<(), Status> {
    let Some(mut execution) = ctx.tx.execution(key)? else { return Ok(()) };
    let is_child = execution.parent.as_ref().is_some_and(|of| of.id == parent);
    if !is_child || execution.state.is_ended() {
        return Ok(());
    }
    let wish = Wish { reason, requested_by: format!("workflow:{parent}"), cascade: true, by_timeout: false };
    wish.ask(ctx, &mut execution)?;
    ctx.tx.put_execution(&execution)?;
    Ok(())
}

/// The end that an execution gets whose code has ended it so: a code that ends as cancelled says why it was asked to,
/// and if time asked, the execution has timed out.
pub(crate) fn end_of(execution: &Execution, end: EventBody) -> EventBody {
    match (end, &execution.cancel) {
        (EventBody::WorkflowCancelled { .. }, Some(cancel)) if cancel.by_timeout => {
            execution::failed_by_server(cancel.reason.clone(), TIMEOUT)
        }
        (EventBody::WorkflowCancelled { reason }, Some(cancel)) if reason.is_empty() => {
            EventBody::WorkflowCancelled { reason: cancel.reason.clone() }
        }
        (end, _) => end,
    }
}

/// An execution has ended. If it was cancelled, or timed out, its tasks end with it and its children are asked to.
pub(crate) fn ended(ctx: &mut Ctx<'_>, execution: &Execution, end: &EventBody) -> Result<(), Status> {
    if execution.cancel.is_some() {
        ctx.tx.remove_deadline(&DeadlineKey::Grace(execution.key))?;
    }
    if execution.timeout_ms.is_some() {
        ctx.tx.remove_deadline(&DeadlineKey::WorkflowTimeout(execution.key))?;
    }
    let reason = match end {
        EventBody::WorkflowCancelled { reason } => reason,
        EventBody::WorkflowExecutionFailed { error, failure_type, by_server: true, .. } if failure_type == TIMEOUT => {
            error
        }
        _ => return Ok(()),
    };
    tasks::end_all_with_execution(ctx, execution, reason)?;
    if execution.cancel.as_ref().is_none_or(|cancel| cancel.cascade) {
        let reason = shortened(reason, ctx.config.limits.cancel_reason_bytes_max);
        ask_children(ctx, execution, reason)?;
    }
    Ok(())
}

fn ask_children(ctx: &mut Ctx<'_>, execution: &Execution, reason: &str) -> Result<(), Status> {
    let children = ctx.tx.children(execution.key, usize::MAX, 0)?;
    for child in children.into_iter().filter(|child| !child.state.is_ended()) {
        ask_child(ctx, execution, child.key.id, reason.into())?;
    }
    Ok(())
}

/// A code may end with a reason that is as long as an error.
fn shortened(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}
