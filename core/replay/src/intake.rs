//! Where events become entries for the cursor and records for the machines.

use alloc::{
    format,
    string::{String, ToString},
};

use flovyn_protocol::{
    Payload,
    event::{Event, EventBody},
};

use crate::{
    ReplayError,
    codec::is_internal,
    ending::Ending,
    history::Item,
    machines::{
        Clock, LaneId, Machines, PromiseEnd, PromiseRecord, StateRecord, TaskEnd, TaskRecord, TimeRecord, TimerRecord,
    },
    signature::{Change, Signature},
    slot::Slot,
};

/// What a command event is compared by; `None` for an event that no command leaves.
pub(crate) fn signature(event: &EventBody) -> Option<Signature<'_>> {
    Some(match event {
        EventBody::TaskScheduled { kind, .. } => Signature::Task { kind },
        EventBody::TimerStarted { timer_id, .. } => Signature::Timer { id: timer_id },
        EventBody::PromiseCreated { name, .. } => Signature::Promise { name },
        EventBody::OperationCompleted { name, .. } => Signature::Operation { name },
        EventBody::StateSet { key, .. } => Signature::State { key, change: Change::Set },
        EventBody::StateCleared { key } => Signature::State { key, change: Change::Clear },
        _ => return None,
    })
}

/// The event for people: its type and what it is compared by.
pub(crate) fn summary(event: &EventBody) -> String {
    match signature(event) {
        Some(signature) => format!("{} ({signature})", event.event_type()),
        None => event.event_type().to_string(),
    }
}

/// Whether replay passes over such an event as if it were not there.
pub(crate) fn is_skipped(event: &EventBody) -> bool {
    matches!(event, EventBody::WorkflowSuspended { .. } | EventBody::Unknown { .. })
}

/// Whether the event settles something. One that comes late is ignored.
pub(crate) fn is_settlement(event: &EventBody) -> bool {
    matches!(
        event,
        EventBody::TaskCompleted { .. }
            | EventBody::TaskFailed { .. }
            | EventBody::TaskCancelled { .. }
            | EventBody::TimerFired { .. }
            | EventBody::PromiseResolved { .. }
            | EventBody::PromiseRejected { .. }
            | EventBody::PromiseTimeout { .. }
    )
}

/// Whether the event ends the execution.
pub(crate) fn is_end(event: &EventBody) -> bool {
    matches!(
        event,
        EventBody::WorkflowCompleted { .. }
            | EventBody::WorkflowExecutionFailed { .. }
            | EventBody::WorkflowCancelled { .. }
    )
}

/// Takes one event in. `event_type` is its type as it came, which may be another spelling of ours.
pub(crate) fn take_in(machines: &mut Machines, event_type: &str, event: Event) -> Result<Option<Item>, ReplayError> {
    let Event { sequence, body } = event;
    if is_skipped(&body) {
        return Ok(None);
    }
    Ok(Some(match body {
        EventBody::WorkflowStarted { input, .. } => Item::Start { input: Slot::payload(input) },
        EventBody::OperationCompleted { name, result } => operation(machines, sequence, name, result)?,
        EventBody::TaskScheduled { kind, task_execution_id, .. } => {
            let record = TaskRecord { kind, task_execution_id };
            Item::Command { lane: LaneId::Task, ordinal: machines.tasks.lane.record(sequence, record).0 }
        }
        EventBody::TimerStarted { timer_id, .. } => {
            let record = TimerRecord { timer_id };
            Item::Command { lane: LaneId::Timer, ordinal: machines.timers.lane.record(sequence, record).0 }
        }
        EventBody::PromiseCreated { promise_id, name, .. } => {
            let record = PromiseRecord { promise_id, name };
            Item::Command { lane: LaneId::Promise, ordinal: machines.promises.record(sequence, record) }
        }
        EventBody::StateSet { key, .. } => state(machines, sequence, key, Change::Set),
        EventBody::StateCleared { key } => state(machines, sequence, key, Change::Clear),
        body => settlement(sequence, event_type, body)?,
    }))
}

fn state(machines: &mut Machines, sequence: i32, key: String, change: Change) -> Item {
    let (ordinal, _) = machines.state.lane.record(sequence, StateRecord { key, change });
    Item::Command { lane: LaneId::State, ordinal }
}

fn operation(machines: &mut Machines, sequence: i32, name: String, result: Payload) -> Result<Item, ReplayError> {
    if !is_internal(&name) {
        let (line, ordinal) = machines.operations.record(&name);
        return Ok(Item::Operation { line, ordinal, result: Slot::payload(result) });
    }
    if name != Clock::OPERATION {
        return Err(unsupported(sequence, &format!("the internal operation {name:?}")));
    }
    let time_ms = result.as_json().parse().map_err(|_| ReplayError::InvalidHistory {
        sequence,
        problem: format!("expected milliseconds since 1970 as the result of {name:?}, got {result:?}"),
    })?;
    let (ordinal, _) = machines.clock.lane.record(sequence, TimeRecord { time_ms });
    Ok(Item::Command { lane: LaneId::Clock, ordinal })
}

/// Events that settle something or end the execution.
fn settlement(sequence: i32, event_type: &str, body: EventBody) -> Result<Item, ReplayError> {
    Ok(match body {
        EventBody::TaskCompleted { task_execution_id, output, .. } => {
            Item::Task { task_execution_id, end: TaskEnd::Completed(Slot::payload(output)) }
        }
        EventBody::TaskFailed { task_execution_id, error, retryable, .. } => {
            Item::Task { task_execution_id, end: TaskEnd::Failed { error: Slot::text(error)?, retryable } }
        }
        EventBody::TaskCancelled { task_execution_id, reason, .. } => {
            Item::Task { task_execution_id, end: TaskEnd::Cancelled { reason } }
        }
        EventBody::TimerFired { timer_id } => Item::Timer { timer_id },
        EventBody::PromiseResolved { promise_id, value, .. } => {
            Item::Promise { promise_id, end: PromiseEnd::Resolved(Slot::payload(value)) }
        }
        EventBody::PromiseRejected { promise_id, error, .. } => {
            Item::Promise { promise_id, end: PromiseEnd::Rejected { error: Slot::text(error)? } }
        }
        EventBody::PromiseTimeout { promise_id, .. } => Item::Promise { promise_id, end: PromiseEnd::TimedOut },
        EventBody::WorkflowCompleted { output } => Item::End(Ending::Completed(Slot::payload(output))),
        EventBody::WorkflowExecutionFailed { error, failure_type, .. } => {
            Item::End(Ending::Failed { error: Slot::text(error)?, failure_type })
        }
        EventBody::WorkflowCancelled { reason } => Item::End(Ending::Cancelled { reason }),
        _ => return Err(unsupported(sequence, event_type)),
    })
}

fn unsupported(sequence: i32, what: &str) -> ReplayError {
    let what = format!("event {sequence} is {what}, which this version of the engine cannot replay");
    ReplayError::Unsupported { what }
}
