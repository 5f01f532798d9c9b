//! Payloads are text: nothing about them changes on the way through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use flovyn_protocol::{
    Payload,
    event::{Event, EventBody},
    messages::WorkflowEvent,
};

const VERBATIM: &[&str] = &[
    "null",
    "42",
    "42.0",
    "-0",
    "1e400",
    "123456789012345678901234567890",
    "0.1000000000000000055511151231257827",
    r#"{"b":1,"a":2,"b":3}"#,
    r#"{ "spaced" : [ 1 , 2 ] }"#,
    r#""\ud83d lone surrogate""#,
    r#"{"__type":"BigInt","value":"123"}"#,
    r#""ü 😀 \u0000""#,
];

/// What the TypeScript package writes, and reads again: its tests compare with the same file.
fn golden() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/payloads/values.json");
    let file: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let payloads: Vec<String> = file.into_values().flat_map(BTreeMap::into_values).collect();
    assert!(payloads.len() > 40, "{}", payloads.len());
    payloads
}

fn verbatim() -> impl Iterator<Item = String> {
    VERBATIM.iter().map(|json| (*json).to_string()).chain(golden())
}

#[test]
fn what_goes_in_comes_out() {
    for json in verbatim() {
        assert_eq!(Payload::from_bytes(json.as_bytes()).unwrap().to_bytes(), json.as_bytes());
        assert_eq!(Payload::from_json(json.clone()).unwrap().as_json(), json);
    }
}

#[test]
fn what_goes_into_an_event_comes_out_of_it() {
    for json in verbatim() {
        let body = EventBody::WorkflowCompleted { output: Payload::from_json(json.clone()).unwrap() };
        assert_eq!(body.encode(), format!(r#"{{"output":{json}}}"#).as_bytes());
        let message =
            WorkflowEvent { sequence_number: 1, event_type: "WORKFLOW_COMPLETED".into(), event_data: body.encode() };
        assert_eq!(Event::parse(&message).unwrap().body, body);
    }
}

#[test]
fn empty_is_null() {
    assert_eq!(Payload::from_bytes(b"").unwrap(), Payload::null());
    assert_eq!(Payload::from_json(String::new()).unwrap().as_json(), "null");
    assert_eq!(Payload::default(), Payload::null());
}

#[test]
fn white_space_around_the_value_is_not_part_of_it() {
    assert_eq!(Payload::from_bytes(b" \n[1, 2]\t").unwrap().as_json(), "[1, 2]");
    assert_eq!(Payload::from_json(" \n[1, 2]\t".into()).unwrap().as_json(), "[1, 2]");
}

#[test]
fn what_is_not_one_json_value_is_refused() {
    for bytes in [&b"{"[..], b"1 2", b"nul", b"'a'", b"\xff", b"\"\xff\"", b" ", b"[1,]", b"NaN"] {
        let error = Payload::from_bytes(bytes).unwrap_err().to_string();
        assert!(error.starts_with("expected one JSON value in UTF-8: "), "{bytes:?}: {error}");
    }
}

#[test]
fn nesting_as_deep_as_a_payload_may_be_long_does_not_exhaust_the_stack() {
    let depth = 1_000_000;
    let json = "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(Payload::from_bytes(json.as_bytes()).unwrap().as_json().len(), 2 * depth);
}
