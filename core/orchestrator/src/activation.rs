//! A worker's round on an execution: the poll that begins it, and the ways it ends without a submission.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::{
    event::EventBody,
    messages::{PollRequest, PollResponse, WorkflowEvent, WorkflowExecution, ext::ReleaseClaimRequest},
};
use uuid::Uuid;

use crate::{
    Answer, Status, Undelivered, border, cancel, claims,
    context::{Caller, Ctx},
    execution, history,
    polling::{self, Poll},
    queries,
    store::{Activation, Deadline, DeadlineKey, Execution, ExecutionState, Key, ReadyQueue, Work, WorkerRecord},
    workers,
};

/// PollWorkflow.
pub(crate) fn poll(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: PollRequest) -> Result<Answer, Status> {
    let poll = read_poll(ctx, caller, request)?;
    let worker = poll.note(ctx, caller)?;
    match take_for(ctx, caller, &poll, worker.as_ref())? {
        Some((response, undelivered)) => Ok(polling::hand_out(&response, undelivered)),
        None => Ok(poll.park(ctx, caller, worker.as_ref(), &PollResponse::default())),
    }
}

/// What a poll says, checked.
pub(crate) fn read_poll(ctx: &Ctx<'_>, caller: &Caller<'_>, request: PollRequest) -> Result<Poll, Status> {
    let name = border::queue(&ctx.config.limits, request.queue)?;
    let poll = Poll {
        worker: request.worker_id,
        queue: ReadyQueue { work: Work::Workflow, org_id: caller.org_id, name },
        timeout_seconds: request.timeout_seconds,
        long_poll: request.long_poll,
        continues_executions: caller.extended && request.continues_executions,
        answers_queries: caller.extended && request.answers_queries,
    };
    poll.check(ctx)?;
    Ok(poll)
}

/// Claims the next execution, if one is ready; before that, the next query if the worker answers some.
pub(crate) fn take(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    poll: &Poll,
) -> Result<Option<(PollResponse, Undelivered)>, Status> {
    let worker = poll.note(ctx, caller)?;
    take_for(ctx, caller, poll, worker.as_ref())
}

fn take_for(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    poll: &Poll,
    worker: Option<&WorkerRecord>,
) -> Result<Option<(PollResponse, Undelivered)>, Status> {
    if poll.answers_queries
        && !caller.has_given_up(ctx)
        && let Some(query) = queries::take(ctx, poll, worker)?
    {
        return Ok(Some(query));
    }
    let Some(key) = poll.take(ctx, caller, worker)? else { return Ok(None) };
    let mut execution = execution::load(ctx, key)?;
    polling::check_ready(execution.state == ExecutionState::Ready, key)?;
    let after_sequence = held_by(poll, &execution);
    let (token, lease_ms) = claim(ctx, caller, &mut execution, poll, worker)?;
    let mut response = PollResponse::default();
    if caller.extended {
        response.claim_token = token.clone();
        response.lease_ms = lease_ms;
        let page = history::page(ctx, &execution, after_sequence, 0)?;
        response.events = page.events;
        response.has_more_events = page.has_more;
        response.after_sequence = after_sequence;
    }
    // A worker that holds the beginning of the history has the input, and it may be large.
    let input = if after_sequence == 0 { input(ctx, &execution, response.events.first())? } else { Vec::new() };
    response.workflow_execution = Some(describe(ctx, &execution, input));
    ctx.tx.put_execution(&execution)?;
    Ok(Some((response, Undelivered { work: Work::Workflow, key, token })))
}

/// The last event that whoever polls has in memory, if it says that it keeps executions there.
fn held_by(poll: &Poll, execution: &Execution) -> i32 {
    match &execution.continuation {
        Some(held) if poll.continues_executions && held.worker == poll.worker => held.after_sequence,
        _ => 0,
    }
}

fn claim(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    execution: &mut Execution,
    poll: &Poll,
    worker: Option<&WorkerRecord>,
) -> Result<(String, i64), Status> {
    let claim = claims::give(ctx, caller, poll.worker.clone());
    let due_ms = claim.expires_at_ms;
    ctx.tx.put_deadline(&Deadline { key: DeadlineKey::Execution(execution.key), due_ms })?;
    let token = claim.token.clone();
    if execution.started_at_ms.is_none() {
        begin(ctx, execution, worker)?;
    }
    execution.updated_at_ms = ctx.now_ms;
    execution.oldest_claim_sequence.get_or_insert(execution.current_sequence);
    execution.worker = Some(claim.worker.clone());
    execution.last_holder = Some(claim.holder);
    let seen_sequence = execution.current_sequence;
    execution.state = ExecutionState::Running(Activation { claim, seen_sequence, submissions: 0 });
    Ok((token, due_ms - ctx.now_ms))
}

