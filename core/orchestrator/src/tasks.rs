//! Tasks: making them, giving them out, and what comes of them. The life as a table is at [`TaskState`].

mod attempt;
mod cancel;
mod create;
mod heartbeat;
mod outcome;
mod past_attempts;
mod reports;
mod retry;
mod state;

use alloc::string::ToString;

use flovyn_protocol::messages::{PollTaskRequest, PollTaskResponse, TaskExecutionInfo};
use uuid::Uuid;

use crate::{
    Answer, Status, Undelivered, border, claims,
    context::{Caller, Ctx, not_found},
    polling::{self, Poll},
    store::{
        Claim, Deadline, DeadlineKey, Key, KindSet, PayloadSlot, ReadyEntry, ReadyQueue, TaskRecord, TaskState,
        WaitKey, Wake, Work, WorkerRecord,
    },
    streams,
};

pub(crate) use self::{
    attempt::due,
    cancel::{cancel, cancel_own, end_all_with_execution, end_with_execution},
    create::{NewTask, create, submit},
    heartbeat::heartbeat,
    outcome::{complete, fail, timed_out},
    reports::{attempt_of, log, progress},
    retry::read_policy,
    state::{
        clear as clear_state, clear_all as clear_all_state, get as get_state, keys as state_keys, set as set_state,
    },
};

fn load(ctx: &mut Ctx<'_>, caller: &Caller<'_>, id: &str) -> Result<TaskRecord, Status> {
    let id = border::id("task_execution_id", id)?;
    ctx.tx.task(caller.key(id))?.ok_or_else(|| not_found("task execution", id))
}

/// Puts a task into its queue.
pub(crate) fn make_ready(ctx: &mut Ctx<'_>, task: &mut TaskRecord) -> Result<(), Status> {
    task.state = TaskState::Ready;
    task.updated_at_ms = ctx.now_ms;
    let queue = ReadyQueue { work: Work::Task, org_id: task.key.org_id, name: task.queue.clone() };
    ctx.tx.wake(Wake { key: WaitKey::queue(&queue), first: None, kinds: KindSet::of(&task.kind) });
    ctx.tx.put_ready(&ReadyEntry {
        queue,
        id: task.key.id,
        kind: task.kind.clone(),
        rank_ms: task.created_at_ms.saturating_sub(task.priority_ms),
        worker: None,
        ready_at_ms: ctx.now_ms,
    })?;
    Ok(())
}

/// PollTask.
pub(crate) fn poll(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: PollTaskRequest) -> Result<Answer, Status> {
    let poll = read_poll(ctx, caller, request)?;
    let worker = poll.note(ctx, caller)?;
    match take(ctx, caller, &poll, worker.as_ref())? {
        Some((response, undelivered)) => Ok(polling::hand_out(&response, undelivered)),
        None => Ok(poll.park(ctx, caller, worker.as_ref(), &PollTaskResponse::default())),
    }
}

/// What a poll says, checked.
fn read_poll(ctx: &Ctx<'_>, caller: &Caller<'_>, request: PollTaskRequest) -> Result<Poll, Status> {
    let name = border::queue(&ctx.config.limits, request.queue)?;
    let poll = Poll {
        worker: request.worker_id,
        queue: ReadyQueue { work: Work::Task, org_id: caller.org_id, name },
        timeout_seconds: request.timeout_seconds,
        long_poll: request.long_poll,
        continues_executions: false,
        answers_queries: false,
    };
    poll.check(ctx)?;
    Ok(poll)
}

/// Claims the next task, if one is ready.
fn take(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    poll: &Poll,
    worker: Option<&WorkerRecord>,
) -> Result<Option<(PollTaskResponse, Undelivered)>, Status> {
    let Some(key) = poll.take(ctx, caller, worker)? else { return Ok(None) };
    let mut task = ctx.tx.task(key)?.ok_or_else(|| not_found("task execution", key.id))?;
    polling::check_ready(task.state == TaskState::Ready, key)?;
    let claim = claims::give(ctx, caller, poll.worker.clone());
    let token = claim.token.clone();
    let response = deliver(ctx, caller, &mut task, claim)?;
    Ok(Some((response, Undelivered { work: Work::Task, key, token })))
}

