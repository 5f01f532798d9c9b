use alloc::{
    format,
    string::{String, ToString},
};

use flovyn_protocol::{
    event::EventBody,
    messages::{
        CompleteTaskRequest, CompleteTaskResponse, FailTaskRequest, FailTaskResponse, PollTaskRequest, PollTaskResponse,
    },
};
use prost::Message as _;

use super::{load, make_ready, past_attempts, proven, read_poll, retry, take};
use crate::{
    Answer, Status, Undelivered, border, claims,
    context::{Caller, Ctx},
    execution,
    polling::Poll,
    store::{AttemptEnd, ClaimHolder, Deadline, DeadlineKey, Key, PayloadSlot, TaskRecord, TaskState, Work},
    streams,
};

/// CompleteTask, and the next task if the worker asks for one.
pub(crate) fn complete(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    mut request: CompleteTaskRequest,
) -> Result<Answer, Status> {
    let poll = next_poll(ctx, caller, request.poll.take())?;
    apply_result(ctx, caller, &request)?;
    let (next, undelivered) = next(ctx, caller, poll)?;
    Ok(Answer::Reply { body: CompleteTaskResponse { next }.encode_to_vec(), undelivered })
}

/// FailTask, and the next task if the worker asks for one.
pub(crate) fn fail(ctx: &mut Ctx<'_>, caller: &Caller<'_>, mut request: FailTaskRequest) -> Result<Answer, Status> {
    let poll = next_poll(ctx, caller, request.poll.take())?;
    apply_failure(ctx, caller, request)?;
    let (next, undelivered) = next(ctx, caller, poll)?;
    Ok(Answer::Reply { body: FailTaskResponse { next }.encode_to_vec(), undelivered })
}

/// The poll that comes with an outcome. It is read before anything is done, so that a wrong one undoes nothing.
fn next_poll(ctx: &Ctx<'_>, caller: &Caller<'_>, poll: Option<PollTaskRequest>) -> Result<Option<Poll>, Status> {
    poll.filter(|_| caller.extended).map(|poll| read_poll(ctx, caller, poll)).transpose()
}

/// What is ready at once; nobody waits for it.
fn next(ctx: &mut Ctx<'_>, caller: &Caller<'_>, poll: Option<Poll>) -> Result<Next, Status> {
    let Some(poll) = poll else { return Ok((None, None)) };
    let worker = poll.note(ctx, caller)?;
    Ok(take(ctx, caller, &poll, worker.as_ref())?.unzip())
}

type Next = (Option<PollTaskResponse>, Option<Undelivered>);

/// The first result counts; a later one is answered OK and changes nothing. Without a token it counts whoever holds
/// the claim now: the work is done.
fn apply_result(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: &CompleteTaskRequest) -> Result<(), Status> {
    let output = border::payload(&ctx.config.limits, "output", &request.output)?;
    let mut task = load(ctx, caller, &request.task_execution_id)?;
    if task.state.is_ended() {
        return Ok(());
    }
    if let Some(token) = caller.claim {
        proven(&mut task, token)?;
    }
    end(ctx, &mut task, TaskState::Completed)?;
    let body = EventBody::TaskCompleted {
        task_execution_id: task.key.id.to_string(),
        kind: task.kind.clone(),
        output: output.clone(),
    };
    if !land(ctx, &task, &body)? {
        ctx.tx.put_payload(task.key, PayloadSlot::TaskOutput, &output)?;
    }
    Ok(())
}

/// The attempt of the caller has failed.
fn apply_failure(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: FailTaskRequest) -> Result<(), Status> {
    border::long_text(&ctx.config.limits, "error", &request.error)?;
    let reported = if caller.extended { Reported::read(ctx, &request)? } else { Reported::default() };
    let mut task = load(ctx, caller, &request.task_execution_id)?;
    if task.state.is_ended() || !is_attempt_of_caller(caller, &mut task)? {
        return Ok(());
    }
    let Reported { fatal, error_type, stack_trace, next_retry_delay_ms } = reported;
    let fatal = fatal || error_type.as_ref().is_some_and(|error_type| retry::is_fatal(&task, error_type));
    let failure = Failure { error: request.error, error_type, stack_trace };
    if fatal {
        return fail_for_good(ctx, &mut task, failure, false);
    }
    attempt_failed(ctx, &mut task, failure, next_retry_delay_ms)
}

/// What went wrong with an attempt, or with the task as a whole.
pub(super) struct Failure {
    error: String,
    error_type: Option<String>,
    stack_trace: Option<String>,
}

impl Failure {
    /// One that no worker has reported.
    pub(super) fn new(error: String) -> Self {
        Self { error, error_type: None, stack_trace: None }
    }
}

/// What only our clients say of a failure.
#[derive(Default)]
struct Reported {
    fatal: bool,
    error_type: Option<String>,
    stack_trace: Option<String>,
    next_retry_delay_ms: Option<i64>,
}

