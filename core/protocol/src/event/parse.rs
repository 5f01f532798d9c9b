use alloc::string::{String, ToString};

use super::{Event, EventBody, EventError, fields::Fields};
use crate::messages::WorkflowEvent;

const OPERATION_NAME: &[&str] = &["operationName", "name"];
const TASK_ID: &[&str] = &["taskExecutionId", "taskId"];
const TASK_KIND: &[&str] = &["kind", "taskType"];
const PROMISE_NAME: &[&str] = &["promiseName", "promiseId"];
const CHILD_NAME: &[&str] = &["childExecutionName"];
const CHILD_KIND: &[&str] = &["childWorkflowKind", "workflowKind"];
const CHILD_ID: &[&str] = &["childWorkflowExecutionId", "childExecutionId", "childworkflowExecutionId"];

impl Event {
    /// Reads an event as it came over the wire.
    ///
    /// Fails if `event_data` is not a JSON object or lacks a field that the type cannot be understood without.
    pub fn parse(event: &WorkflowEvent) -> Result<Self, EventError> {
        let body = parse(&event.event_type, &event.event_data).map_err(|problem| EventError {
            sequence: event.sequence_number,
            event_type: event.event_type.clone(),
            problem,
        })?;
        Ok(Self { sequence: event.sequence_number, body })
    }
}

fn parse(event_type: &str, data: &[u8]) -> Result<EventBody, String> {
    // Unknown types come first: their data need not even be an object.
    if !EventBody::KNOWN.contains(&event_type) {
        return Ok(EventBody::Unknown { event_type: event_type.to_string(), data: data.to_vec() });
    }
    let fields = &Fields::parse(data)?;
    match event_type.split('_').next() {
        Some("WORKFLOW") => workflow(event_type, fields),
        Some("TASK") => task(event_type, fields),
        Some("PROMISE") => promise(event_type, fields),
        Some("CHILD") => child(event_type, fields),
        Some("TIMER") => timer(event_type, fields),
        _ => other(event_type, fields),
    }
}

fn workflow(event_type: &str, fields: &Fields<'_>) -> Result<EventBody, String> {
    Ok(match event_type {
        "WORKFLOW_STARTED" => EventBody::WorkflowStarted {
            input: fields.payload(&["input"]),
            kind: fields.text_or(&["kind", "workflowKind"], "")?,
            version: fields.optional_text(&["version"])?,
            metadata: fields.optional_payload(&["metadata"]),
            parent_workflow_execution_id: fields.optional_text(&["parentWorkflowExecutionId"])?,
        },
        "WORKFLOW_SUSPENDED" => EventBody::WorkflowSuspended { reason: fields.optional_text(&["reason"])? },
        "WORKFLOW_COMPLETED" => EventBody::WorkflowCompleted { output: fields.payload(&["output", "result"]) },
        "WORKFLOW_EXECUTION_FAILED" | "WORKFLOW_FAILED" => EventBody::WorkflowExecutionFailed {
            error: fields.text_or(&["error"], "")?,
            stack_trace: fields.text_or(&["stackTrace"], "")?,
            failure_type: fields.text_or(&["failureType"], "ERROR")?,
            by_server: fields.optional_flag(&["byServer"])?.unwrap_or(false),
        },
        _ => EventBody::WorkflowCancelled { reason: fields.text_or(&["reason"], "")? },
    })
}

fn task(event_type: &str, fields: &Fields<'_>) -> Result<EventBody, String> {
    let task_execution_id = fields.text(TASK_ID)?;
    Ok(match event_type {
        "TASK_SCHEDULED" => EventBody::TaskScheduled {
            kind: fields.text(TASK_KIND)?,
            task_execution_id,
            input: fields.payload(&["input"]),
            queue: fields.text_or(&["queue"], "")?,
            max_retries: fields.optional_number(&["maxRetries"])?,
            timeout_ms: fields.optional_number(&["timeoutMs"])?,
        },
        "TASK_COMPLETED" => EventBody::TaskCompleted {
            task_execution_id,
            kind: fields.text_or(TASK_KIND, "")?,
            output: fields.payload(&["output", "result"]),
        },
        "TASK_FAILED" => EventBody::TaskFailed {
            task_execution_id,
            kind: fields.text_or(TASK_KIND, "")?,
            error: fields.text_or(&["error"], "")?,
            error_type: fields.optional_text(&["errorType"])?,
            stack_trace: fields.optional_text(&["stackTrace"])?,
            retryable: fields.optional_flag(&["retryable"])?.unwrap_or(true),
        },
        "TASK_CANCELLATION_REQUESTED" => {
            EventBody::TaskCancellationRequested { task_execution_id, reason: fields.text_or(&["reason"], "")? }
        }
        _ => EventBody::TaskCancelled {
            task_execution_id,
            kind: fields.text_or(TASK_KIND, "")?,
            reason: fields.text_or(&["reason"], "")?,
        },
    })
}

