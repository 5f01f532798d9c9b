use alloc::{string::String, vec::Vec};

use super::{Event, EventBody};
use crate::{Payload, json::quote, messages::WorkflowEvent};

impl EventBody {
    /// Every type that [`Event::parse`] understands.
    pub(super) const KNOWN: [&'static str; 29] = [
        "WORKFLOW_STARTED",
        "WORKFLOW_SUSPENDED",
        "WORKFLOW_COMPLETED",
        "WORKFLOW_EXECUTION_FAILED",
        "WORKFLOW_FAILED",
        "WORKFLOW_CANCELLED",
        "OPERATION_COMPLETED",
        "STATE_SET",
        "STATE_CLEARED",
        "TASK_SCHEDULED",
        "TASK_COMPLETED",
        "TASK_FAILED",
        "TASK_CANCELLED",
        "TASK_CANCELLATION_REQUESTED",
        "PROMISE_CREATED",
        "PROMISE_RESOLVED",
        "PROMISE_REJECTED",
        "PROMISE_TIMEOUT",
        "CHILD_WORKFLOW_INITIATED",
        "CHILD_WORKFLOW_STARTED",
        "CHILD_WORKFLOW_COMPLETED",
        "CHILD_WORKFLOW_FAILED",
        "CHILD_WORKFLOW_CANCELLED",
        "CHILD_WORKFLOW_CANCELLATION_REQUESTED",
        "TIMER_STARTED",
        "TIMER_FIRED",
        "TIMER_CANCELLED",
        "SIGNAL_RECEIVED",
        "CANCELLATION_REQUESTED",
    ];

    /// The `event_type` that we write.
    pub fn event_type(&self) -> &str {
        match self {
            Self::WorkflowStarted { .. } => "WORKFLOW_STARTED",
            Self::WorkflowSuspended { .. } => "WORKFLOW_SUSPENDED",
            Self::WorkflowCompleted { .. } => "WORKFLOW_COMPLETED",
            Self::WorkflowExecutionFailed { .. } => "WORKFLOW_EXECUTION_FAILED",
            Self::WorkflowCancelled { .. } => "WORKFLOW_CANCELLED",
            Self::OperationCompleted { .. } => "OPERATION_COMPLETED",
            Self::StateSet { .. } => "STATE_SET",
            Self::StateCleared { .. } => "STATE_CLEARED",
            Self::TaskScheduled { .. } => "TASK_SCHEDULED",
            Self::TaskCompleted { .. } => "TASK_COMPLETED",
            Self::TaskFailed { .. } => "TASK_FAILED",
            Self::TaskCancelled { .. } => "TASK_CANCELLED",
            Self::TaskCancellationRequested { .. } => "TASK_CANCELLATION_REQUESTED",
            Self::PromiseCreated { .. } => "PROMISE_CREATED",
            Self::PromiseResolved { .. } => "PROMISE_RESOLVED",
            Self::PromiseRejected { .. } => "PROMISE_REJECTED",
            Self::PromiseTimeout { .. } => "PROMISE_TIMEOUT",
            Self::ChildWorkflowInitiated { .. } => "CHILD_WORKFLOW_INITIATED",
            Self::ChildWorkflowStarted { .. } => "CHILD_WORKFLOW_STARTED",
            Self::ChildWorkflowCompleted { .. } => "CHILD_WORKFLOW_COMPLETED",
            Self::ChildWorkflowFailed { .. } => "CHILD_WORKFLOW_FAILED",
            Self::ChildWorkflowCancellationRequested { .. } => "CHILD_WORKFLOW_CANCELLATION_REQUESTED",
            Self::TimerStarted { .. } => "TIMER_STARTED",
            Self::TimerFired { .. } => "TIMER_FIRED",
            Self::TimerCancelled { .. } => "TIMER_CANCELLED",
            Self::SignalReceived { .. } => "SIGNAL_RECEIVED",
            Self::CancellationRequested { .. } => "CANCELLATION_REQUESTED",
            Self::Unknown { event_type, .. } => event_type,
        }
    }