impl Reported {
    fn read(ctx: &Ctx<'_>, request: &FailTaskRequest) -> Result<Self, Status> {
        border::long_text(&ctx.config.limits, "stack_trace", &request.stack_trace)?;
        border::at_most("error_type", request.error_type.len(), ctx.config.limits.name_bytes_max)?;
        let delay_ms = request.next_retry_delay_ms;
        Ok(Self {
            fatal: request.retryable == Some(false),
            error_type: Some(request.error_type.clone()).filter(|error_type| !error_type.is_empty()),
            stack_trace: Some(request.stack_trace.clone()).filter(|stack| !stack.is_empty()),
            next_retry_delay_ms: delay_ms.map(|ms| border::not_negative("next_retry_delay_ms", ms)).transpose()?,
        })
    }
}

/// Another attempt if there may be one, else the end.
pub(super) fn attempt_failed(
    ctx: &mut Ctx<'_>,
    task: &mut TaskRecord,
    failure: Failure,
    next_retry_delay_ms: Option<i64>,
) -> Result<(), Status> {
    if task.execution_count > task.max_retries {
        return fail_for_good(ctx, task, failure, true);
    }
    let end = AttemptEnd::Failed(past_attempts::kept(ctx, &failure.error));
    past_attempts::ended(ctx, task, end)?;
    task.error = Some(failure.error);
    task.stack_trace = failure.stack_trace;
    let delay_ms = match next_retry_delay_ms {
        Some(delay_ms) => delay_ms,
        None => retry::delay_ms(ctx, task),
    };
    back_off(ctx, task, delay_ms)?;
    ctx.tx.put_task(task)?;
    streams::task_changed(ctx, task)
}

/// Whether the attempt that failed is the current one. Without a token one can only tell that no plain client is at
/// it: then the attempt ended long ago, and another one follows or is under way.
fn is_attempt_of_caller(caller: &Caller<'_>, task: &mut TaskRecord) -> Result<bool, Status> {
    match (caller.claim, &task.state) {
        (Some(token), _) => proven(task, token).map(|_| true),
        (None, TaskState::Running(claim)) if claim.holder == ClaimHolder::Plain => Ok(true),
        (None, TaskState::Running(_)) if caller.extended => Err(claims::missing()),
        (None, _) => Ok(false),
    }
}

/// Waits before the next attempt.
pub(super) fn back_off(ctx: &mut Ctx<'_>, task: &mut TaskRecord, delay_ms: i64) -> Result<(), Status> {
    if delay_ms == 0 {
        ctx.tx.remove_deadline(&DeadlineKey::Task(task.key))?;
        return make_ready(ctx, task);
    }
    let until_ms = ctx.now_ms.saturating_add(delay_ms);
    ctx.tx.put_deadline(&Deadline { key: DeadlineKey::Task(task.key), due_ms: until_ms })?;
    task.state = TaskState::BackingOff { until_ms };
    task.updated_at_ms = ctx.now_ms;
    Ok(())
}

/// The whole life of a task is over.
pub(crate) fn timed_out(ctx: &mut Ctx<'_>, key: Key) -> Result<(), Status> {
    let Some(mut task) = ctx.tx.task(key)? else { return Ok(()) };
    if task.state.is_ended() {
        return Ok(());
    }
    let error = format!("timed out: not done within {} ms of its creation", task.timeout_ms.unwrap_or_default());
    fail_for_good(ctx, &mut task, Failure::new(error), true)
}

fn fail_for_good(ctx: &mut Ctx<'_>, task: &mut TaskRecord, failure: Failure, retryable: bool) -> Result<(), Status> {
    let Failure { error, error_type, stack_trace } = failure;
    task.error = Some(error.clone());
    task.stack_trace.clone_from(&stack_trace);
    end(ctx, task, TaskState::Failed)?;
    let body = EventBody::TaskFailed {
        task_execution_id: task.key.id.to_string(),
        kind: task.kind.clone(),
        error,
        error_type,
        stack_trace,
        retryable,
    };
    land(ctx, task, &body)?;
    Ok(())
}

pub(super) fn end(ctx: &mut Ctx<'_>, task: &mut TaskRecord, state: TaskState) -> Result<(), Status> {
    if task.state == TaskState::Ready {
        ctx.tx.remove_ready(Work::Task, task.key)?;
    }
    let error = past_attempts::kept(ctx, task.error.as_deref().unwrap_or_default());
    let attempt_end = match state {
        TaskState::Completed => AttemptEnd::Completed,
        TaskState::Cancelled => AttemptEnd::Cancelled(error),
        _ => AttemptEnd::Failed(error),
    };
    past_attempts::ended(ctx, task, attempt_end)?;
    task.state = state;
    task.updated_at_ms = ctx.now_ms;
    ctx.tx.remove_deadline(&DeadlineKey::Task(task.key))?;
    if task.timeout_ms.is_some() {
        ctx.tx.remove_deadline(&DeadlineKey::TaskTimeout(task.key))?;
    }
    ctx.tx.put_task(task)?;
    streams::task_changed(ctx, task)
}

/// Tells the execution, if there is one that still listens.
fn land(ctx: &mut Ctx<'_>, task: &TaskRecord, body: &EventBody) -> Result<bool, Status> {
    match task.execution_id {
        Some(id) => execution::land_on(ctx, Key { org_id: task.key.org_id, id }, body),
        None => Ok(false),
    }
}
