//! Where events become entries for the cursor and records for the machines.

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
};

use flovyn_protocol::{
    Payload,
    event::{Event, EventBody},
};

use crate::{
    Execution, ReplayError,
    codec::{CANCEL_PREFIX, PATCH_PREFIX, SEEN, SIGNALS, TIME, is_internal},
    ending::Ending,
    history::Item,
    lane::{LaneId, Record},
    machines::{ChildEnd, ChildFailure, PromiseEnd, TaskEnd, TaskFailure},
    signature::{Change, Signature},
    slot::Slot,
};

/// What a command event is compared by; `None` for an event that no command leaves.
pub(crate) fn signature(event: &EventBody) -> Option<Signature<'_>> {
    Some(match event {
        EventBody::TaskScheduled { kind, .. } => Signature::Task { kind },
        EventBody::TimerStarted { timer_id, .. } => Signature::Timer { id: timer_id },
        EventBody::PromiseCreated { name, .. } => Signature::Promise { name },
        EventBody::ChildWorkflowInitiated { name, kind, .. } => Signature::Child { name, kind },
        EventBody::OperationCompleted { name, .. } => Signature::Operation { name },
        EventBody::StateSet { key, .. } => Signature::State { key, change: Change::Set },
        EventBody::StateCleared { key } => Signature::State { key, change: Change::Clear },
        EventBody::TimerCancelled { timer_id } => Signature::TimerCancellation { id: timer_id },
        EventBody::TaskCancellationRequested { task_execution_id, .. } => {
            Signature::TaskCancellation { id: task_execution_id }
        }
        EventBody::ChildWorkflowCancellationRequested { name, .. } => Signature::ChildCancellation { name },
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
    matches!(
        event,
        EventBody::WorkflowSuspended { .. } | EventBody::ChildWorkflowStarted { .. } | EventBody::Unknown { .. }
    )
}

/// Whether the event comes from outside. One that comes after the end is ignored.
pub(crate) fn is_from_outside(event: &EventBody) -> bool {
    matches!(
        event,
        EventBody::TaskCompleted { .. }
            | EventBody::TaskFailed { .. }
            | EventBody::TaskCancelled { .. }
            | EventBody::TimerFired { .. }
            | EventBody::PromiseResolved { .. }
            | EventBody::PromiseRejected { .. }
            | EventBody::PromiseTimeout { .. }
            | EventBody::ChildWorkflowCompleted { .. }
            | EventBody::ChildWorkflowFailed { .. }
            | EventBody::SignalReceived { .. }
            | EventBody::CancellationRequested { .. }
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

impl Execution {
    /// Takes one event in.
    pub(crate) fn take_in(&mut self, Event { sequence, body }: Event) -> Result<(), ReplayError> {
        match body {
            body if is_skipped(&body) => return Ok(()),
            EventBody::OperationCompleted { name, result } if is_internal(&name) => {
                return self.take_in_internal(sequence, name, &result);
            }
            EventBody::OperationCompleted { name, result } => {
                let (line, ordinal) = self.machines.operations.record(&name);
                self.history.add(Item::Operation { line, ordinal, result: Slot::payload(result) });
            }
            EventBody::ChildWorkflowCancellationRequested { name, .. } if self.is_asked_without_command(&name) => {
                self.machines.children.asked(&name);
            }
            body if signature(&body).is_some() => {
                if let Some(record) = record(body) {
                    self.take_in_record(sequence, record);
                }
            }
            body => {
                if let Some(item) = item(body)? {
                    self.history.add(item);
                }
            }
        }
        Ok(())
    }

    /// A server that does not know the extension may leave no event of the request: there, our own record stands for
    /// it, and an event says no more than that record. But what was issued to one that knows it has its event.
    fn is_asked_without_command(&self, child: &str) -> bool {
        let is_plain = !self.info.extended && !self.info.tolerant;
        let is_ahead = self.machines.lanes.is_ahead(LaneId::ChildCancellation);
        self.machines.children.is_asked(child) || is_plain && !is_ahead
    }

    fn take_in_record(&mut self, sequence: i32, record: Record) {
        let (lane, live) = self.machines.lanes.record(sequence, record);
        if let Some(Record::Promise { promise_id, .. }) = live {
            self.machines.promises.created(&mut self.machines.handles, promise_id);
        }
        self.history.add(Item::Command { lane });
    }

    /// The records of the engine's own. Only the time is claimed; the others are read here, before the first job.
    fn take_in_internal(&mut self, sequence: i32, name: String, result: &Payload) -> Result<(), ReplayError> {
        match name.as_str() {
            TIME => self.take_in_record(sequence, Record::Time { time_ms: number(sequence, &name, result)? }),
            SIGNALS => self.machines.signals.recorded = number(sequence, &name, result)?,
            SEEN if result.as_json() == "null" => self.history.set_seen(None),
            SEEN => self.history.set_seen(Some(number(sequence, &name, result)?)),
            name => match (name.strip_prefix(PATCH_PREFIX), name.strip_prefix(CANCEL_PREFIX)) {
                (Some(id), _) => self.machines.patches.record(id.to_string()),
                (_, Some(child)) => self.machines.children.asked(child),
                (None, None) => {
                    let what = format!(
                        "event {sequence} is the internal operation {name:?}, which this version of the engine cannot \
                         replay"
                    );
                    return Err(ReplayError::Unsupported { what });
                }
            },
        }
        Ok(())
    }
}

fn number<T: core::str::FromStr>(sequence: i32, name: &str, result: &Payload) -> Result<T, ReplayError> {
    result.as_json().parse().map_err(|_| ReplayError::InvalidHistory {
        sequence,
        problem: format!("expected a whole number as the result of {name:?}, got {result:?}"),
    })
}

/// What a command event is claimed as.
fn record(body: EventBody) -> Option<Record> {
    Some(match body {
        EventBody::TaskScheduled { kind, task_execution_id, .. } => Record::Task { kind, task_execution_id },
        EventBody::TimerStarted { timer_id, .. } => Record::Timer { timer_id },
        EventBody::PromiseCreated { promise_id, name, .. } => Record::Promise { name, promise_id },
        EventBody::ChildWorkflowInitiated { name, kind, child_execution_id, .. } => {
            Record::Child { name, kind, child_execution_id }
        }
        EventBody::StateSet { key, .. } => Record::State { key, change: Change::Set },
        EventBody::StateCleared { key } => Record::State { key, change: Change::Clear },
        EventBody::TimerCancelled { timer_id } => Record::TimerCancellation { timer_id },
        EventBody::TaskCancellationRequested { task_execution_id, .. } => {
            Record::TaskCancellation { task_execution_id }
        }
        EventBody::ChildWorkflowCancellationRequested { name, .. } => Record::ChildCancellation { name },
        _ => return None,
    })
}

/// What any other event means to the cursor.
fn item(body: EventBody) -> Result<Option<Item>, ReplayError> {
    Ok(Some(match body {
        EventBody::WorkflowStarted { input, .. } => Item::Start { input: Slot::payload(input) },
        EventBody::TaskCompleted { task_execution_id, output, .. } => {
            Item::Task { task_execution_id, end: TaskEnd::Completed(Slot::payload(output)) }
        }
        EventBody::TaskFailed { task_execution_id, error, error_type, stack_trace, retryable, .. } => {
            let (error, stack_trace) = (Slot::text(error)?, stack_trace.map(Slot::text).transpose()?);
            let failure = TaskFailure { error, error_type, stack_trace, retryable };
            Item::Task { task_execution_id, end: TaskEnd::Failed(Box::new(failure)) }
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
        EventBody::ChildWorkflowCompleted { name, child_execution_id, output } => {
            Item::Child { child_execution_id, name, end: ChildEnd::Completed(Slot::payload(output)) }
        }
        EventBody::ChildWorkflowFailed { name, child_execution_id, error, failure_type, stack_trace } => {
            let (error, stack_trace) = (Slot::text(error)?, stack_trace.map(Slot::text).transpose()?);
            let failure = ChildFailure { error, failure_type, stack_trace };
            Item::Child { child_execution_id, name, end: ChildEnd::Failed(Box::new(failure)) }
        }
        EventBody::SignalReceived { name, value } => Item::Signal { name, value: Slot::payload(value) },
        EventBody::CancellationRequested { reason, .. } => Item::Cancellation { reason },
        EventBody::WorkflowCompleted { output } => Item::End(Ending::Completed(Slot::payload(output))),
        EventBody::WorkflowExecutionFailed { error, failure_type, by_server, .. } => {
            Item::End(Ending::Failed { error: Slot::text(error)?, failure_type, by_server })
        }
        EventBody::WorkflowCancelled { reason } => Item::End(Ending::Cancelled { reason }),
        _ => return Ok(None),
    }))
}
