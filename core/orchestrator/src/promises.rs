//! Promises: made by an execution, settled once by whoever comes first.

use alloc::string::{String, ToString};

use flovyn_protocol::{
    Payload,
    event::EventBody,
    messages::{RejectPromiseRequest, ResolvePromiseRequest},
};
use uuid::Uuid;

use crate::{
    Answer, Status, border,
    context::{Caller, Ctx, not_found, reply_empty},
    execution, history,
    idempotency::{self, NamedBy},
    store::{Deadline, DeadlineKey, Execution, IdempotencyKey, IdempotencySpace, Key, PromiseRecord, PromiseState},
};

/// CREATE_PROMISE: always a new promise, whatever its name.
pub(crate) fn create(
    ctx: &mut Ctx<'_>,
    execution: &mut Execution,
    name: String,
    timeout_ms: Option<i64>,
    named: Option<NamedBy>,
) -> Result<(), Status> {
    let key = Key { org_id: execution.key.org_id, id: ctx.new_id() };
    if let Some(named) = &named {
        check_name_is_free(ctx, named)?;
        idempotency::store(ctx, named, key.id)?;
    }
    let created = EventBody::PromiseCreated {
        promise_id: key.id.to_string(),
        name: name.clone(),
        timeout_ms,
        idempotency_key: named.map(|named| named.key.text),
    };
    history::append(ctx, execution, &created)?;
    if let Some(timeout_ms) = timeout_ms {
        let due_ms = ctx.now_ms.saturating_add(timeout_ms);
        ctx.tx.put_deadline(&Deadline { key: deadline(execution.key, key.id), due_ms })?;
    }
    ctx.tx.put_promise(&PromiseRecord {
        key,
        execution_id: execution.key.id,
        name,
        sequence: execution.current_sequence,
        state: PromiseState::Pending,
    })?;
    Ok(())
}

/// Two pending promises under one idempotency key: one of them could never be settled by it.
fn check_name_is_free(ctx: &mut Ctx<'_>, named: &NamedBy) -> Result<(), Status> {
    let Some(id) = idempotency::find_key(ctx, &named.key)? else { return Ok(()) };
    match ctx.tx.promise(Key { org_id: named.key.org_id, id })? {
        Some(promise) if promise.state == PromiseState::Pending => Err(Status::invalid_argument(alloc::format!(
            "idempotency_key: expected one of no pending promise, got {:?} of promise {id}",
            named.key.text
        ))),
        _ => Ok(()),
    }
}

fn deadline(execution: Key, promise_id: Uuid) -> DeadlineKey {
    DeadlineKey::Promise { execution, promise_id }
}

/// ResolvePromise.
pub(crate) fn resolve(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    request: ResolvePromiseRequest,
) -> Result<Answer, Status> {
    let value = border::payload(&ctx.config.limits, "value", &request.value)?;
    let promise = find(ctx, caller, &request.promise_id)?;
    settle(ctx, promise, Outcome::Resolved(value))?;
    Ok(reply_empty())
}

/// RejectPromise.
pub(crate) fn reject(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: RejectPromiseRequest) -> Result<Answer, Status> {
    border::long_text(&ctx.config.limits, "error", &request.error)?;
    let promise = find(ctx, caller, &request.promise_id)?;
    settle(ctx, promise, Outcome::Rejected(request.error))?;
    Ok(reply_empty())
}

/// The timeout of a promise has come.
pub(crate) fn timed_out(ctx: &mut Ctx<'_>, key: Key) -> Result<(), Status> {
    match ctx.tx.promise(key)? {
        Some(promise) => settle(ctx, promise, Outcome::TimedOut),
        None => Ok(()),
    }
}

/// RESOLVE_PROMISE, of a promise of this execution (by name or id) or of another one. The latter is given back: another
/// execution is not touched while this one is being changed.
pub(crate) fn resolve_by_command(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    execution: &mut Execution,
    text: &str,
    value: Payload,
) -> Result<Option<Foreign>, Status> {
    let promise = match ctx.tx.promise_by_name(execution.key, text)? {
        Some(own) => own,
        None => find(ctx, caller, text)?,
    };
    if promise.execution_id != execution.key.id {
        return Ok(Some(Foreign { promise: promise.key, value }));
    }
    if let Some(event) = mark(ctx, promise, Outcome::Resolved(value))? {
        execution::land(ctx, execution, &event)?;
    }
    Ok(None)
}

