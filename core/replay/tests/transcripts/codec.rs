//! The codec boundary. The codec of these tests puts every text into an envelope.

use crate::{
    events::{operation, promise_created, promise_rejected, scheduled, started, task_completed, task_failed},
    support::{IDS, Transcript, lines, numbered, signals},
};
use flovyn_protocol::messages::WorkflowStatus::{Failed, Running};

fn encode(json: &str) -> String {
    let data = serde_json::Value::from(json);
    format!(r#"{{"__codec":"test","data":{data}}}"#)
}

fn decode(json: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    value["data"].as_str().unwrap_or(json).to_string()
}

fn decode_all(t: &mut Transcript) {
    let decoded = t.execution.encoded_payloads().into_iter().map(decode).collect();
    t.execution.handle_decoded_payloads(decoded).unwrap();
    assert!(t.execution.encoded_payloads().is_empty());
}

#[test]
fn payloads_of_jobs_are_decoded_once() {
    let mut t = Transcript::of([
        started(&encode("1")),
        operation("$time", "1000"),
        scheduled("a", "t1"),
        scheduled("b", "t2"),
        promise_created("p", "p1"),
        operation("o", &encode("2")),
        task_completed("t1", &encode("3")),
    ]);
    assert_eq!(t.execution.encoded_payloads(), [encode("1"), encode("2"), encode("3")]);
    decode_all(&mut t);
    t.answer([task_failed("t2", "plain \\\"text\\\""), promise_rejected("p", "p1", "sealed")]);
    assert_eq!(t.execution.encoded_payloads(), [r#""plain \"text\"""#, r#""sealed""#]);
    decode_all(&mut t);
    t.job("start 1");
    t.task("a");
    t.task("b");
    t.promise("p");
    t.run("o");
    assert_eq!(t.execution.current_time_ms().unwrap(), 1000);
    t.job("resolve 4 2");
    t.job("resolve 1 3");
    t.job("reject 2 task b t2 failed: plain \"text\" (retryable: false)");
    t.job("reject 3 promise p p1 rejected: sealed");
    t.suspends(&[]);
}

#[test]
fn encoded_error_messages_are_recognised() {
    let sealed = serde_json::Value::from(encode("\"no money\"")).to_string();
    let data = format!(r#"{{"taskExecutionId":"t1","kind":"a","error":{sealed}}}"#);
    let mut t = Transcript::of([started("1"), scheduled("a", "t1"), crate::events::event("TASK_FAILED", &data)]);
    assert_eq!(t.execution.encoded_payloads(), ["1", encode("\"no money\"").as_str()]);
    decode_all(&mut t);
    t.job("start 1");
    t.task("a");
    t.job("reject 1 task a t1 failed: no money (retryable: true)");
    t.suspends(&[]);
}

#[test]
fn what_a_child_threw_is_decoded_with_its_stack() {
    let text = |json: &str| serde_json::Value::from(encode(json)).to_string();
    let (error, stack) = (text("\"no money\""), text("\"Declined: no money\""));
    let data = format!(
        r#"{{"childExecutionName":"pay-1","childExecutionId":"c1","error":{error},"failureType":"ERROR","stackTrace":{stack}}}"#
    );
    let failed = crate::events::event("CHILD_WORKFLOW_FAILED", &data);
    let mut t = Transcript::of([started("1"), crate::events::child_initiated("pay-1", "pay", "c1"), failed]);
    let stack = encode("\"Declined: no money\"");
    assert_eq!(t.execution.encoded_payloads(), ["1", encode("\"no money\"").as_str(), stack.as_str()]);
    decode_all(&mut t);
    t.job("start 1");
    t.child("pay");
    t.job("reject 1 child pay-1 of kind pay c1 failed: no money (ERROR Declined: no money)");
    t.suspends(&[]);
}

#[test]
fn what_a_task_threw_is_decoded_with_its_stack() {
    let text = |json: &str| serde_json::Value::from(encode(json)).to_string();
    let (error, stack) = (text("\"no money\""), text("\"Declined: no money\\n  at charge\""));
    let data = |stack: &str| {
        format!(r#"{{"taskExecutionId":"t1","kind":"a","error":{error},"errorType":"Declined","stackTrace":{stack}}}"#)
    };
    let mut t =
        Transcript::of([started("1"), scheduled("a", "t1"), crate::events::event("TASK_FAILED", &data(&stack))]);
    let stack = encode("\"Declined: no money\\n  at charge\"");
    assert_eq!(t.execution.encoded_payloads(), ["1", encode("\"no money\"").as_str(), stack.as_str()]);
    decode_all(&mut t);
    t.job("start 1");
    t.task("a");
    t.job("reject 1 task a t1 failed: no money (retryable: true, Declined Declined: no money\n  at charge)");
    t.suspends(&[]);
}

#[test]
fn payloads_of_commands_are_encoded_and_internal_ones_are_not() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.set("k", "[1]");
    t.task("a");
    t.timer();
    t.execution.current_time_ms().unwrap();
    t.run("o");
    t.no_job();
    t.starts([3]);
    t.finishes(3, "2");
    let staged = t.execution.stage_submission().unwrap();
    assert_eq!(staged.payloads, ["[1]", "null", "2"]);
    assert_eq!(staged.status, Running);
    assert_eq!(t.execution.stage_submission().unwrap(), staged);
    let encoded: Vec<String> = staged.payloads.iter().map(|json| encode(json)).collect();
    let submission = t.execution.take_submission(Some(encoded)).unwrap();
    assert_eq!(
        lines(&submission),
        [
            format!(r#"{{"type":"SET_STATE","key":"k","value":{}}}"#, encode("[1]")),
            format!(
                r#"{{"type":"SCHEDULE_TASK","kind":"a","input":{},"taskExecutionId":"{}"}}"#,
                encode("null"),
                IDS[0]
            ),
            r#"{"type":"START_TIMER","timerId":"timer-0","durationMs":1000}"#.to_string(),
            r#"{"type":"RECORD_OPERATION","operationName":"$time","result":5000}"#.to_string(),
            format!(r#"{{"type":"RECORD_OPERATION","operationName":"o","result":{}}}"#, encode("2")),
        ]
    );
    // The answer is compared as it was sent, encoded.
    t.answer([
        crate::events::state_set("k", &encode("[1]")),
        scheduled("a", IDS[0]),
        crate::events::timer_started("timer-0"),
        operation("$time", "5000"),
        operation("o", &encode("2")),
    ]);
    assert_eq!(t.execution.encoded_payloads(), [encode("2")]);
    decode_all(&mut t);
    t.job("resolve 3 2");
    t.suspends(&[]);
}

#[test]
fn error_and_stack_of_a_failure_are_encoded() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.fail("boom");
    t.no_job();
    let staged = t.execution.stage_submission().unwrap();
    assert_eq!((staged.status, staged.payloads), (Failed, vec!["\"boom\"".to_string(), "\"at line 1\"".to_string()]));
    let encoded = vec![encode("\"boom\""), "\"in clear\"".to_string()];
    let submission = t.execution.take_submission(Some(encoded)).unwrap();
    let error = serde_json::Value::from(encode("\"boom\""));
    assert_eq!(
        lines(&submission),
        [format!(r#"{{"type":"FAIL_WORKFLOW","error":{error},"stackTrace":"in clear","failureType":"CODE_BUG"}}"#)]
    );
}

#[test]
fn ending_is_compared_decoded() {
    let mut t = Transcript::of([started(&encode("1")), crate::events::completed(&encode("2"))]);
    decode_all(&mut t);
    t.job("start 1");
    t.complete("2");
    t.ends(flovyn_protocol::messages::WorkflowStatus::Completed, &[]);
}

#[test]
fn wrong_payloads_are_refused_and_change_nothing() {
    let mut t = Transcript::of([started(&encode("1"))]);
    let error = t.execution.handle_decoded_payloads(vec![]).unwrap_err();
    assert_eq!(error.code(), "INVALID_ARGUMENT");
    assert_eq!(error.to_string(), "payloads: expected 1 payloads, one for each that was listed, got 0");
    let error = t.execution.handle_decoded_payloads(vec!["{".to_string()]).unwrap_err();
    assert_eq!(error.code(), "INVALID_ARGUMENT");
    decode_all(&mut t);
    t.job("start 1");
    t.set("a", "1");
    t.complete("2");
    t.no_job();
    for encoded in [vec![], vec!["1".to_string(), "{".to_string()]] {
        let error = t.execution.take_submission(Some(encoded)).unwrap_err();
        assert_eq!(error.code(), "INVALID_ARGUMENT");
    }
    let submission = t.execution.take_submission(Some(vec!["10".to_string(), "20".to_string()])).unwrap();
    assert_eq!(
        lines(&submission),
        [r#"{"type":"SET_STATE","key":"a","value":10}"#, r#"{"type":"COMPLETE_WORKFLOW","output":20}"#]
    );
}

#[test]
fn without_a_codec_nothing_is_called() {
    let mut t = Transcript::open(true);
    t.execution.handle_events(&numbered(1, [started(r#"{ "a" : 1.0 }"#)])).unwrap();
    t.job(r#"start { "a" : 1.0 }"#);
    t.suspends(&[signals(0)]);
}
