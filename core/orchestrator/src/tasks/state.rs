//! What a task keeps for itself: by key, from one attempt to the next.

use alloc::format;

use flovyn_protocol::messages::{
    ClearAllStateRequest, ClearStateRequest, GetStateKeysRequest, GetStateKeysResponse, GetStateRequest,
    GetStateResponse, SetStateRequest,
};

use super::{attempt_of, load, proven};
use crate::{
    Answer, Status, border,
    context::{Caller, Ctx, reply, reply_empty},
    store::TaskRecord,
};

/// GetState.
pub(crate) fn get(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: GetStateRequest) -> Result<Answer, Status> {
    let task = readable(ctx, caller, &request.task_execution_id)?;
    let value = ctx.tx.task_state_value(task.key, &request.key)?;
    let found = value.is_some();
    Ok(reply(&GetStateResponse { value: value.map(|value| value.to_bytes()).unwrap_or_default(), found }))
}

/// GetStateKeys.
pub(crate) fn keys(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: GetStateKeysRequest) -> Result<Answer, Status> {
    let task = readable(ctx, caller, &request.task_execution_id)?;
    Ok(reply(&GetStateKeysResponse { keys: ctx.tx.task_state_keys(task.key)? }))
}

/// SetState.
pub(crate) fn set(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: SetStateRequest) -> Result<Answer, Status> {
    let limits = &ctx.config.limits;
    border::name(limits, "key", &request.key)?;
    let value = border::payload(limits, "value", &request.value)?;
    let Some(mut task) = attempt_of(ctx, caller, &request.task_execution_id)? else { return Ok(reply_empty()) };
    let before = ctx.tx.task_state_value(task.key, &request.key)?;
    let size = |bytes: usize| (request.key.len() + bytes) as u64;
    task.state_bytes -= before.as_ref().map_or(0, |before| size(before.as_json().len())).min(task.state_bytes);
    task.state_bytes += size(value.as_json().len());
    task.state_keys += u32::from(before.is_none());
    if task.state_bytes > limits.task_state_bytes_max as u64 || task.state_keys as usize > limits.task_state_keys_max {
        return Err(Status::resource_exhausted(format!(
            "the state of a task can hold {} keys and {} bytes, it would hold {} keys and {} bytes: keep large data \
             elsewhere",
            limits.task_state_keys_max, limits.task_state_bytes_max, task.state_keys, task.state_bytes
        )));
    }
    ctx.tx.put_task_state(task.key, &request.key, &value)?;
    ctx.tx.put_task(&task)?;
    Ok(reply_empty())
}

/// ClearState.
pub(crate) fn clear(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: ClearStateRequest) -> Result<Answer, Status> {
    let Some(mut task) = attempt_of(ctx, caller, &request.task_execution_id)? else { return Ok(reply_empty()) };
    remove(ctx, &mut task, &request.key)?;
    ctx.tx.put_task(&task)?;
    Ok(reply_empty())
}

/// ClearAllState.
pub(crate) fn clear_all(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    request: ClearAllStateRequest,
) -> Result<Answer, Status> {
    let Some(mut task) = attempt_of(ctx, caller, &request.task_execution_id)? else { return Ok(reply_empty()) };
    for key in ctx.tx.task_state_keys(task.key)? {
        remove(ctx, &mut task, &key)?;
    }
    ctx.tx.put_task(&task)?;
    Ok(reply_empty())
}

fn remove(ctx: &mut Ctx<'_>, task: &mut TaskRecord, key: &str) -> Result<(), Status> {
    let Some(value) = ctx.tx.task_state_value(task.key, key)? else { return Ok(()) };
    let bytes = (key.len() + value.as_json().len()) as u64;
    task.state_bytes -= bytes.min(task.state_bytes);
    task.state_keys -= 1.min(task.state_keys);
    ctx.tx.remove_task_state(task.key, key)?;
    Ok(())
}

/// Reading changes nothing, so it takes no claim; but a claim that is given must be the current one.
fn readable(ctx: &mut Ctx<'_>, caller: &Caller<'_>, id: &str) -> Result<TaskRecord, Status> {
    let mut task = load(ctx, caller, id)?;
    if let Some(token) = caller.claim {
        proven(&mut task, token)?;
    }
    Ok(task)
}
