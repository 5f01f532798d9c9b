//! SubmitWorkflowCommands.
//!
//! The wake-up rule: when an activation ends in suspension, the execution is ready again at once if anything came
//! from outside after what the worker had seen. That is [`Execution::landed_sequence`] against
//! [`Activation::seen_sequence`](crate::Activation::seen_sequence), both in one record, so no wake-up is lost; that
//! the worker may have fetched the event meanwhile makes it a spurious one, which is harmless.

mod apply;
mod commands;

use alloc::{format, vec::Vec};

use flovyn_protocol::messages::{SubmitWorkflowCommandsRequest, SubmitWorkflowCommandsResponse};
use prost::Message as _;

use self::{
    apply::{Authority, Effect, apply},
    commands::{Ending, Submission},
};
use crate::{
    Answer, Status, activation, border, cancel, claims,
    context::{Caller, Ctx, reply, reply_empty},
    execution, history,
    polling::Poll,
    store::{Activation, ClaimHolder, Continuation, DeadlineKey, Execution, ExecutionState},
};

/// The most that an event adds to what its command carries: ids, field names, tags.
const EVENT_OVERHEAD_BYTES: usize = 384;

pub(crate) fn submit(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    mut request: SubmitWorkflowCommandsRequest,
) -> Result<Answer, Status> {
    let poll = request.poll.take().filter(|_| caller.extended);
    let poll = poll.map(|poll| activation::read_poll(ctx, caller, poll)).transpose()?;
    let key = caller.key(border::id("workflow_execution_id", &request.workflow_execution_id)?);
    let mut execution = execution::load(ctx, key)?;
    let right = match right_to_submit(caller, &mut execution, request.submission_number)? {
        Some(right) => right,
        None => return Ok(reply_empty()),
    };
    let after_sequence = request.after_sequence;
    if right == Right::Repeated {
        return answer_again(ctx, &mut execution, after_sequence);
    }
    check_after_sequence(caller, &execution, after_sequence)?;
    let size = Size { events: request.commands.len() + 1, bytes: request.encoded_len() };
    let submission = commands::read(ctx, caller, request.commands, request.status)?;
    check_ending(&submission.ending, right)?;
    if let Some(full) = check_room(ctx, &execution, &submission, size)? {
        execution::fail(ctx, &mut execution, full.message)?;
    } else {
        note_seen(caller, &mut execution, after_sequence);
        remember(caller, &mut execution, after_sequence);
        let authority = if right == Right::Plain { Authority::Plain } else { Authority::Token };
        let effects = apply(ctx, caller, authority, &mut execution, submission.commands)?;
        close(ctx, &mut execution, submission.ending, effects)?;
    }
    ctx.tx.put_execution(&execution)?;
    match &execution.state {
        ExecutionState::Running(_) if caller.extended => answer_partial(ctx, &execution, after_sequence),
        _ => answer_final(ctx, caller, poll),
    }
}

/// Why a submission may be applied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    /// It is the next one under the current claim.
    Next,
    /// It was applied already.
    Repeated,
    /// It has no token, and neither has whoever holds the claim.
    Plain,
}

/// `None` if the submission is dropped without a word, as other servers do it.
fn right_to_submit(caller: &Caller<'_>, execution: &mut Execution, number: i32) -> Result<Option<Right>, Status> {
    let Some(token) = caller.claim else {
        return match &execution.state {
            ExecutionState::Running(activation) if activation.claim.holder == ClaimHolder::Plain => {
                Ok(Some(Right::Plain))
            }
            ExecutionState::Running(_) if caller.extended => Err(claims::missing()),
            _ => Ok(None),
        };
    };
    let next = activation::proven(execution, token)?.submissions.saturating_add(1);
    // Without the extension there are no numbers to read.
    match number {
        _ if !caller.extended => Ok(Some(Right::Next)),
        number if number == next => Ok(Some(Right::Next)),
        number if (1..next).contains(&number) => Ok(Some(Right::Repeated)),
        number => Err(Status::invalid_argument(format!(
            "submission_number: expected {next}, the next one under this claim, got {number}"
        ))),
    }
}

/// The answer to a partial submission was lost; what it said and what happened since is said again.
fn answer_again(ctx: &mut Ctx<'_>, execution: &mut Execution, after_sequence: i32) -> Result<Answer, Status> {
    if let ExecutionState::Running(activation) = &mut execution.state {
        claims::prolong(ctx, &mut activation.claim);
        ctx.tx.put_execution(execution)?;
    }
    answer_partial(ctx, execution, after_sequence)
}

/// Nobody can hold what has not happened.
fn check_after_sequence(caller: &Caller<'_>, execution: &Execution, after_sequence: i32) -> Result<(), Status> {
    if !caller.extended || (0..=execution.current_sequence).contains(&after_sequence) {
        return Ok(());
    }
    Err(Status::invalid_argument(format!(
        "after_sequence: expected 0 to {}, the last event of execution {} before this submission, got {after_sequence}",
        execution.current_sequence, execution.key.id
    )))
}

