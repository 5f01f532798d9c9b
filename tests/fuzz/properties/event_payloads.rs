//! What must hold for any bytes that claim to be event data. Shared by the fuzz target and the tests on stable.

use std::collections::BTreeMap;

use flovyn_protocol::{Payload, event::Event, json::Json, messages::WorkflowEvent};
use serde_json::value::RawValue;

const EVENT_TYPES: [&str; 29] = [
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
    "OF_A_LATER_VERSION",
];

/// The first byte chooses the event type, the rest is its data: what is understood is written and read back equal,
/// what is not is an error that names the event. Its members are those that serde_json finds.
pub(crate) fn check(input: &[u8]) {
    let Some((&choice, data)) = input.split_first() else { return };
    let event_type = EVENT_TYPES[usize::from(choice) % EVENT_TYPES.len()];
    let message = WorkflowEvent { sequence_number: 1, event_type: event_type.into(), event_data: data.to_vec() };
    match Event::parse(&message) {
        Ok(event) => assert_eq!(Event::parse(&event.to_message()).as_ref(), Ok(&event)),
        Err(error) => assert!(error.to_string().contains(event_type)),
    }
    check_members(data);
    if let Ok(payload) = Payload::from_bytes(data) {
        assert_eq!(Payload::from_bytes(&payload.to_bytes()).ok(), Some(payload));
    }
}

fn check_members(data: &[u8]) {
    let Ok(expected) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(data) else { return };
    let members = Json::parse(data).ok().and_then(Json::members).into_iter().flatten();
    let found: BTreeMap<_, _> =
        members.map(|(name, value)| (name.to_str().unwrap_or_default(), value.text())).collect();
    let expected: BTreeMap<_, _> = expected.iter().map(|(name, raw)| (name.as_str().into(), raw.get())).collect();
    assert_eq!(found, expected);
}
