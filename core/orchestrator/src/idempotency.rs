//! Names that clients give to things, so that asking twice makes them once.

use alloc::string::String;

use uuid::Uuid;

use crate::{
    Status, border,
    context::{Caller, Ctx},
    store::{Deadline, DeadlineKey, IdempotencyKey, IdempotencyRecord, IdempotencySpace},
};

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
    let record = ctx.tx.idempotency(key)?;
    Ok(record.filter(|record| record.expires_at_ms > ctx.now_ms).map(|record| record.target_id))
}

/// Gives a name to a thing, from whatever had it before.
pub(crate) fn store(ctx: &mut Ctx<'_>, named: &NamedBy, target_id: Uuid) -> Result<(), Status> {
    let expires_at_ms = ctx.now_ms.saturating_add(named.ttl_ms);
    ctx.tx.put_idempotency(&IdempotencyRecord { key: named.key.clone(), target_id, expires_at_ms })?;
    ctx.tx.put_deadline(&Deadline { key: DeadlineKey::Idempotency(named.key.clone()), due_ms: expires_at_ms })?;
    Ok(())
}
