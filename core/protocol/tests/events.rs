//! Events: every type comes back as it was written, and every spelling of other servers is understood.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use flovyn_protocol::{
    Payload,
    event::{Event, EventBody},
    messages::WorkflowEvent,
};

fn message(event_type: &str, data: &str) -> WorkflowEvent {
    WorkflowEvent { sequence_number: 7, event_type: event_type.into(), event_data: data.into() }
}

fn parse(event_type: &str, data: &str) -> EventBody {
    Event::parse(&message(event_type, data)).unwrap_or_else(|error| panic!("{error}")).body
}

fn refused(event_type: &str, data: &str) -> String {
    Event::parse(&message(event_type, data)).unwrap_err().to_string()
}

fn json(text: &str) -> Payload {
    Payload::from_json(text.into()).unwrap()
}

/// One event of every type, every optional field present, and the data that it must be written as.
fn every_type() -> Vec<(EventBody, &'static str, &'static str)> {
    let id = || "e0".to_string();
    let name = || "n \"1\"".to_string();
    let value = || json(r#"{"b":42.0,"a":[]}"#);
    vec![
        (
            EventBody::WorkflowStarted {
                input: value(),
                kind: "order".into(),
                version: Some("1.0.0".into()),
                metadata: Some(json(r#"{"k":"v"}"#)),
                parent_workflow_execution_id: Some(id()),
            },
            "WORKFLOW_STARTED",
            r#"{"input":{"b":42.0,"a":[]},"kind":"order","version":"1.0.0","metadata":{"k":"v"},"parentWorkflowExecutionId":"e0"}"#,
        ),
        (EventBody::WorkflowSuspended { reason: Some("waits".into()) }, "WORKFLOW_SUSPENDED", r#"{"reason":"waits"}"#),
        (EventBody::WorkflowCompleted { output: Payload::null() }, "WORKFLOW_COMPLETED", r#"{"output":null}"#),
        (
            EventBody::WorkflowExecutionFailed {
                error: "no".into(),
                stack_trace: "at x\nat y".into(),
                failure_type: "CODE_BUG".into(),
                by_server: false,
            },
            "WORKFLOW_EXECUTION_FAILED",
            r#"{"error":"no","stackTrace":"at x\nat y","failureType":"CODE_BUG"}"#,
        ),
        (
            EventBody::WorkflowExecutionFailed {
                error: "late".into(),
                stack_trace: String::new(),
                failure_type: "TIMEOUT".into(),
                by_server: true,
            },
            "WORKFLOW_EXECUTION_FAILED",
            r#"{"error":"late","stackTrace":"","failureType":"TIMEOUT","byServer":true}"#,
        ),
        (EventBody::WorkflowCancelled { reason: "enough".into() }, "WORKFLOW_CANCELLED", r#"{"reason":"enough"}"#),
        (
            EventBody::OperationCompleted { name: name(), result: Payload::null() },
            "OPERATION_COMPLETED",
            r#"{"operationName":"n \"1\"","result":null}"#,
        ),
        (
            EventBody::StateSet { key: "k".into(), value: value() },
            "STATE_SET",
            r#"{"key":"k","value":{"b":42.0,"a":[]}}"#,
        ),
        (EventBody::StateCleared { key: "k".into() }, "STATE_CLEARED", r#"{"key":"k"}"#),
        (
            EventBody::TaskScheduled {
                kind: "charge".into(),
                task_execution_id: id(),
                input: value(),
                queue: "q".into(),
                max_retries: Some(3),
                timeout_ms: Some(1_000),
            },
            "TASK_SCHEDULED",
            r#"{"kind":"charge","taskExecutionId":"e0","input":{"b":42.0,"a":[]},"queue":"q","maxRetries":3,"timeoutMs":1000}"#,
        ),
        (
            EventBody::TaskCompleted { task_execution_id: id(), kind: "charge".into(), output: value() },
            "TASK_COMPLETED",
            r#"{"taskExecutionId":"e0","kind":"charge","output":{"b":42.0,"a":[]}}"#,
        ),
        (
            EventBody::TaskFailed {
                task_execution_id: id(),
                kind: "charge".into(),
                error: "no".into(),
                error_type: None,
                stack_trace: None,
                retryable: false,
            },
            "TASK_FAILED",
            r#"{"taskExecutionId":"e0","kind":"charge","error":"no","retryable":false}"#,
        ),
        (
            EventBody::TaskFailed {
                task_execution_id: id(),
                kind: "charge".into(),
                error: "no".into(),
                error_type: Some("CardDeclined".into()),
                stack_trace: Some("CardDeclined: no\n at charge".into()),
                retryable: true,
            },
            "TASK_FAILED",
            r#"{"taskExecutionId":"e0","kind":"charge","error":"no","errorType":"CardDeclined","stackTrace":"CardDeclined: no\n at charge","retryable":true}"#,
        ),
        (
            EventBody::TaskCancellationRequested { task_execution_id: id(), reason: "enough".into() },
            "TASK_CANCELLATION_REQUESTED",
            r#"{"taskExecutionId":"e0","reason":"enough"}"#,
        ),
        (
            EventBody::TaskCancelled { task_execution_id: id(), kind: "charge".into(), reason: "enough".into() },
            "TASK_CANCELLED",
            r#"{"taskExecutionId":"e0","kind":"charge","reason":"enough"}"#,
        ),
        (
            EventBody::PromiseCreated {
                promise_id: id(),
                name: name(),
                timeout_ms: Some(5),
                idempotency_key: Some("key".into()),
            },
            "PROMISE_CREATED",
            r#"{"promiseId":"e0","promiseName":"n \"1\"","timeoutMs":5,"idempotencyKey":"key"}"#,
        ),
        (
            EventBody::PromiseResolved { promise_id: id(), name: name(), value: value() },
            "PROMISE_RESOLVED",
            r#"{"promiseId":"e0","promiseName":"n \"1\"","value":{"b":42.0,"a":[]}}"#,
        ),
        (
            EventBody::PromiseRejected { promise_id: id(), name: name(), error: "no".into() },
            "PROMISE_REJECTED",
            r#"{"promiseId":"e0","promiseName":"n \"1\"","error":"no"}"#,
        ),
        (
            EventBody::PromiseTimeout { promise_id: id(), name: name() },
            "PROMISE_TIMEOUT",
            r#"{"promiseId":"e0","promiseName":"n \"1\""}"#,
        ),
        (
            EventBody::ChildWorkflowInitiated {
                name: "c".into(),
                kind: "ship".into(),
                child_execution_id: id(),
                input: value(),
            },
            "CHILD_WORKFLOW_INITIATED",
            r#"{"childExecutionName":"c","childExecutionId":"e0","childWorkflowExecutionId":"e0","childworkflowExecutionId":"e0","childWorkflowKind":"ship","input":{"b":42.0,"a":[]}}"#,
        ),
        (
            EventBody::ChildWorkflowStarted { name: "c".into(), child_execution_id: id() },
            "CHILD_WORKFLOW_STARTED",
            r#"{"childExecutionName":"c","childExecutionId":"e0","childWorkflowExecutionId":"e0","childworkflowExecutionId":"e0"}"#,
        ),
        (
            EventBody::ChildWorkflowCompleted { name: "c".into(), child_execution_id: id(), output: value() },
            "CHILD_WORKFLOW_COMPLETED",
            r#"{"childExecutionName":"c","childExecutionId":"e0","childWorkflowExecutionId":"e0","childworkflowExecutionId":"e0","output":{"b":42.0,"a":[]}}"#,
        ),
        (
            EventBody::ChildWorkflowFailed {
                name: "c".into(),
                child_execution_id: id(),
                error: "no".into(),
                failure_type: None,
                stack_trace: None,
            },
            "CHILD_WORKFLOW_FAILED",
            r#"{"childExecutionName":"c","childExecutionId":"e0","childWorkflowExecutionId":"e0","childworkflowExecutionId":"e0","error":"no"}"#,
        ),
        (
            EventBody::ChildWorkflowFailed {
                name: "c".into(),
                child_execution_id: id(),
                error: "no".into(),
                failure_type: Some("BUSINESS_LOGIC".into()),
                stack_trace: Some("Declined: no\n at order".into()),
            },
            "CHILD_WORKFLOW_FAILED",
            r#"{"childExecutionName":"c","childExecutionId":"e0","childWorkflowExecutionId":"e0","childworkflowExecutionId":"e0","error":"no","failureType":"BUSINESS_LOGIC","stackTrace":"Declined: no\n at order"}"#,
        ),
        (
            EventBody::ChildWorkflowCancellationRequested {
                name: "c".into(),
                child_execution_id: id(),
                reason: "enough".into(),
            },
            "CHILD_WORKFLOW_CANCELLATION_REQUESTED",
            r#"{"childExecutionName":"c","childExecutionId":"e0","childWorkflowExecutionId":"e0","childworkflowExecutionId":"e0","reason":"enough"}"#,
        ),
        (
            EventBody::TimerStarted { timer_id: "timer-0".into(), duration_ms: 5, fire_at_ms: 15 },
            "TIMER_STARTED",
            r#"{"timerId":"timer-0","durationMs":5,"fireAtMs":15}"#,
        ),
        (EventBody::TimerFired { timer_id: "timer-0".into() }, "TIMER_FIRED", r#"{"timerId":"timer-0"}"#),
        (EventBody::TimerCancelled { timer_id: "timer-0".into() }, "TIMER_CANCELLED", r#"{"timerId":"timer-0"}"#),
        (
            EventBody::SignalReceived { name: "go".into(), value: value() },
            "SIGNAL_RECEIVED",
            r#"{"signalName":"go","signalValue":{"b":42.0,"a":[]}}"#,
        ),
        (
            EventBody::CancellationRequested { reason: "enough".into(), requested_by: "me".into() },
            "CANCELLATION_REQUESTED",
            r#"{"reason":"enough","requestedBy":"me"}"#,
        ),
        (
            EventBody::Unknown { event_type: "TEA_SERVED".into(), data: b"not even JSON".to_vec() },
            "TEA_SERVED",
            "not even JSON",
        ),
    ]
}

#[test]
fn every_type_is_written_as_the_contract_says_and_read_back_equal() {
    for (body, event_type, data) in every_type() {
        let event = Event { sequence: 7, body };
        let written = event.to_message();
        assert_eq!(written, message(event_type, data));
        assert_eq!(Event::parse(&written).unwrap(), event);
    }
}

#[test]
fn absent_optional_fields_have_their_defaults() {
    assert_eq!(
        parse("WORKFLOW_STARTED", r#"{"metadata":null}"#),
        EventBody::WorkflowStarted {
            input: Payload::null(),
            kind: String::new(),
            version: None,
            metadata: None,
            parent_workflow_execution_id: None,
        }
    );
    assert_eq!(
        parse("TASK_SCHEDULED", r#"{"kind":"a","taskExecutionId":"t","timeoutMs":null}"#),
        EventBody::TaskScheduled {
            kind: "a".into(),
            task_execution_id: "t".into(),
            input: Payload::null(),
            queue: String::new(),
            max_retries: None,
            timeout_ms: None,
        }
    );
    assert_eq!(
        parse("TASK_FAILED", r#"{"taskExecutionId":"t"}"#),
        EventBody::TaskFailed {
            task_execution_id: "t".into(),
            kind: String::new(),
            error: String::new(),
            error_type: None,
            stack_trace: None,
            retryable: true
        }
    );
    assert_eq!(
        parse("SIGNAL_RECEIVED", "{}"),
        EventBody::SignalReceived { name: "__default__".into(), value: Payload::null() }
    );
    assert_eq!(
        parse("WORKFLOW_EXECUTION_FAILED", "{}"),
        EventBody::WorkflowExecutionFailed {
            error: String::new(),
            stack_trace: String::new(),
            failure_type: "ERROR".into(),
            by_server: false
        }
    );
    assert_eq!(
        parse("OPERATION_COMPLETED", r#"{"operationName":"a"}"#),
        EventBody::OperationCompleted { name: "a".into(), result: Payload::null() }
    );
}

#[test]
fn empty_data_and_null_are_an_object_without_fields() {
    for data in ["", "null", "{}"] {
        assert_eq!(parse("WORKFLOW_SUSPENDED", data), EventBody::WorkflowSuspended { reason: None });
        assert_eq!(parse("WORKFLOW_COMPLETED", data), EventBody::WorkflowCompleted { output: Payload::null() });
    }
}

/// Type, our spelling, another spelling of the same.
const SPELLINGS: &[(&str, &str, &str)] = &[
    ("OPERATION_COMPLETED", r#"{"operationName":"a","result":1}"#, r#"{"name":"a","result":1}"#),
    ("TASK_SCHEDULED", r#"{"kind":"a","taskExecutionId":"t"}"#, r#"{"taskType":"a","taskId":"t"}"#),
    (
        "TASK_COMPLETED",
        r#"{"kind":"a","taskExecutionId":"t","output":1}"#,
        r#"{"taskType":"a","taskId":"t","result":1}"#,
    ),
    ("TASK_FAILED", r#"{"kind":"a","taskExecutionId":"t"}"#, r#"{"taskType":"a","taskId":"t"}"#),
    ("TASK_CANCELLED", r#"{"kind":"a","taskExecutionId":"t"}"#, r#"{"taskType":"a","taskId":"t"}"#),
    ("PROMISE_CREATED", r#"{"promiseId":"p","promiseName":"p"}"#, r#"{"promiseId":"p"}"#),
    ("PROMISE_RESOLVED", r#"{"promiseId":"p","promiseName":"p","value":1}"#, r#"{"promiseId":"p","value":1}"#),
    ("PROMISE_REJECTED", r#"{"promiseId":"p","promiseName":"p"}"#, r#"{"promiseId":"p"}"#),
    ("PROMISE_TIMEOUT", r#"{"promiseId":"p","promiseName":"p"}"#, r#"{"promiseId":"p"}"#),
    (
        "CHILD_WORKFLOW_INITIATED",
        r#"{"childExecutionName":"c","childWorkflowKind":"k","childExecutionId":"e"}"#,
        r#"{"childExecutionName":"c","workflowKind":"k","childworkflowExecutionId":"e"}"#,
    ),
    (
        "CHILD_WORKFLOW_STARTED",
        r#"{"childExecutionName":"c","childExecutionId":"e"}"#,
        r#"{"childExecutionName":"c","childWorkflowExecutionId":"e"}"#,
    ),
    (
        "CHILD_WORKFLOW_COMPLETED",
        r#"{"childExecutionName":"c","childExecutionId":"e","output":1}"#,
        r#"{"childExecutionName":"c","childworkflowExecutionId":"e","result":1}"#,
    ),
    (
        "CHILD_WORKFLOW_FAILED",
        r#"{"childExecutionName":"c","childExecutionId":"e","error":"no"}"#,
        r#"{"childExecutionName":"c","childworkflowExecutionId":"e","error":"no"}"#,
    ),
    ("TIMER_STARTED", r#"{"timerId":"t","durationMs":5}"#, r#"{"timerId":"t","duration":5}"#),
    ("WORKFLOW_COMPLETED", r#"{"output":1}"#, r#"{"result":1}"#),
];

#[test]
fn other_spellings_read_the_same() {
    for (event_type, ours, other) in SPELLINGS {
        assert_eq!(parse(event_type, ours), parse(event_type, other), "{event_type}");
    }
}

#[test]
fn our_spelling_wins_over_another_in_the_same_event() {
    let body = parse("OPERATION_COMPLETED", r#"{"name":"other","operationName":"ours"}"#);
    assert_eq!(body, EventBody::OperationCompleted { name: "ours".into(), result: Payload::null() });
}

#[test]
fn other_names_of_a_type_read_the_same() {
    let data = r#"{"error":"no"}"#;
    assert_eq!(parse("WORKFLOW_FAILED", data), parse("WORKFLOW_EXECUTION_FAILED", data));
    assert_eq!(
        parse("CHILD_WORKFLOW_CANCELLED", r#"{"childExecutionName":"c","childExecutionId":"e","reason":"enough"}"#),
        EventBody::ChildWorkflowFailed {
            name: "c".into(),
            child_execution_id: "e".into(),
            error: "cancelled".into(),
            failure_type: None,
            stack_trace: None,
        }
    );
}

#[test]
fn a_child_without_an_id_is_known_by_its_name() {
    assert_eq!(
        parse("CHILD_WORKFLOW_STARTED", r#"{"childExecutionName":"c"}"#),
        EventBody::ChildWorkflowStarted { name: "c".into(), child_execution_id: String::new() }
    );
}

#[test]
fn fields_with_escaped_names_and_unknown_fields() {
    let body = parse("STATE_CLEARED", r#"{"\u006bey":"k\u0022","more":{"deep":[1]}}"#);
    assert_eq!(body, EventBody::StateCleared { key: "k\"".into() });
}

#[test]
fn what_a_type_cannot_be_understood_without_is_named() {
    assert_eq!(
        refused("TASK_COMPLETED", r#"{"output":1}"#),
        "event 7 (TASK_COMPLETED): the field `taskExecutionId` or `taskId` is missing"
    );
    assert_eq!(
        refused("TIMER_STARTED", r#"{"timerId":5}"#),
        "event 7 (TIMER_STARTED): the field `timerId`: expected a string, got 5"
    );
    assert_eq!(
        refused("TASK_SCHEDULED", r#"{"kind":"a","taskId":"t","maxRetries":3000000000}"#),
        "event 7 (TASK_SCHEDULED): the field `maxRetries`: expected a whole number in range, got 3000000000"
    );
    assert_eq!(refused("STATE_SET", "[1]"), "event 7 (STATE_SET): the event data: expected an object, got [1]");
    assert!(
        refused("STATE_SET", "{\"key\":").starts_with("event 7 (STATE_SET): the event data: expected one JSON value")
    );
}

#[test]
fn of_a_field_given_twice_the_later_one_counts() {
    assert_eq!(parse("STATE_CLEARED", r#"{"key":"a","key":"b"}"#), EventBody::StateCleared { key: "b".into() });
}