/// Notes what the worker that submits has seen: what it was given, and what it says that it holds.
fn note_seen(caller: &Caller<'_>, execution: &mut Execution, after_sequence: i32) {
    let given = match &execution.state {
        ExecutionState::Running(activation) => activation.seen_sequence,
        _ => 0,
    };
    cancel::note_seen(execution, if caller.extended { given.max(after_sequence) } else { given });
}

/// Notes who has the execution in memory now, and up to which event.
fn remember(caller: &Caller<'_>, execution: &mut Execution, after_sequence: i32) {
    execution.continuation = match &execution.state {
        ExecutionState::Running(Activation { claim, .. }) if caller.extended && !claim.worker.is_empty() => {
            Some(Continuation { worker: claim.worker.clone(), after_sequence })
        }
        _ => None,
    };
}

fn check_ending(ending: &Ending, right: Right) -> Result<(), Status> {
    match (ending, right) {
        (Ending::Partial, Right::Plain) => Err(Status::invalid_argument(
            "status: RUNNING keeps the claim, so it needs the token of one in metadata flovyn-claim",
        )),
        _ => Ok(()),
    }
}

/// At most what a submission adds to the history.
#[derive(Clone, Copy)]
struct Size {
    events: usize,
    bytes: usize,
}

/// Refuses what the history cannot hold. Plain clients would send the same again and again, so their execution ends:
/// with the reason that this gives.
fn check_room(
    ctx: &Ctx<'_>,
    execution: &Execution,
    submission: &Submission,
    size: Size,
) -> Result<Option<Status>, Status> {
    // The end of an execution always has room.
    if submission.commands.is_empty() && matches!(submission.ending, Ending::Ended(_)) {
        return Ok(None);
    }
    let following: usize = submission.commands.iter().map(|(_, command)| apply::events_after(command)).sum();
    let events = size.events + following;
    match history::check_room(ctx, execution, events, size.bytes + events * EVENT_OVERHEAD_BYTES) {
        Ok(()) => Ok(None),
        Err(full) if execution.last_holder == Some(ClaimHolder::Plain) => Ok(Some(full)),
        Err(full) => Err(full),
    }
}

/// The commands are applied: what becomes of the activation.
fn close(ctx: &mut Ctx<'_>, execution: &mut Execution, ending: Ending, effects: Vec<Effect>) -> Result<(), Status> {
    let seen_sequence = match &execution.state {
        ExecutionState::Running(activation) if activation.claim.holder == ClaimHolder::Extended => {
            Some(activation.seen_sequence)
        }
        // The worker that submits may be one that lost its claim and knows less than the one that has it.
        _ => execution.oldest_claim_sequence,
    };
    execution.parks = 0;
    execution.park_reason = None;
    execution.oldest_claim_sequence = None;
    match ending {
        Ending::Ended(event) => {
            let event = cancel::end_of(execution, event);
            execution::end(ctx, execution, &event)?;
            apply::follow(ctx, execution, effects)
        }
        Ending::Partial => {
            apply::follow(ctx, execution, effects)?;
            keep_claim(ctx, execution);
            Ok(())
        }
        Ending::Suspended { reason } => {
            history::append(ctx, execution, &flovyn_protocol::event::EventBody::WorkflowSuspended { reason })?;
            apply::follow(ctx, execution, effects)?;
            suspend(ctx, execution, seen_sequence.unwrap_or_default())
        }
    }
}

fn keep_claim(ctx: &Ctx<'_>, execution: &mut Execution) {
    if let ExecutionState::Running(activation) = &mut execution.state {
        activation.submissions = activation.submissions.saturating_add(1);
        // The answer brings everything up to here.
        activation.seen_sequence = execution.current_sequence;
        claims::prolong(ctx, &mut activation.claim);
    }
}

fn suspend(ctx: &mut Ctx<'_>, execution: &mut Execution, seen_sequence: i32) -> Result<(), Status> {
    if execution.state.is_ended() {
        return Ok(());
    }
    ctx.tx.remove_deadline(&DeadlineKey::Execution(execution.key))?;
    if execution.landed_sequence > seen_sequence {
        return execution::make_ready(ctx, execution);
    }
    execution.state = ExecutionState::Waiting;
    Ok(())
}

/// The claim has ended: the next execution, if the worker asks for one and one is ready at once.
fn answer_final(ctx: &mut Ctx<'_>, caller: &Caller<'_>, poll: Option<Poll>) -> Result<Answer, Status> {
    let Some(poll) = poll else { return Ok(reply_empty()) };
    let (next, undelivered) = activation::take(ctx, caller, &poll)?.unzip();
    let response = SubmitWorkflowCommandsResponse { next, ..Default::default() };
    Ok(Answer::Reply { body: response.encode_to_vec(), undelivered })
}

fn answer_partial(ctx: &mut Ctx<'_>, execution: &Execution, after_sequence: i32) -> Result<Answer, Status> {
    let page = history::page(ctx, execution, after_sequence, 0)?;
    Ok(reply(&SubmitWorkflowCommandsResponse {
        events: page.events,
        has_more_events: page.has_more,
        lease_ms: ctx.config.lease_ms,
        ..Default::default()
    }))
}
