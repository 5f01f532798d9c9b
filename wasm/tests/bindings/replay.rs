use flovyn_protocol::messages::{CommandType, SubmitWorkflowCommandsRequest, WorkflowStatus};
use flovyn_wasm::{
    Step, activation_close, activation_encoded_payloads, activation_handle_decoded_payloads, activation_info,
    activation_open_history, begin_operation, complete, current_time_ms, describe_submission, is_replaying, next_step,
    operation_completed, poll_job, poll_operation, random, random_uuid, schedule_task, stage_submission,
    take_submission,
};
use prost::Message;
use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::support::{self, js};

/// The files that the engine's own tests, and those of the SDK, read too.
const COMPLETED: &str = include_str!("../../../tests/histories/task-completed.json");
const SCHEDULED: &str = include_str!("../../../tests/histories/task-scheduled.json");

const TASK_ID: &str = "9c38c57e-9617-5583-a190-acc434e94b9e";

#[wasm_bindgen_test]
fn a_history_is_replayed_to_the_end_of_its_workflow() {
    let activation = activation_open_history(COMPLETED).unwrap();
    let info = activation_info(activation).unwrap();
    assert_eq!(support::json(&info)["kind"], "order");
    assert_eq!(support::json(&info)["lastSequence"], 4);

    assert_eq!(job(activation), json!([0, 0, "1", []]));
    assert!(is_replaying(activation).unwrap());
    let scheduled = schedule_task(activation, 0, "charge".into(), "1".into(), None).unwrap();
    assert_eq!(support::json(&scheduled), json!([1, TASK_ID]));

    let output = r#"{ "b": 2, "a": [1.5, "ü\n"] }"#;
    assert_eq!(job(activation), json!([1, 1, output]));
    complete(activation, output.into()).unwrap();

    assert_eq!(job(activation), Value::Null);
    assert_eq!(next_step(activation).unwrap(), Step::SubmitFinal);
    let bytes = submission(activation, None);
    let submission = decoded(&bytes);
    assert_eq!(submission.status(), WorkflowStatus::Completed);
    assert_eq!(submission.commands.len(), 1);
    assert_eq!(submission.commands[0].command_type(), CommandType::CompleteWorkflow);
    assert_described_as(&bytes, COMPLETED);
    activation_close(activation).unwrap();
}

#[wasm_bindgen_test]
fn what_the_history_does_not_have_becomes_commands() {
    let activation = activation_open_history(SCHEDULED).unwrap();
    assert_eq!(job(activation), json!([0, 0, "1", []]));
    schedule_task(activation, 0, "charge".into(), r#"{"amount":7}"#.into(), None).unwrap();
    assert!(!is_replaying(activation).unwrap());
    let options = js(&json!({}));
    schedule_task(activation, 0, "refund".into(), "null".into(), Some(options)).unwrap();

    assert_eq!(job(activation), Value::Null);
    assert_eq!(next_step(activation).unwrap(), Step::SubmitFinal);
    let bytes = submission(activation, None);
    assert_eq!(decoded(&bytes).status(), WorkflowStatus::Suspended);
    assert_described_as(&bytes, SCHEDULED);
    activation_close(activation).unwrap();
}

#[wasm_bindgen_test]
fn a_codec_stands_between_every_payload_and_the_server() {
    let activation = activation_open_history(COMPLETED).unwrap();
    let encoded = support::json(&activation_encoded_payloads(activation).unwrap());
    assert_eq!(encoded, json!(["1", r#"{ "b": 2, "a": [1.5, "ü\n"] }"#]));
    let decoded = ["\"one\"", "\"charged\""].map(String::from);
    activation_handle_decoded_payloads(activation, decoded.into()).unwrap();

    assert_eq!(job(activation), json!([0, 0, "\"one\"", []]));
    schedule_task(activation, 0, "charge".into(), "\"one\"".into(), None).unwrap();
    assert_eq!(job(activation), json!([1, 1, "\"charged\""]));
    complete(activation, "\"done\"".into()).unwrap();
    assert_eq!(job(activation), Value::Null);

    assert_eq!(support::json(&stage_submission(activation).unwrap()), json!(["\"done\""]));
    let described = described(&take_submission(activation, Some(vec!["\"sealed\"".into()]), None).unwrap());
    assert_eq!(described["commands"], json!([{ "type": "COMPLETE_WORKFLOW", "output": "sealed" }]));
    activation_close(activation).unwrap();
}

#[wasm_bindgen_test]
fn the_result_of_an_operation_is_submitted_before_the_code_has_it() {
    let activation = activation_open_history(SCHEDULED).unwrap();
    job(activation);
    let handle = begin_operation(activation, 0, "quote").unwrap();
    assert_eq!(job(activation), Value::Null);

    assert_eq!(next_step(activation).unwrap(), Step::StartOperations);
    assert_eq!(poll_operation(activation).unwrap(), handle);
    assert_eq!(poll_operation(activation).unwrap(), 0);
    assert_eq!(next_step(activation).unwrap(), Step::AwaitOperation);
    operation_completed(activation, handle, "12.5".into()).unwrap();

    assert_eq!(job(activation), Value::Null);
    assert_eq!(next_step(activation).unwrap(), Step::SubmitPartial);
    let bytes = submission(activation, None);
    assert_eq!(decoded(&bytes).status(), WorkflowStatus::Running);
    let described = described(&bytes);
    assert_eq!(described["commands"][0]["type"], "RECORD_OPERATION", "{described}");
    activation_close(activation).unwrap();
}

#[wasm_bindgen_test]
fn time_and_randomness_are_the_same_on_every_replay() {
    let drawn = [SCHEDULED, SCHEDULED].map(|history| {
        let activation = activation_open_history(history).unwrap();
        job(activation);
        let drawn = (
            current_time_ms(activation).unwrap(),
            random(activation).unwrap(),
            random(activation).unwrap(),
            random_uuid(activation).unwrap(),
        );
        activation_close(activation).unwrap();
        drawn
    });
    let [first, second] = drawn;
    assert_eq!(first, second);
    assert_eq!(first.0, 5000.0);
    assert_ne!(first.1, first.2);
}

/// The next job in the form of the SDK; null if there is none.
fn job(activation: u32) -> Value {
    poll_job(activation).unwrap().map_or(Value::Null, |job| support::json(&JsValue::from(job)))
}

fn submission(activation: u32, encoded: Option<Vec<String>>) -> Vec<u8> {
    stage_submission(activation).unwrap();
    take_submission(activation, encoded, None).unwrap()
}

fn decoded(submission: &[u8]) -> SubmitWorkflowCommandsRequest {
    SubmitWorkflowCommandsRequest::decode(submission).unwrap()
}

fn described(submission: &[u8]) -> Value {
    serde_json::from_str(&describe_submission(submission).unwrap()).unwrap()
}

fn assert_described_as(submission: &[u8], file: &str) {
    let file: Value = serde_json::from_str(file).unwrap();
    assert_eq!(described(submission), json!({ "commands": file["commands"], "status": file["status"] }));
}
