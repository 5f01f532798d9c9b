use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
};

use flovyn_protocol::{
    Payload,
    messages::{SubmitTaskRequest, SubmitTaskResponse},
};
use uuid::Uuid;

use super::make_ready;
use crate::{
    Answer, Status, border,
    context::{Caller, Ctx, reply},
    idempotency::{self, NamedBy},
    store::{Deadline, DeadlineKey, IdempotencySpace, Key, PayloadSlot, RetryPolicy, TaskRecord, TaskState},
};

/// A task as it is asked for.
pub(crate) struct NewTask {
    pub(crate) key: Key,
    pub(crate) kind: String,
    pub(crate) input: Payload,
    pub(crate) queue: String,
    pub(crate) execution_id: Option<Uuid>,
    pub(crate) priority_ms: i64,
    pub(crate) max_retries: i32,
    pub(crate) retry_policy: Option<RetryPolicy>,
    pub(crate) timeout_ms: Option<i64>,
    pub(crate) start_to_close_timeout_ms: Option<i64>,
    pub(crate) heartbeat_timeout_ms: Option<i64>,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// Makes a task and puts it into its queue.
pub(crate) fn create(ctx: &mut Ctx<'_>, new: NewTask) -> Result<(), Status> {
    let mut task = TaskRecord {
        key: new.key,
        kind: new.kind,
        queue: new.queue,
        execution_id: new.execution_id,
        state: TaskState::Ready,
        priority_ms: new.priority_ms,
        created_at_ms: ctx.now_ms,
        updated_at_ms: ctx.now_ms,
        execution_count: 0,
        max_retries: new.max_retries,
        retry_policy: new.retry_policy,
        timeout_ms: new.timeout_ms,
        start_to_close_timeout_ms: new.start_to_close_timeout_ms,
        heartbeat_timeout_ms: new.heartbeat_timeout_ms,
        heartbeat_at_ms: None,
        error: None,
        stack_trace: None,
        metadata: new.metadata,
        progress: None,
        logs: 0,
        last_attempt: None,
        state_keys: 0,
        state_bytes: 0,
    };
    ctx.tx.put_payload(task.key, PayloadSlot::TaskInput, &new.input)?;
    if let Some(timeout_ms) = task.timeout_ms {
        let due_ms = ctx.now_ms.saturating_add(timeout_ms);
        ctx.tx.put_deadline(&Deadline { key: DeadlineKey::TaskTimeout(task.key), due_ms })?;
    }
    make_ready(ctx, &mut task)?;
    ctx.tx.put_task(&task)?;
    Ok(())
}

/// SubmitTask: a task that belongs to no execution.
pub(crate) fn submit(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: SubmitTaskRequest) -> Result<Answer, Status> {
    let limits = &ctx.config.limits;
    border::name(limits, "kind", &request.kind)?;
    border::metadata(limits, &request.metadata)?;
    border::not_offered(
        "workflow_execution_id",
        &request.workflow_execution_id,
        "a workflow schedules its tasks by the command SCHEDULE_TASK",
    )?;
    let input = border::payload(limits, "input", &request.input)?;
    let queue = border::queue(limits, request.queue)?;
    let timeout_ms = border::not_negative("timeout_ms", request.timeout_ms)?;
    border::not_negative("max_retries", request.max_retries.into())?;
    let named = NamedBy::new(
        ctx,
        caller,
        IdempotencySpace::Task,
        request.idempotency_key,
        request.idempotency_key_ttl_seconds,
    )?;
    if let Some(id) = existing(ctx, caller, named.as_ref())? {
        return Ok(respond(id, named.is_some(), false));
    }
    let key = caller.key(ctx.new_id());
    // The contract's numbers cannot be absent, so 0 is what a client sends that does not care.
    let max_retries = if request.max_retries == 0 { ctx.config.tasks.max_retries } else { request.max_retries };
    create(
        ctx,
        NewTask {
            key,
            kind: request.kind,
            input,
            queue,
            execution_id: None,
            priority_ms: 0,
            max_retries,
            retry_policy: None,
            timeout_ms: (timeout_ms > 0).then_some(timeout_ms),
            start_to_close_timeout_ms: None,
            heartbeat_timeout_ms: None,
            metadata: request.metadata,
        },
    )?;
    if let Some(named) = &named {
        idempotency::store(ctx, named, key.id)?;
    }
    Ok(respond(key.id, named.is_some(), named.is_some()))
}

/// The task that already has this name, unless it ended without success.
fn existing(ctx: &mut Ctx<'_>, caller: &Caller<'_>, named: Option<&NamedBy>) -> Result<Option<Uuid>, Status> {
    let Some(id) = idempotency::find(ctx, named)? else { return Ok(None) };
    let task = ctx.tx.task(caller.key(id))?;
    Ok(task.filter(|task| !matches!(task.state, TaskState::Failed | TaskState::Cancelled)).map(|task| task.key.id))
}

fn respond(id: Uuid, used: bool, new: bool) -> Answer {
    reply(&SubmitTaskResponse {
        task_execution_id: id.to_string(),
        idempotency_key_used: used,
        idempotency_key_new: new,
    })
}
