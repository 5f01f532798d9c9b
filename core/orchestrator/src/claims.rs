//! The right to an activation or a task: giving, proving, renewing and taking it back.
//!
//! The deadline of a claim is set once, when it is given, and may come too early: what counts is
//! [`Claim::expires_at_ms`], and for plain holders the last sign of life. So renewing writes one record, and whoever
//! comes at the deadline looks again.

use alloc::{format, string::String};
use core::fmt::Write as _;

use flovyn_protocol::messages::ext::{ReleaseClaimRequest, RenewClaimRequest, RenewClaimResponse};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::{
    Answer, Status, activation, border,
    context::{Caller, Ctx, reply, reply_empty},
    execution,
    store::{Claim, ClaimHolder, ExecutionState},
    tasks, workers,
};

/// 128 bits cannot be guessed.
const TOKEN_BYTES: usize = 16;

/// A new claim, for whoever calls.
pub(crate) fn give(ctx: &mut Ctx<'_>, caller: &Caller<'_>, worker: String) -> Claim {
    let (holder, lives_ms) = if caller.extended {
        (ClaimHolder::Extended, ctx.config.lease_ms)
    } else {
        (ClaimHolder::Plain, ctx.config.workers.offline_after_ms)
    };
    let expires_at_ms = ctx.now_ms.saturating_add(lives_ms);
    Claim { token: new_token(ctx), worker, holder, given_at_ms: ctx.now_ms, expires_at_ms }
}

fn new_token(ctx: &mut Ctx<'_>) -> String {
    let mut bytes = [0; TOKEN_BYTES];
    ctx.rng.fill_bytes(&mut bytes);
    let mut token = String::with_capacity(2 * TOKEN_BYTES);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(token, "{byte:02x}");
    }
    token
}

/// Whether this token proves that claim. How long the comparison takes tells nothing about the token.
pub(crate) fn proves(token: &str, claim: &Claim) -> bool {
    token.as_bytes().ct_eq(claim.token.as_bytes()).into()
}

pub(crate) fn stale(what: &str, id: Uuid) -> Status {
    Status::failed_precondition(format!(
        "the claim on {what} {id} is no longer current: drop what was done under it and poll again"
    ))
}

/// A client of ours forgot what it was given.
pub(crate) fn missing() -> Status {
    Status::failed_precondition("the claim has a token: send it as metadata flovyn-claim")
}

/// Prolongs a claim whose holder has just shown that it is alive.
pub(crate) fn prolong(ctx: &Ctx<'_>, claim: &mut Claim) {
    claim.expires_at_ms = ctx.now_ms.saturating_add(ctx.config.lease_ms);
}

/// When a claim ends, by what is known now.
pub(crate) fn ends_at_ms(ctx: &mut Ctx<'_>, org_id: Uuid, claim: &Claim) -> Result<i64, Status> {
    if claim.holder == ClaimHolder::Extended {
        return Ok(claim.expires_at_ms);
    }
    let alive_until_ms = workers::alive_until_ms(ctx, org_id, &claim.worker)?.unwrap_or(claim.expires_at_ms);
    let ends_at_ms = alive_until_ms.max(claim.expires_at_ms);
    Ok(ends_at_ms.min(claim.given_at_ms.saturating_add(ctx.config.workers.plain_claim_ms_max)))
}

/// RenewClaim.
pub(crate) fn renew(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: RenewClaimRequest) -> Result<Answer, Status> {
    let token = token(caller)?;
    match (request.workflow_execution_id.as_str(), request.task_execution_id.as_str()) {
        (id, "") => activation::renew(ctx, caller, border::id("workflow_execution_id", id)?, token)?,
        ("", id) => tasks::renew(ctx, caller, border::id("task_execution_id", id)?, token)?,
        _ => return Err(names_both()),
    }
    Ok(reply(&RenewClaimResponse { lease_ms: ctx.config.lease_ms }))
}

/// ReleaseClaim.
pub(crate) fn release(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: ReleaseClaimRequest) -> Result<Answer, Status> {
    let token = token(caller)?;
    border::at_most("reason", request.reason.len(), ctx.config.limits.park_reason_bytes_max)?;
    border::not_negative("retry_after_ms", request.retry_after_ms)?;
    if request.retry_after_ms > ctx.config.retry_after_ms_max {
        return Err(Status::invalid_argument(format!(
            "retry_after_ms: expected at most {}, got {}",
            ctx.config.retry_after_ms_max, request.retry_after_ms
        )));
    }
    match (request.workflow_execution_id.as_str(), request.task_execution_id.as_str()) {
        (id, "") => activation::release(ctx, caller, border::id("workflow_execution_id", id)?, token, request)?,
        ("", id) => tasks::release(ctx, caller, border::id("task_execution_id", id)?, token, request.retry_after_ms)?,
        _ => return Err(names_both()),
    }
    Ok(reply_empty())
}

fn names_both() -> Status {
    Status::invalid_argument(
        "expected either workflow_execution_id or task_execution_id, got both: one call is about one claim",
    )
}

fn token<'a>(caller: &Caller<'a>) -> Result<&'a str, Status> {
    caller
        .claim
        .ok_or_else(|| Status::invalid_argument("expected metadata flovyn-claim with the token of the claim, got none"))
}

/// The deadline of an execution has come.
pub(crate) fn execution_due(ctx: &mut Ctx<'_>, key: crate::Key) -> Result<Due, Status> {
    let Some(mut execution) = ctx.tx.execution(key)? else { return Ok(Due::Done) };
    let due_ms = match &execution.state {
        ExecutionState::Running(activation) => ends_at_ms(ctx, key.org_id, &activation.claim)?,
        ExecutionState::Parked { until_ms } => *until_ms,
        _ => return Ok(Due::Done),
    };
    if due_ms > ctx.now_ms {
        return Ok(Due::AgainAt(due_ms));
    }
    execution::make_ready(ctx, &mut execution)?;
    ctx.tx.put_execution(&execution)?;
    Ok(Due::Done)
}

/// What is left of a deadline that has come.
pub(crate) enum Due {
    /// Nothing.
    Done,
    /// It was too early.
    AgainAt(i64),
}
