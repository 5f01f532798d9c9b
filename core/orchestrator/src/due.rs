//! What time does.

use flovyn_protocol::event::EventBody;

use crate::{
    Code, Status, cancel, claims,
    claims::Due,
    context::Ctx,
    execution, idempotency, promises, queries,
    store::{Deadline, DeadlineKey, Key, Warning},
    tasks, workers,
};

/// What failed is tried again after this. It is nothing that passes by itself, so there is no hurry.
const AGAIN_MS: i64 = 60_000;

/// Does everything that is due, within the bound of one tick. What cannot be done is put off, and the rest goes on.
pub(crate) fn run(ctx: &mut Ctx<'_>) -> Result<(), Status> {
    for deadline in ctx.tx.due_deadlines(ctx.now_ms, ctx.config.tick_deadlines_max)? {
        let (config, now_ms, rng) = (ctx.config, ctx.now_ms, &mut *ctx.rng);
        let tried = ctx.tx.attempt(&mut |tx| reach(&mut Ctx { config, now_ms, rng: &mut *rng, tx }, &deadline.key))?;
        match tried {
            Ok(()) => {}
            // The store cannot be used, or somebody was in the way: that is about none of them.
            Err(status) if matches!(status.code, Code::Unavailable | Code::Aborted) => return Err(status),
            Err(status) => put_off(ctx, deadline.key, status)?,
        }
    }
    Ok(())
}

fn put_off(ctx: &mut Ctx<'_>, key: DeadlineKey, status: Status) -> Result<(), Status> {
    ctx.tx.put_deadline(&Deadline { key: key.clone(), due_ms: ctx.now_ms.saturating_add(AGAIN_MS) })?;
    ctx.tx.warn(Warning::DueFailed { key, message: status.message, again_ms: AGAIN_MS });
    Ok(())
}

fn reach(ctx: &mut Ctx<'_>, key: &DeadlineKey) -> Result<(), Status> {
    // A timer has no record but this: one that was removed by what was done before must not fire, and what was put
    // off is not due any more.
    if ctx.tx.deadline(key)?.is_none_or(|due_ms| due_ms > ctx.now_ms) {
        return Ok(());
    }
    ctx.tx.remove_deadline(key)?;
    if let Due::AgainAt(due_ms) = run_one(ctx, key.clone())? {
        ctx.tx.put_deadline(&Deadline { key: key.clone(), due_ms })?;
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
        DeadlineKey::Idempotency(key) => return idempotency::expired(ctx, key),
        DeadlineKey::Worker(key) => return forget_worker(ctx, key),
        DeadlineKey::Query(key) => return queries::due(ctx, key),
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