/// A promise of another execution, and what it is resolved with.
pub(crate) struct Foreign {
    promise: Key,
    value: Payload,
}

impl Foreign {
    /// Resolves it. `by` is stored before and read again: if the other execution has no room for the event it ends, and
    /// `by` may be its parent.
    pub(crate) fn resolve(self, ctx: &mut Ctx<'_>, by: &mut Execution) -> Result<(), Status> {
        let Some(promise) = ctx.tx.promise(self.promise)? else { return Ok(()) };
        ctx.tx.put_execution(by)?;
        settle(ctx, promise, Outcome::Resolved(self.value))?;
        *by = execution::load(ctx, by.key)?;
        Ok(())
    }
}

/// The promise with this id, with this name as `<execution>:<name>`, or with this idempotency key.
fn find(ctx: &mut Ctx<'_>, caller: &Caller<'_>, text: &str) -> Result<PromiseRecord, Status> {
    if text.is_empty() {
        return Err(Status::invalid_argument(
            "promise_id: expected a UUID, <execution>:<name> or an idempotency key, got nothing",
        ));
    }
    let by_id = match Uuid::try_parse(text) {
        Ok(id) => ctx.tx.promise(caller.key(id))?,
        Err(_) => by_name(ctx, caller, text)?,
    };
    match by_id {
        Some(promise) => Ok(promise),
        None => by_key(ctx, caller, text)?.ok_or_else(|| not_found("promise", shortened(text))),
    }
}

fn by_name(ctx: &mut Ctx<'_>, caller: &Caller<'_>, text: &str) -> Result<Option<PromiseRecord>, Status> {
    let Some((execution, name)) = text.split_once(':') else { return Ok(None) };
    match Uuid::try_parse(execution) {
        Ok(id) => Ok(ctx.tx.promise_by_name(caller.key(id), name)?),
        Err(_) => Ok(None),
    }
}

fn by_key(ctx: &mut Ctx<'_>, caller: &Caller<'_>, text: &str) -> Result<Option<PromiseRecord>, Status> {
    let key = IdempotencyKey { org_id: caller.org_id, space: IdempotencySpace::Promise, text: text.into() };
    match idempotency::find_key(ctx, &key)? {
        Some(id) => Ok(ctx.tx.promise(caller.key(id))?),
        None => Ok(None),
    }
}

fn shortened(text: &str) -> String {
    alloc::format!("{:?}", text.chars().take(100).collect::<String>())
}

enum Outcome {
    Resolved(Payload),
    Rejected(String),
    TimedOut,
}

/// The first outcome wins; any later one changes nothing.
fn settle(ctx: &mut Ctx<'_>, promise: PromiseRecord, outcome: Outcome) -> Result<(), Status> {
    let execution = Key { org_id: promise.key.org_id, id: promise.execution_id };
    if let Some(event) = mark(ctx, promise, outcome)? {
        execution::land_on(ctx, execution, &event)?;
    }
    Ok(())
}

/// Notes the outcome and gives the event that tells it; `None` if there was one already.
fn mark(ctx: &mut Ctx<'_>, mut promise: PromiseRecord, outcome: Outcome) -> Result<Option<EventBody>, Status> {
    if promise.state != PromiseState::Pending {
        return Ok(None);
    }
    let promise_id = promise.key.id.to_string();
    let name = promise.name.clone();
    let (state, event) = match outcome {
        Outcome::Resolved(value) => (PromiseState::Resolved, EventBody::PromiseResolved { promise_id, name, value }),
        Outcome::Rejected(error) => (PromiseState::Rejected, EventBody::PromiseRejected { promise_id, name, error }),
        Outcome::TimedOut => (PromiseState::TimedOut, EventBody::PromiseTimeout { promise_id, name }),
    };
    promise.state = state;
    ctx.tx.put_promise(&promise)?;
    let execution = Key { org_id: promise.key.org_id, id: promise.execution_id };
    ctx.tx.remove_deadline(&deadline(execution, promise.key.id))?;
    Ok(Some(event))
}
