//! What can happen to an execution whatever caused it. The life as a table is at [`ExecutionState`].

use alloc::{format, string::String};

use flovyn_protocol::event::EventBody;

use crate::{
    Status, cancel, children,
    context::{Ctx, not_found},
    history::{self, NewEvent},
    store::{DeadlineKey, Execution, ExecutionState, Key, KindSet, ReadyEntry, ReadyQueue, WaitKey, Wake, Work},
};

pub(crate) fn load(ctx: &mut Ctx<'_>, key: Key) -> Result<Execution, Status> {
    ctx.tx.execution(key)?.ok_or_else(|| not_found("workflow execution", key.id))
}

pub(crate) fn queue(execution: &Execution) -> ReadyQueue {
    ReadyQueue { work: Work::Workflow, org_id: execution.key.org_id, name: execution.queue.clone() }
}

/// Puts an execution into its queue.
pub(crate) fn make_ready(ctx: &mut Ctx<'_>, execution: &mut Execution) -> Result<(), Status> {
    execution.state = ExecutionState::Ready;
    execution.updated_at_ms = ctx.now_ms;
    let queue = queue(execution);
    let worker = execution.continuation.as_ref().map(|held| held.worker.clone());
    let first = worker.as_deref().map(|worker| WaitKey::worker(&queue, worker));
    let kinds = KindSet::of(&execution.kind);
    ctx.tx.wake(Wake { key: WaitKey::queue(&queue), first, kinds });
    ctx.tx.put_ready(&ReadyEntry {
        queue,
        id: execution.key.id,
        kind: execution.kind.clone(),
        rank_ms: execution.created_at_ms.saturating_sub(execution.priority_ms),
        worker,
        ready_at_ms: ctx.now_ms,
    })?;
    Ok(())
}

/// Something came from outside. After the end it is too late, which is nobody's fault: `false`, and nothing happens.
///
/// An execution whose history cannot take it can never go on, so it ends.
pub(crate) fn land(ctx: &mut Ctx<'_>, execution: &mut Execution, body: &EventBody) -> Result<bool, Status> {
    if execution.state.is_ended() {
        return Ok(false);
    }
    let event = NewEvent::new(ctx, execution, body);
    match event.check_room(ctx, execution) {
        Ok(()) => land_event(ctx, execution, event)?,
        Err(full) => fail(ctx, execution, full.message)?,
    }
    Ok(true)
}

/// [`land`] of an event whose sender is there to hear that the history has no room for it, of an execution that has
/// not ended.
pub(crate) fn land_if_room(ctx: &mut Ctx<'_>, execution: &mut Execution, body: &EventBody) -> Result<(), Status> {
    let event = NewEvent::new(ctx, execution, body);
    event.check_room(ctx, execution)?;
    land_event(ctx, execution, event)
}

/// Refuses what the history has no room for.
pub(crate) fn check_room(ctx: &Ctx<'_>, execution: &Execution, body: &EventBody) -> Result<(), Status> {
    NewEvent::new(ctx, execution, body).check_room(ctx, execution)
}

fn land_event(ctx: &mut Ctx<'_>, execution: &mut Execution, event: NewEvent) -> Result<(), Status> {
    event.append(ctx, execution)?;
    if execution.state == ExecutionState::Waiting {
        make_ready(ctx, execution)?;
    }
    Ok(())
}

/// [`land`], for an execution that nobody holds yet.
pub(crate) fn land_on(ctx: &mut Ctx<'_>, key: Key, body: &EventBody) -> Result<bool, Status> {
    let Some(mut execution) = ctx.tx.execution(key)? else { return Ok(false) };
    let landed = land(ctx, &mut execution, body)?;
    if landed {
        ctx.tx.put_execution(&execution)?;
    }
    Ok(landed)
}

/// The server itself ends an execution.
pub(crate) fn fail(ctx: &mut Ctx<'_>, execution: &mut Execution, error: String) -> Result<(), Status> {
    end(ctx, execution, &failed_by_server(error, "ERROR"))
}

pub(crate) fn failed_by_server(error: String, failure_type: &str) -> EventBody {
    EventBody::WorkflowExecutionFailed {
        error,
        stack_trace: String::new(),
        failure_type: failure_type.into(),
        by_server: true,
    }
}

/// Appends the event that is the last one, drops what an execution waited for, and tells its parent. Tasks and children
/// run on unless it was cancelled.
pub(crate) fn end(ctx: &mut Ctx<'_>, execution: &mut Execution, body: &EventBody) -> Result<(), Status> {
    history::append(ctx, execution, body)?;
    let state = match body {
        EventBody::WorkflowCompleted { .. } => ExecutionState::Completed,
        EventBody::WorkflowExecutionFailed { .. } => ExecutionState::Failed,
        EventBody::WorkflowCancelled { .. } => ExecutionState::Cancelled,
        other => return Err(Status::internal(format!("{} does not end an execution", other.event_type()))),
    };
    if execution.state == ExecutionState::Ready {
        ctx.tx.remove_ready(Work::Workflow, execution.key)?;
    }
    execution.state = state;
    execution.ended_at_ms = Some(ctx.now_ms);
    ctx.tx.remove_deadline(&DeadlineKey::Execution(execution.key))?;
    ctx.tx.remove_execution_deadlines(execution.key)?;
    ctx.tx.wake(WaitKey::execution(execution.key).into());
    cancel::ended(ctx, execution, body)?;
    children::notify_parent(ctx, execution, body)
}
