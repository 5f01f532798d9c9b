use flovyn_wasm::{
    activation_close, activation_open, activation_open_history, decode_events, encode_complete_task, encode_get_events,
    engine_close, engine_handle, engine_open, engine_tick, poll_job, schedule_task, start_timer, take_submission,
};
use serde_json::json;
use wasm_bindgen_test::wasm_bindgen_test;

use super::support::{self, field, js, text, thrown};

const VIOLATION: &str = include_str!("../../../tests/histories/violation-task-kind.json");
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

#[wasm_bindgen_test]
fn a_violation_says_how_code_and_history_disagree() {
    let activation = activation_open_history(VIOLATION).unwrap();
    poll_job(activation).unwrap();
    let error = thrown(schedule_task(activation, 0, "refund".into(), "null".into(), None));

    let file: serde_json::Value = serde_json::from_str(VIOLATION).unwrap();
    assert_eq!(text(&error, "code"), "VIOLATION");
    assert!(text(&error, "message").starts_with(file["violation"]["message"].as_str().unwrap()), "{error:?}");
    assert!(field(&error, "grpcCode").is_undefined());
    let details = support::json(&field(&error, "details"));
    for name in ["eventSequence", "event", "expected", "got", "differences"] {
        assert_eq!(details[name], file["violation"][name], "{name}");
    }
    assert_ne!(details["hint"], "");
    activation_close(activation).unwrap();
}

#[wasm_bindgen_test]
fn what_the_engine_refuses_has_the_number_of_its_status() {
    let engine = engine_open(&js(&json!({ "orgId": UNKNOWN, "orgSlug": "embedded" }))).unwrap();
    let call = |method: &str, body: &[u8]| {
        let attempt = js(&json!({ "firstAttemptMs": 0, "expired": false }));
        thrown(engine_handle(engine, method, body, true, None, &attempt, 0.0))
    };

    let request = json!({ "workflowExecutionId": UNKNOWN, "afterSequence": 0, "pageSize": 0 });
    let missing = encode_get_events(&js(&request)).unwrap();
    let error = call("/flovyn.v1.WorkflowDispatch/GetEvents", &missing);
    assert_eq!((text(&error, "code"), field(&error, "grpcCode").as_f64()), ("NOT_FOUND".into(), Some(5.0)));
    assert!(text(&error, "message").contains(UNKNOWN), "{error:?}");

    let error = call("/flovyn.v1.WorkflowDispatch/GetEvents", &[0xff]);
    assert_eq!((text(&error, "code"), field(&error, "grpcCode").as_f64()), ("INVALID_ARGUMENT".into(), Some(3.0)));

    let error = call("/flovyn.v1.WorkflowDispatch/NoSuchMethod", &[]);
    assert_eq!((text(&error, "code"), field(&error, "grpcCode").as_f64()), ("UNIMPLEMENTED".into(), Some(12.0)));
    engine_close(engine).unwrap();
}

#[wasm_bindgen_test]
fn a_number_is_unknown_before_it_is_given_out_and_after_it_is_closed() {
    let activation = activation_open_history(VIOLATION).unwrap();
    activation_close(activation).unwrap();
    let errors =
        [thrown(poll_job(activation)), thrown(activation_close(activation)), thrown(engine_tick(u32::MAX, 0.0))];
    for error in errors {
        assert_eq!(text(&error, "code"), "UNKNOWN_HANDLE");
        assert!(field(&error, "grpcCode").is_undefined());
    }
}

#[wasm_bindgen_test]
fn a_call_out_of_turn_is_refused() {
    let activation = activation_open_history(VIOLATION).unwrap();
    let error = thrown(start_timer(activation, 0, 1.0));
    assert_eq!(text(&error, "code"), "NOT_IN_TURN");
    assert!(text(&error, "message").contains("start_timer") || text(&error, "message").contains("startTimer"));
    assert_ne!(text(&thrown(take_submission(activation, None, None)), "code"), "");
    activation_close(activation).unwrap();
}

#[wasm_bindgen_test]
fn an_argument_that_is_not_what_its_type_says_is_named() {
    let error = thrown(encode_complete_task(&js(&json!({ "taskExecutionId": 5, "output": "1" }))));
    assert_eq!(text(&error, "code"), "INVALID_ARGUMENT");
    assert_eq!(text(&error, "message"), "taskExecutionId: expected a string, got 5");

    let activation = activation_open_history(VIOLATION).unwrap();
    poll_job(activation).unwrap();
    assert_eq!(text(&thrown(start_timer(activation, 0, 1.5)), "code"), "INVALID_ARGUMENT");
    let error = thrown(schedule_task(activation, 0, "charge".into(), "{".into(), None));
    assert_eq!(text(&error, "code"), "INVALID_PAYLOAD");
    activation_close(activation).unwrap();

    for history in ["", "{}", r#"{"execution":{}}"#, r#"{"execution":{"executionId":"no UUID"}}"#] {
        assert_ne!(text(&thrown(activation_open_history(history)), "code"), "", "{history}");
    }
}

#[wasm_bindgen_test]
fn bytes_that_are_no_message_are_the_fault_of_the_peer() {
    for error in [thrown(activation_open(&[0xff], true)), thrown(decode_events(&[0xff]))] {
        assert_eq!(text(&error, "code"), "INVALID_MESSAGE");
        assert!(text(&error, "message").contains("peer"), "{error:?}");
    }
}
