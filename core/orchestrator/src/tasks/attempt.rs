//! How long one attempt may take.

use alloc::{format, string::String};

use super::{
    make_ready,
    outcome::{self, Failure},
    past_attempts,
};
use crate::{
    Status,
    claims::{self, Due},
    context::Ctx,
    store::{AttemptEnd, Claim, Key, TaskRecord, TaskState},
};

/// The error of an attempt whose worker has vanished.
const CLAIM_ENDED: &str = "the claim ended: its worker was not heard of in time";

/// Why an attempt is given up, and when.
struct Limit {
    due_ms: i64,
    error: String,
}

/// The earlier of the two ends of an attempt.
fn limit(task: &TaskRecord, claim: &Claim) -> Option<Limit> {
    let whole = task.start_to_close_timeout_ms.map(|timeout_ms| Limit {
        due_ms: claim.given_at_ms.saturating_add(timeout_ms),
        error: format!("the attempt timed out: not done within {timeout_ms} ms of its start"),
    });
    let last_ms = task.heartbeat_at_ms.unwrap_or(claim.given_at_ms);
    let silent = task.heartbeat_timeout_ms.map(|timeout_ms| Limit {
        due_ms: last_ms.saturating_add(timeout_ms),
        error: format!("the attempt timed out: no heartbeat within {timeout_ms} ms"),
    });
    [whole, silent].into_iter().flatten().min_by_key(|limit| limit.due_ms)
}

/// When somebody has to look at an attempt that has just begun.
pub(super) fn first_due_ms(task: &TaskRecord, claim: &Claim) -> i64 {
    limit(task, claim).map_or(claim.expires_at_ms, |limit| limit.due_ms.min(claim.expires_at_ms))
}

/// The deadline of a task has come: the end of its claim or attempt, or of the time for which it backs off.
pub(crate) fn due(ctx: &mut Ctx<'_>, key: Key) -> Result<Due, Status> {
    let Some(mut task) = ctx.tx.task(key)? else { return Ok(Due::Done) };
    let due_ms = match &task.state {
        TaskState::Running(claim) => {
            let ends_at_ms = claims::ends_at_ms(ctx, key.org_id, claim)?;
            match limit(&task, claim) {
                Some(limit) if limit.due_ms <= ctx.now_ms => {
                    outcome::attempt_failed(ctx, &mut task, Failure::new(limit.error), None)?;
                    return Ok(Due::Done);
                }
                Some(limit) => limit.due_ms.min(ends_at_ms),
                None => ends_at_ms,
            }
        }
        TaskState::BackingOff { until_ms } => *until_ms,
        _ => return Ok(Due::Done),
    };
    if due_ms > ctx.now_ms {
        return Ok(Due::AgainAt(due_ms));
    }
    past_attempts::ended(ctx, &mut task, AttemptEnd::Failed(CLAIM_ENDED.into()))?;
    make_ready(ctx, &mut task)?;
    ctx.tx.put_task(&task)?;
    Ok(Due::Done)
}
