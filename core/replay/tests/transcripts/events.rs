//! Events without their numbers; the transcript numbers them from 1.

use flovyn_protocol::messages::WorkflowEvent;

pub(crate) fn event(event_type: &str, data: &str) -> WorkflowEvent {
    let (event_type, event_data) = (event_type.to_string(), data.as_bytes().to_vec());
    WorkflowEvent { sequence_number: 0, event_type, event_data }
}

pub(crate) fn started(input: &str) -> WorkflowEvent {
    event("WORKFLOW_STARTED", &format!(r#"{{"kind":"order","input":{input}}}"#))
}

pub(crate) fn suspended() -> WorkflowEvent {
    event("WORKFLOW_SUSPENDED", "{}")
}

pub(crate) fn completed(output: &str) -> WorkflowEvent {
    event("WORKFLOW_COMPLETED", &format!(r#"{{"output":{output}}}"#))
}

pub(crate) fn failed(error: &str) -> WorkflowEvent {
    let data = format!(r#"{{"error":"{error}","stackTrace":"at line 1","failureType":"CODE_BUG"}}"#);
    event("WORKFLOW_EXECUTION_FAILED", &data)
}

pub(crate) fn scheduled(kind: &str, id: &str) -> WorkflowEvent {
    let data = format!(r#"{{"kind":"{kind}","taskExecutionId":"{id}","input":null,"queue":"default","maxRetries":3}}"#);
    event("TASK_SCHEDULED", &data)
}

pub(crate) fn task_completed(id: &str, output: &str) -> WorkflowEvent {
    event("TASK_COMPLETED", &format!(r#"{{"taskExecutionId":"{id}","kind":"k","output":{output}}}"#))
}

pub(crate) fn task_failed(id: &str, error: &str) -> WorkflowEvent {
    let data = format!(r#"{{"taskExecutionId":"{id}","kind":"k","error":"{error}","retryable":false}}"#);
    event("TASK_FAILED", &data)
}

pub(crate) fn task_cancelled(id: &str) -> WorkflowEvent {
    event("TASK_CANCELLED", &format!(r#"{{"taskExecutionId":"{id}","kind":"k","reason":"asked"}}"#))
}

pub(crate) fn timer_started(id: &str) -> WorkflowEvent {
    event("TIMER_STARTED", &format!(r#"{{"timerId":"{id}","durationMs":1000,"fireAtMs":2000}}"#))
}

pub(crate) fn timer_fired(id: &str) -> WorkflowEvent {
    event("TIMER_FIRED", &format!(r#"{{"timerId":"{id}"}}"#))
}

pub(crate) fn promise_created(name: &str, id: &str) -> WorkflowEvent {
    event("PROMISE_CREATED", &format!(r#"{{"promiseId":"{id}","promiseName":"{name}"}}"#))
}

pub(crate) fn promise_resolved(name: &str, id: &str, value: &str) -> WorkflowEvent {
    event("PROMISE_RESOLVED", &format!(r#"{{"promiseId":"{id}","promiseName":"{name}","value":{value}}}"#))
}

pub(crate) fn promise_rejected(name: &str, id: &str, error: &str) -> WorkflowEvent {
    event("PROMISE_REJECTED", &format!(r#"{{"promiseId":"{id}","promiseName":"{name}","error":"{error}"}}"#))
}

pub(crate) fn promise_timeout(name: &str, id: &str) -> WorkflowEvent {
    event("PROMISE_TIMEOUT", &format!(r#"{{"promiseId":"{id}","promiseName":"{name}"}}"#))
}

pub(crate) fn operation(name: &str, result: &str) -> WorkflowEvent {
    event("OPERATION_COMPLETED", &format!(r#"{{"operationName":"{name}","result":{result}}}"#))
}

pub(crate) fn state_set(key: &str, value: &str) -> WorkflowEvent {
    event("STATE_SET", &format!(r#"{{"key":"{key}","value":{value}}}"#))
}

pub(crate) fn state_cleared(key: &str) -> WorkflowEvent {
    event("STATE_CLEARED", &format!(r#"{{"key":"{key}"}}"#))
}

pub(crate) fn signal(name: &str, value: &str) -> WorkflowEvent {
    event("SIGNAL_RECEIVED", &format!(r#"{{"signalName":"{name}","signalValue":{value}}}"#))
}

pub(crate) fn cancellation(reason: &str) -> WorkflowEvent {
    event("CANCELLATION_REQUESTED", &format!(r#"{{"reason":"{reason}","requestedBy":"somebody"}}"#))
}

pub(crate) fn workflow_cancelled(reason: &str) -> WorkflowEvent {
    event("WORKFLOW_CANCELLED", &format!(r#"{{"reason":"{reason}"}}"#))
}

pub(crate) fn timer_cancelled(id: &str) -> WorkflowEvent {
    event("TIMER_CANCELLED", &format!(r#"{{"timerId":"{id}"}}"#))
}

pub(crate) fn task_cancellation(id: &str) -> WorkflowEvent {
    event("TASK_CANCELLATION_REQUESTED", &format!(r#"{{"taskExecutionId":"{id}","reason":"no"}}"#))
}

pub(crate) fn child_initiated(name: &str, kind: &str, id: &str) -> WorkflowEvent {
    let data = format!(
        r#"{{"childExecutionName":"{name}","childWorkflowKind":"{kind}","childExecutionId":"{id}","input":null}}"#
    );
    event("CHILD_WORKFLOW_INITIATED", &data)
}

pub(crate) fn child_started(name: &str, id: &str) -> WorkflowEvent {
    event("CHILD_WORKFLOW_STARTED", &format!(r#"{{"childExecutionName":"{name}","childExecutionId":"{id}"}}"#))
}

pub(crate) fn child_completed(name: &str, id: &str, output: &str) -> WorkflowEvent {
    let data = format!(r#"{{"childExecutionName":"{name}","childExecutionId":"{id}","output":{output}}}"#);
    event("CHILD_WORKFLOW_COMPLETED", &data)
}

pub(crate) fn child_failed(name: &str, id: &str, error: &str) -> WorkflowEvent {
    let data = format!(r#"{{"childExecutionName":"{name}","childExecutionId":"{id}","error":"{error}"}}"#);
    event("CHILD_WORKFLOW_FAILED", &data)
}

pub(crate) fn child_cancellation(name: &str) -> WorkflowEvent {
    event("CHILD_WORKFLOW_CANCELLATION_REQUESTED", &format!(r#"{{"childExecutionName":"{name}","reason":"no"}}"#))
}