fn promise(event_type: &str, fields: &Fields<'_>) -> Result<EventBody, String> {
    let promise_id = fields.text(&["promiseId"])?;
    let name = fields.text(PROMISE_NAME)?;
    Ok(match event_type {
        "PROMISE_CREATED" => EventBody::PromiseCreated {
            promise_id,
            name,
            timeout_ms: fields.optional_number(&["timeoutMs"])?,
            idempotency_key: fields.optional_text(&["idempotencyKey"])?,
        },
        "PROMISE_RESOLVED" => EventBody::PromiseResolved { promise_id, name, value: fields.payload(&["value"]) },
        "PROMISE_REJECTED" => EventBody::PromiseRejected { promise_id, name, error: fields.text_or(&["error"], "")? },
        _ => EventBody::PromiseTimeout { promise_id, name },
    })
}

fn child(event_type: &str, fields: &Fields<'_>) -> Result<EventBody, String> {
    let name = fields.text_or(CHILD_NAME, "")?;
    let child_execution_id = fields.text_or(CHILD_ID, "")?;
    Ok(match event_type {
        "CHILD_WORKFLOW_INITIATED" => EventBody::ChildWorkflowInitiated {
            name,
            kind: fields.text(CHILD_KIND)?,
            child_execution_id,
            input: fields.payload(&["input"]),
        },
        "CHILD_WORKFLOW_STARTED" => EventBody::ChildWorkflowStarted { name, child_execution_id },
        "CHILD_WORKFLOW_COMPLETED" => EventBody::ChildWorkflowCompleted {
            name,
            child_execution_id,
            output: fields.payload(&["output", "result"]),
        },
        "CHILD_WORKFLOW_CANCELLATION_REQUESTED" => EventBody::ChildWorkflowCancellationRequested {
            name,
            child_execution_id,
            reason: fields.text_or(&["reason"], "")?,
        },
        _ => EventBody::ChildWorkflowFailed {
            name,
            child_execution_id,
            error: fields
                .text_or(&["error"], if event_type == "CHILD_WORKFLOW_CANCELLED" { "cancelled" } else { "" })?,
            failure_type: fields.optional_text(&["failureType"])?,
            stack_trace: fields.optional_text(&["stackTrace"])?,
        },
    })
}

fn timer(event_type: &str, fields: &Fields<'_>) -> Result<EventBody, String> {
    let timer_id = fields.text(&["timerId"])?;
    Ok(match event_type {
        "TIMER_STARTED" => EventBody::TimerStarted {
            timer_id,
            duration_ms: fields.optional_number(&["durationMs", "duration"])?.unwrap_or(0),
            fire_at_ms: fields.optional_number(&["fireAtMs"])?.unwrap_or(0),
        },
        "TIMER_FIRED" => EventBody::TimerFired { timer_id },
        _ => EventBody::TimerCancelled { timer_id },
    })
}

fn other(event_type: &str, fields: &Fields<'_>) -> Result<EventBody, String> {
    Ok(match event_type {
        "OPERATION_COMPLETED" => {
            EventBody::OperationCompleted { name: fields.text(OPERATION_NAME)?, result: fields.payload(&["result"]) }
        }
        "STATE_SET" => EventBody::StateSet { key: fields.text(&["key"])?, value: fields.payload(&["value"]) },
        "STATE_CLEARED" => EventBody::StateCleared { key: fields.text(&["key"])? },
        "SIGNAL_RECEIVED" => EventBody::SignalReceived {
            name: fields.text_or(&["signalName"], "__default__")?,
            value: fields.payload(&["signalValue"]),
        },
        _ => EventBody::CancellationRequested {
            reason: fields.text_or(&["reason"], "")?,
            requested_by: fields.text_or(&["requestedBy"], "")?,
        },
    })
}
