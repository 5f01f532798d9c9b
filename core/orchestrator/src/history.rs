//! The events of an execution: adding them and reading them.

use alloc::format;

use flovyn_protocol::{
    event::{Event, EventBody},
    messages::{GetEventsRequest, GetEventsResponse, WorkflowEvent},
};

use crate::{
    Answer, Status, border,
    context::{Caller, Ctx, not_found, reply},
    execution,
    store::{ClaimHolder, EventRecord, Execution, Key, PageMax, Warning},
    streams,
};

/// An event that is not stored yet.
pub(crate) struct NewEvent {
    record: EventRecord,
    landed: bool,
}

impl NewEvent {
    /// The next event of a history.
    pub(crate) fn new(ctx: &Ctx<'_>, execution: &Execution, body: &EventBody) -> Self {
        let record = EventRecord {
            sequence: execution.current_sequence + 1,
            event_type: body.event_type().into(),
            data: body.encode(),
            timestamp_ms: ctx.now_ms,
        };
        Self { record, landed: has_landed(body) }
    }

    /// Refuses it if the history has no room for it.
    pub(crate) fn check_room(&self, ctx: &Ctx<'_>, execution: &Execution) -> Result<(), Status> {
        check_room(ctx, execution, 1, self.record.wire_bytes())
    }

    /// Stores it.
    pub(crate) fn append(self, ctx: &mut Ctx<'_>, execution: &mut Execution) -> Result<(), Status> {
        let Self { record, landed } = self;
        if execution.state.is_ended() {
            return Err(Status::internal(format!("{} after the end of an execution", record.event_type)));
        }
        ctx.tx.append_event(execution.key, &record)?;
        let half_full_before = is_half_full(ctx, execution);
        execution.current_sequence = record.sequence;
        execution.history_bytes += record.wire_bytes() as u64;
        execution.updated_at_ms = ctx.now_ms;
        if landed {
            execution.landed_sequence = record.sequence;
        }
        if is_half_full(ctx, execution) && !half_full_before {
            ctx.tx.warn(half_full(execution));
        }
        streams::history_grew(ctx, execution.key, &record.event_type, record.sequence);
        Ok(())
    }
}

/// Adds an event at the end of a history.
pub(crate) fn append(ctx: &mut Ctx<'_>, execution: &mut Execution, body: &EventBody) -> Result<(), Status> {
    NewEvent::new(ctx, execution, body).append(ctx, execution)
}

/// Whether an event came from outside: then a worker that has not seen it has something to do. That a child was started
/// is no news to whoever asked for it.
fn has_landed(body: &EventBody) -> bool {
    match body {
        EventBody::WorkflowStarted { .. }
        | EventBody::TaskCompleted { .. }
        | EventBody::TaskFailed { .. }
        | EventBody::TaskCancelled { .. }
        | EventBody::PromiseResolved { .. }
        | EventBody::PromiseRejected { .. }
        | EventBody::PromiseTimeout { .. }
        | EventBody::ChildWorkflowCompleted { .. }
        | EventBody::ChildWorkflowFailed { .. }
        | EventBody::TimerFired { .. }
        | EventBody::SignalReceived { .. }
        | EventBody::CancellationRequested { .. }
        | EventBody::Unknown { .. } => true,
        EventBody::WorkflowSuspended { .. }
        | EventBody::WorkflowCompleted { .. }
        | EventBody::WorkflowExecutionFailed { .. }
        | EventBody::WorkflowCancelled { .. }
        | EventBody::OperationCompleted { .. }
        | EventBody::StateSet { .. }
        | EventBody::StateCleared { .. }
        | EventBody::TaskScheduled { .. }
        | EventBody::TaskCancellationRequested { .. }
        | EventBody::PromiseCreated { .. }
        | EventBody::ChildWorkflowInitiated { .. }
        | EventBody::ChildWorkflowStarted { .. }
        | EventBody::ChildWorkflowCancellationRequested { .. }
        | EventBody::TimerStarted { .. }
        | EventBody::TimerCancelled { .. } => false,
    }
}