fn deliver(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    task: &mut TaskRecord,
    claim: Claim,
) -> Result<PollTaskResponse, Status> {
    task.execution_count = task.execution_count.saturating_add(1);
    task.heartbeat_at_ms = None;
    let due_ms = attempt::first_due_ms(task, &claim);
    ctx.tx.put_deadline(&Deadline { key: DeadlineKey::Task(task.key), due_ms })?;
    let mut response = PollTaskResponse { task: Some(describe(ctx, task)?), ..PollTaskResponse::default() };
    if caller.extended {
        response.claim_token = claim.token.clone();
        response.lease_ms = claim.expires_at_ms - ctx.now_ms;
        extend(ctx, task, response.task.as_mut())?;
    }
    task.state = TaskState::Running(claim);
    task.updated_at_ms = ctx.now_ms;
    ctx.tx.put_task(task)?;
    streams::task_changed(ctx, task)?;
    Ok(response)
}

fn describe(ctx: &mut Ctx<'_>, task: &TaskRecord) -> Result<TaskExecutionInfo, Status> {
    let input = ctx.tx.payload(task.key, PayloadSlot::TaskInput)?.unwrap_or_default();
    Ok(TaskExecutionInfo {
        task_execution_id: task.key.id.to_string(),
        kind: task.kind.clone(),
        input: input.to_bytes(),
        workflow_execution_id: task.execution_id.map(|id| id.to_string()).unwrap_or_default(),
        execution_count: task.execution_count,
        queue: task.queue.clone(),
        ..TaskExecutionInfo::default()
    })
}

/// What only our clients are told.
fn extend(ctx: &mut Ctx<'_>, task: &TaskRecord, info: Option<&mut TaskExecutionInfo>) -> Result<(), Status> {
    let Some(info) = info else { return Ok(()) };
    info.start_to_close_timeout_ms = task.start_to_close_timeout_ms.unwrap_or_default();
    info.heartbeat_timeout_ms = task.heartbeat_timeout_ms.unwrap_or_default();
    if task.execution_count > 1 {
        let details = ctx.tx.payload(task.key, PayloadSlot::HeartbeatDetails)?;
        info.heartbeat_details = details.map(|details| details.to_bytes()).unwrap_or_default();
    }
    Ok(())
}

/// The claim under this token, if it is the current one.
fn proven<'a>(task: &'a mut TaskRecord, token: &str) -> Result<&'a mut Claim, Status> {
    let id = task.key.id;
    match &mut task.state {
        TaskState::Running(claim) if claims::proves(token, claim) => Ok(claim),
        _ => Err(claims::stale("task", id)),
    }
}

/// RenewClaim of a task.
pub(crate) fn renew(ctx: &mut Ctx<'_>, caller: &Caller<'_>, id: Uuid, token: &str) -> Result<(), Status> {
    let mut task = ctx.tx.task(caller.key(id))?.ok_or_else(|| not_found("task execution", id))?;
    claims::prolong(ctx, proven(&mut task, token)?);
    ctx.tx.put_task(&task)?;
    Ok(())
}

/// ReleaseClaim of a task: the attempt was not made, or was broken off, and does not count.
pub(crate) fn release(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    id: Uuid,
    token: &str,
    retry_after_ms: i64,
) -> Result<(), Status> {
    let mut task = ctx.tx.task(caller.key(id))?.ok_or_else(|| not_found("task execution", id))?;
    proven(&mut task, token)?;
    task.execution_count -= 1;
    outcome::back_off(ctx, &mut task, retry_after_ms)?;
    ctx.tx.put_task(&task)?;
    Ok(())
}

/// The answer with this claim did not arrive, so it was no delivery.
pub(crate) fn undelivered(ctx: &mut Ctx<'_>, key: Key, token: &str) -> Result<(), Status> {
    let Some(mut task) = ctx.tx.task(key)? else { return Ok(()) };
    if proven(&mut task, token).is_ok() {
        ctx.tx.remove_deadline(&DeadlineKey::Task(key))?;
        task.execution_count -= 1;
        make_ready(ctx, &mut task)?;
        ctx.tx.put_task(&task)?;
    }
    Ok(())
}