/// The first claim. A timeout that was not asked for is the one that the worker has registered for the kind.
fn begin(ctx: &mut Ctx<'_>, execution: &mut Execution, worker: Option<&WorkerRecord>) -> Result<(), Status> {
    execution.started_at_ms = Some(ctx.now_ms);
    if execution.timeout_ms.is_none()
        && let Some(timeout_ms) = workers::timeout_ms(worker, &execution.kind)
    {
        cancel::set_timeout(ctx, execution, timeout_ms)?;
    }
    Ok(())
}

fn input(ctx: &mut Ctx<'_>, execution: &Execution, first: Option<&WorkflowEvent>) -> Result<Vec<u8>, Status> {
    let started = match first {
        Some(started) => history::parse(started)?,
        None => history::read_one(ctx, execution.key, 1)?,
    };
    match started {
        EventBody::WorkflowStarted { input, .. } => Ok(input.to_bytes()),
        _ => Err(Status::internal("the first event of an execution is not WORKFLOW_STARTED")),
    }
}

fn describe(ctx: &Ctx<'_>, execution: &Execution, input: Vec<u8>) -> WorkflowExecution {
    WorkflowExecution {
        id: execution.key.id.to_string(),
        kind: execution.kind.clone(),
        org_id: execution.key.org_id.to_string(),
        input,
        queue: execution.queue.clone(),
        priority_ms: execution.priority_ms,
        created_at_ms: execution.created_at_ms,
        current_sequence: execution.current_sequence,
        workflow_version: execution.version.clone(),
        workflow_task_time_millis: ctx.now_ms,
        ..WorkflowExecution::default()
    }
}

/// The activation under this token, if it is the current one.
pub(crate) fn proven<'a>(execution: &'a mut Execution, token: &str) -> Result<&'a mut Activation, Status> {
    let id = execution.key.id;
    match &mut execution.state {
        ExecutionState::Running(activation) if claims::proves(token, &activation.claim) => Ok(activation),
        _ => Err(claims::stale("execution", id)),
    }
}

/// RenewClaim of an execution.
pub(crate) fn renew(ctx: &mut Ctx<'_>, caller: &Caller<'_>, id: Uuid, token: &str) -> Result<(), Status> {
    let mut execution = execution::load(ctx, caller.key(id))?;
    claims::prolong(ctx, &mut proven(&mut execution, token)?.claim);
    ctx.tx.put_execution(&execution)?;
    Ok(())
}

/// ReleaseClaim of an execution: it is parked, so that whatever the worker cannot do is not tried in a loop.
pub(crate) fn release(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    id: Uuid,
    token: &str,
    request: ReleaseClaimRequest,
) -> Result<(), Status> {
    let mut execution = execution::load(ctx, caller.key(id))?;
    proven(&mut execution, token)?;
    execution.parks = execution.parks.saturating_add(1);
    execution.park_reason = Some(request.reason);
    if request.retry_after_ms == 0 {
        ctx.tx.remove_deadline(&DeadlineKey::Execution(execution.key))?;
        execution::make_ready(ctx, &mut execution)?;
    } else {
        let until_ms = ctx.now_ms.saturating_add(request.retry_after_ms);
        ctx.tx.put_deadline(&Deadline { key: DeadlineKey::Execution(execution.key), due_ms: until_ms })?;
        execution.state = ExecutionState::Parked { until_ms };
        execution.updated_at_ms = ctx.now_ms;
    }
    ctx.tx.put_execution(&execution)?;
    Ok(())
}

/// The answer with this claim did not arrive.
pub(crate) fn undelivered(ctx: &mut Ctx<'_>, key: Key, token: &str) -> Result<(), Status> {
    let Some(mut execution) = ctx.tx.execution(key)? else { return Ok(()) };
    if proven(&mut execution, token).is_ok() {
        ctx.tx.remove_deadline(&DeadlineKey::Execution(key))?;
        execution::make_ready(ctx, &mut execution)?;
        ctx.tx.put_execution(&execution)?;
    }
    Ok(())
}