/// Refuses events that would make a history longer than is allowed. The event that ends an execution is not counted:
/// there is always room for it.
pub(crate) fn check_room(ctx: &Ctx<'_>, execution: &Execution, events: usize, bytes: usize) -> Result<(), Status> {
    let (events_max, bytes_max) = (ctx.config.limits.history_events_max, bytes_max(ctx, execution));
    let events_after = count(execution) + events;
    // One place is kept for the event that ends the execution.
    if events_after >= events_max {
        return Err(Status::resource_exhausted(format!(
            "the history of an execution can hold {events_max} events, it would have {events_after} before its end: \
             start a new execution for the rest of the work"
        )));
    }
    let bytes_after = execution.history_bytes + bytes as u64;
    if bytes_after > bytes_max {
        return Err(Status::resource_exhausted(format!(
            "the history of an execution can hold {bytes_max} bytes, it would have {bytes_after}: start a new \
             execution for the rest of the work, or keep large data elsewhere"
        )));
    }
    Ok(())
}

fn count(execution: &Execution) -> usize {
    usize::try_from(execution.current_sequence).unwrap_or(0)
}

fn bytes_max(ctx: &Ctx<'_>, execution: &Execution) -> u64 {
    let limits = &ctx.config.limits;
    let bytes = match execution.last_holder {
        Some(ClaimHolder::Plain) => limits.plain_history_bytes_max.min(limits.history_bytes_max),
        _ => limits.history_bytes_max,
    };
    bytes as u64
}

fn is_half_full(ctx: &Ctx<'_>, execution: &Execution) -> bool {
    count(execution) >= ctx.config.limits.history_events_max / 2
        || execution.history_bytes >= bytes_max(ctx, execution) / 2
}

fn half_full(execution: &Execution) -> Warning {
    Warning::HistoryHalfFull {
        execution: execution.key,
        kind: execution.kind.clone(),
        events: execution.current_sequence,
        bytes: execution.history_bytes,
    }
}

/// GetEvents.
pub(crate) fn get_events(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: GetEventsRequest) -> Result<Answer, Status> {
    let key = caller.key(border::id("workflow_execution_id", &request.workflow_execution_id)?);
    let execution = execution::load(ctx, key)?;
    if caller.extended {
        border::not_negative("page_size", request.page_size.into())?;
        let page = page(ctx, &execution, request.after_sequence, request.page_size)?;
        return Ok(reply(&GetEventsResponse { events: page.events, has_more: page.has_more }));
    }
    // One message is all that a plain client reads.
    let bytes_max = ctx.config.limits.plain_history_bytes_max;
    if execution.history_bytes > bytes_max as u64 {
        return Err(Status::resource_exhausted(format!(
            "a history of {} bytes does not fit into one message of {bytes_max}: read it in pages, as clients do that \
             announce flovyn-ext",
            execution.history_bytes
        )));
    }
    let events = ctx.tx.events(key, 0, PageMax { events: usize::MAX, bytes: usize::MAX })?;
    Ok(reply(&GetEventsResponse {
        events: events.into_iter().map(EventRecord::into_message).collect(),
        has_more: false,
    }))
}

/// Part of a history.
pub(crate) struct Page {
    pub(crate) events: alloc::vec::Vec<WorkflowEvent>,
    pub(crate) has_more: bool,
}

/// The next page of a history: `size` events, as many as the server likes if that is 0.
pub(crate) fn page(ctx: &mut Ctx<'_>, execution: &Execution, after_sequence: i32, size: i32) -> Result<Page, Status> {
    if after_sequence < 0 || after_sequence > execution.current_sequence {
        return Err(Status::invalid_argument(format!(
            "after_sequence: expected 0 to {}, the last event of execution {}, got {after_sequence}",
            execution.current_sequence, execution.key.id
        )));
    }
    let polls = &ctx.config.polls;
    let events = match usize::try_from(size) {
        Ok(size) if size > 0 => size.min(polls.page_events_max),
        _ => polls.page_events_max,
    };
    let max = PageMax { events, bytes: polls.page_bytes_max };
    let events = ctx.tx.events(execution.key, after_sequence, max)?;
    let last = events.last().map_or(after_sequence, |event| event.sequence);
    Ok(Page {
        events: events.into_iter().map(EventRecord::into_message).collect(),
        has_more: last < execution.current_sequence,
    })
}

/// One event of a history, typed.
pub(crate) fn read_one(ctx: &mut Ctx<'_>, execution: Key, sequence: i32) -> Result<EventBody, Status> {
    let events = ctx.tx.events(execution, sequence - 1, PageMax { events: 1, bytes: usize::MAX })?;
    let event = events.into_iter().next().ok_or_else(|| not_found("event", sequence))?;
    parse(&event.into_message())
}

pub(crate) fn parse(event: &WorkflowEvent) -> Result<EventBody, Status> {
    let parsed = Event::parse(event).map_err(|error| Status::internal(format!("a stored event is broken: {error}")))?;
    Ok(parsed.body)
}
