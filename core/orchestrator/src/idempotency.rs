//! Names that clients give to things, so that asking twice makes them once.

use alloc::string::String;

use uuid::Uuid;

use crate::{
    Status, border,
    claims::Due,
    context::{Caller, Ctx},
    store::{Deadline, DeadlineKey, IdempotencyKey, IdempotencyRecord, IdempotencySpace, Key},
};

/// How often it is looked whether the run has ended that has outlived its key.
const LIVING_RUN_MS: i64 = 24 * 60 * 60 * 1_000;

/// The name in a request, and how long it is to be kept.
pub(crate) struct NamedBy {
    pub(crate) key: IdempotencyKey,
    ttl_ms: i64,
}

impl NamedBy {
    /// Reads the name of a request, if it has one.
    pub(crate) fn new(
        ctx: &Ctx<'_>,
        caller: &Caller<'_>,
        space: IdempotencySpace,
        text: Option<String>,
        ttl_seconds: Option<i64>,
    ) -> Result<Option<Self>, Status> {
        let limits = &ctx.config.limits;
        let default_seconds = match space {
            // Whoever settles a promise may take longer than any run takes to start.
            IdempotencySpace::Promise => limits.idempotency_ttl_seconds_max,
            _ => limits.idempotency_ttl_seconds_default,
        };
        let ttl_ms = border::ttl_ms(ctx.config, ttl_seconds, default_seconds)?;
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
        border::name(limits, "idempotency_key", &text)?;
        Ok(Some(Self { key: IdempotencyKey { org_id: caller.org_id, space, text }, ttl_ms }))
    }
}

/// The thing that has this name now.
pub(crate) fn find(ctx: &mut Ctx<'_>, named: Option<&NamedBy>) -> Result<Option<Uuid>, Status> {
    named.map_or(Ok(None), |named| find_key(ctx, &named.key))
}

pub(crate) fn find_key(ctx: &mut Ctx<'_>, key: &IdempotencyKey) -> Result<Option<Uuid>, Status> {
    match ctx.tx.idempotency(key)? {
        Some(record) if record.expires_at_ms > ctx.now_ms || names_living_run(ctx, &record)? => {
            Ok(Some(record.target_id))
        }
        _ => Ok(None),
    }
}

/// A run keeps its key as long as it lives: no second one may come to stand beside it.
fn names_living_run(ctx: &mut Ctx<'_>, record: &IdempotencyRecord) -> Result<bool, Status> {
    if record.key.space != IdempotencySpace::Execution {
        return Ok(false);
    }
    let execution = ctx.tx.execution(Key { org_id: record.key.org_id, id: record.target_id })?;
    Ok(execution.is_some_and(|execution| !execution.state.is_ended()))
}

/// The time of a key is over.
pub(crate) fn expired(ctx: &mut Ctx<'_>, key: IdempotencyKey) -> Result<Due, Status> {
    if let Some(record) = ctx.tx.idempotency(&key)?
        && names_living_run(ctx, &record)?
    {
        return Ok(Due::AgainAt(ctx.now_ms.saturating_add(LIVING_RUN_MS)));
    }
    ctx.tx.remove_idempotency(&key)?;
    Ok(Due::Done)
}

/// Gives a name to a thing, from whatever had it before.
pub(crate) fn store(ctx: &mut Ctx<'_>, named: &NamedBy, target_id: Uuid) -> Result<(), Status> {
    let expires_at_ms = ctx.now_ms.saturating_add(named.ttl_ms);
    ctx.tx.put_idempotency(&IdempotencyRecord { key: named.key.clone(), target_id, expires_at_ms })?;
    ctx.tx.put_deadline(&Deadline { key: DeadlineKey::Idempotency(named.key.clone()), due_ms: expires_at_ms })?;
    Ok(())
}
