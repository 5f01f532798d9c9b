use flovyn_protocol::messages::{HeartbeatRequest, HeartbeatResponse};

use super::{load, proven};
use crate::{
    Answer, Status, border, claims,
    context::{Caller, Ctx, reply, reply_empty},
    store::{ClaimHolder, PayloadSlot, TaskRecord, TaskState},
    workers,
};

/// Heartbeat: renews the claim of a client that has its token; for others it is a sign of life. The answer says
/// whether the task was cancelled, since then nobody waits for it any more.
pub(crate) fn heartbeat(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: HeartbeatRequest) -> Result<Answer, Status> {
    let mut task = load(ctx, caller, &request.task_execution_id)?;
    if task.state == TaskState::Cancelled {
        return Ok(answer(caller, HeartbeatResponse { cancelled: true, lease_ms: 0 }));
    }
    if let Some(token) = caller.claim {
        claims::prolong(ctx, proven(&mut task, token)?);
    }
    let TaskState::Running(claim) = &task.state else { return Ok(answer(caller, HeartbeatResponse::default())) };
    let (worker, holder) = (claim.worker.clone(), claim.holder);
    if caller.claim.is_none() {
        // Without the token it cannot be told from a heartbeat of an attempt that was given up.
        if holder == ClaimHolder::Extended {
            return Ok(answer(caller, HeartbeatResponse::default()));
        }
        workers::note(ctx, caller.org_id, &worker)?;
    }
    beat(ctx, caller, &mut task, &request.details)?;
    let lease_ms = if caller.claim.is_some() { ctx.config.lease_ms } else { 0 };
    Ok(answer(caller, HeartbeatResponse { cancelled: false, lease_ms }))
}

fn answer(caller: &Caller<'_>, response: HeartbeatResponse) -> Answer {
    if caller.extended { reply(&response) } else { reply_empty() }
}

/// Notes the time, and what the attempt wants to be known of it.
fn beat(ctx: &mut Ctx<'_>, caller: &Caller<'_>, task: &mut TaskRecord, details: &[u8]) -> Result<(), Status> {
    if caller.extended && !details.is_empty() {
        let details = border::payload(&ctx.config.limits, "details", details)?;
        ctx.tx.put_payload(task.key, PayloadSlot::HeartbeatDetails, &details)?;
    }
    if caller.claim.is_some() || task.heartbeat_timeout_ms.is_some() {
        task.heartbeat_at_ms = Some(ctx.now_ms);
        ctx.tx.put_task(task)?;
    }
    Ok(())
}
