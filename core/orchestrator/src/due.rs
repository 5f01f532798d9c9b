//! What time does.

use flovyn_protocol::event::EventBody;

use crate::{
    Status, cancel, claims,
    claims::Due,
    context::Ctx,
    execution, promises, queries,
    store::{Deadline, DeadlineKey, Key},
    tasks, workers,
};

/// Does everything that is due, within the bound of one tick.
pub(crate) fn run(ctx: &mut Ctx<'_>) -> Result<(), Status> {
    for deadline in ctx.tx.due_deadlines(ctx.now_ms, ctx.config.tick_deadlines_max)? {
        // A timer has no record but this: one that was removed by what was done before must not fire, and what was put
        // off is not due any more.
        if ctx.tx.deadline(&deadline.key)?.is_none_or(|due_ms| due_ms > ctx.now_ms) {
            continue;
        }
        ctx.tx.remove_deadline(&deadline.key)?;
        if let Due::AgainAt(due_ms) = run_one(ctx, deadline.key.clone())? {
            ctx.tx.put_deadline(&Deadline { key: deadline.key, due_ms })?;
        }
    }
    Ok(())
}

fn run_one(ctx: &mut Ctx<'_>, key: DeadlineKey) -> Result<Due, Status> {
    match key {
        DeadlineKey::Timer { execution, timer_id } => {
            execution::land_on(ctx, execution, &EventBody::TimerFired { timer_id })?;
        }
        DeadlineKey::Promise { execution, promise_id } => {
            promises::timed_out(ctx, Key { org_id: execution.org_id, id: promise_id })?;
        }
        DeadlineKey::Cancel { execution, parent, reason } => cancel::parent_asks(ctx, execution, parent, reason)?,
        DeadlineKey::Grace(key) => cancel::grace_is_over(ctx, key)?,
        DeadlineKey::WorkflowTimeout(key) => cancel::timeout_is_over(ctx, key)?,
        DeadlineKey::Execution(key) => return claims::execution_due(ctx, key),
        DeadlineKey::Task(key) => return tasks::due(ctx, key),
        DeadlineKey::TaskTimeout(key) => tasks::timed_out(ctx, key)?,
        DeadlineKey::Idempotency(key) => ctx.tx.remove_idempotency(&key)?,
        DeadlineKey::Worker(key) => return forget_worker(ctx, key),
        DeadlineKey::Query(key) => queries::forget(ctx, key)?,
    }
    Ok(Due::Done)
}

fn forget_worker(ctx: &mut Ctx<'_>, key: Key) -> Result<Due, Status> {
    let Some(worker) = ctx.tx.worker(key)? else { return Ok(Due::Done) };
    let due_ms = workers::forget_at_ms(ctx, &worker);
    if due_ms > ctx.now_ms {
        return Ok(Due::AgainAt(due_ms));
    }
    workers::remove(ctx, &worker)?;
    Ok(Due::Done)
}