    /// The `event_data` that we write: one JSON object, payloads copied in verbatim.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::WorkflowStarted { input, kind, version, metadata, parent_workflow_execution_id } => Object::new()
                .payload("input", input)
                .text("kind", kind)
                .maybe_text("version", version.as_deref())
                .maybe_payload("metadata", metadata.as_ref())
                .maybe_text("parentWorkflowExecutionId", parent_workflow_execution_id.as_deref()),
            Self::WorkflowSuspended { reason } => Object::new().maybe_text("reason", reason.as_deref()),
            Self::WorkflowCompleted { output } => Object::new().payload("output", output),
            Self::WorkflowExecutionFailed { error, stack_trace, failure_type, by_server } => {
                let failed = Object::new()
                    .text("error", error)
                    .text("stackTrace", stack_trace)
                    .text("failureType", failure_type);
                if *by_server { failed.flag("byServer", true) } else { failed }
            }
            Self::WorkflowCancelled { reason } => Object::new().text("reason", reason),
            Self::OperationCompleted { name, result } => {
                Object::new().text("operationName", name).payload("result", result)
            }
            Self::StateSet { key, value } => Object::new().text("key", key).payload("value", value),
            Self::StateCleared { key } => Object::new().text("key", key),
            Self::TaskScheduled { kind, task_execution_id, input, queue, max_retries, timeout_ms } => Object::new()
                .text("kind", kind)
                .text("taskExecutionId", task_execution_id)
                .payload("input", input)
                .text("queue", queue)
                .maybe_number("maxRetries", max_retries.map(i64::from))
                .maybe_number("timeoutMs", *timeout_ms),
            Self::TaskCompleted { task_execution_id, kind, output } => {
                task(task_execution_id, kind).payload("output", output)
            }
            Self::TaskFailed { task_execution_id, kind, error, error_type, stack_trace, retryable } => {
                task(task_execution_id, kind)
                    .text("error", error)
                    .maybe_text("errorType", error_type.as_deref())
                    .maybe_text("stackTrace", stack_trace.as_deref())
                    .flag("retryable", *retryable)
            }
            Self::TaskCancelled { task_execution_id, kind, reason } => {
                task(task_execution_id, kind).text("reason", reason)
            }
            Self::TaskCancellationRequested { task_execution_id, reason } => {
                Object::new().text("taskExecutionId", task_execution_id).text("reason", reason)
            }
            Self::PromiseCreated { promise_id, name, timeout_ms, idempotency_key } => promise(promise_id, name)
                .maybe_number("timeoutMs", *timeout_ms)
                .maybe_text("idempotencyKey", idempotency_key.as_deref()),
            Self::PromiseResolved { promise_id, name, value } => promise(promise_id, name).payload("value", value),
            Self::PromiseRejected { promise_id, name, error } => promise(promise_id, name).text("error", error),
            Self::PromiseTimeout { promise_id, name } => promise(promise_id, name),
            Self::ChildWorkflowInitiated { name, kind, child_execution_id, input } => {
                child(name, child_execution_id).text("childWorkflowKind", kind).payload("input", input)
            }
            Self::ChildWorkflowStarted { name, child_execution_id } => child(name, child_execution_id),
            Self::ChildWorkflowCompleted { name, child_execution_id, output } => {
                child(name, child_execution_id).payload("output", output)
            }
            Self::ChildWorkflowFailed { name, child_execution_id, error, failure_type, stack_trace } => {
                child(name, child_execution_id)
                    .text("error", error)
                    .maybe_text("failureType", failure_type.as_deref())
                    .maybe_text("stackTrace", stack_trace.as_deref())
            }
            Self::ChildWorkflowCancellationRequested { name, child_execution_id, reason } => {
                child(name, child_execution_id).text("reason", reason)
            }
            Self::TimerStarted { timer_id, duration_ms, fire_at_ms } => Object::new()
                .text("timerId", timer_id)
                .maybe_number("durationMs", Some(*duration_ms))
                .maybe_number("fireAtMs", Some(*fire_at_ms)),
            Self::TimerFired { timer_id } | Self::TimerCancelled { timer_id } => {
                Object::new().text("timerId", timer_id)
            }
            Self::SignalReceived { name, value } => {
                Object::new().text("signalName", name).payload("signalValue", value)
            }
            Self::CancellationRequested { reason, requested_by } => {
                Object::new().text("reason", reason).text("requestedBy", requested_by)
            }
            Self::Unknown { data, .. } => return data.clone(),
        }
        .finish()
    }
}

impl Event {
    /// The event in its wire form.
    pub fn to_message(&self) -> WorkflowEvent {
        WorkflowEvent {
            sequence_number: self.sequence,
            event_type: self.body.event_type().into(),
            event_data: self.body.encode(),
        }
    }
}

fn task(id: &str, kind: &str) -> Object {
    Object::new().text("taskExecutionId", id).text("kind", kind)
}

fn promise(id: &str, name: &str) -> Object {
    Object::new().text("promiseId", id).text("promiseName", name)
}

/// Clients differ in the spelling of the id that they read, so all three are written.
fn child(name: &str, id: &str) -> Object {
    Object::new()
        .text("childExecutionName", name)
        .text("childExecutionId", id)
        .text("childWorkflowExecutionId", id)
        .text("childworkflowExecutionId", id)
}

/// Writes one JSON object field by field, so that payloads go in as the text they are.
struct Object(String);

impl Object {
    fn new() -> Self {
        Self(String::from("{"))
    }

    fn text(self, name: &str, value: &str) -> Self {
        self.raw(name, &quote(value))
    }

    fn maybe_text(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    fn payload(self, name: &str, value: &Payload) -> Self {
        self.raw(name, value.as_json())
    }

    fn maybe_payload(self, name: &str, value: Option<&Payload>) -> Self {
        match value {
            Some(value) => self.payload(name, value),
            None => self,
        }
    }

    fn maybe_number(self, name: &str, value: Option<i64>) -> Self {
        match value {
            Some(value) => self.raw(name, &alloc::format!("{value}")),
            None => self,
        }
    }

    fn flag(self, name: &str, value: bool) -> Self {
        self.raw(name, if value { "true" } else { "false" })
    }

    fn raw(mut self, name: &str, json: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
        self.0.push_str(json);
        self
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.push('}');
        self.0.into_bytes()
    }
}
