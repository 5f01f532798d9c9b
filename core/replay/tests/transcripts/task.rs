use crate::{
    events::{scheduled, started, task_cancelled, task_completed, task_failed},
    support::{IDS, Transcript, complete, json, schedule},
};
use flovyn_protocol::messages::{RetryPolicy, WorkflowStatus::Completed};
use flovyn_replay::{ScheduleTask, describe};

#[test]
fn new_task_is_scheduled_with_a_derived_id() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    let task = ScheduleTask { kind: "charge".to_string(), input: json("7"), ..ScheduleTask::default() };
    let charge = t.execution.schedule_task(task).unwrap();
    assert_eq!((charge.handle, charge.task_execution_id.as_str()), (1, IDS[0]));
    assert_eq!(t.task("refund"), 2);
    t.suspends(&[
        format!(r#"{{"type":"SCHEDULE_TASK","kind":"charge","input":7,"taskExecutionId":"{}"}}"#, IDS[0]),
        schedule("refund", 1),
    ]);
}

#[test]
fn completed_task_resolves_its_handle() {
    let mut t = Transcript::of([started("1"), scheduled("charge", "t1"), task_completed("t1", r#"{"b":1,"a":2}"#)]);
    t.job("start 1");
    assert_eq!(t.task("charge"), 1);
    t.job(r#"resolve 1 {"b":1,"a":2}"#);
    t.complete("true");
    t.ends(Completed, &[complete("true")]);
}

#[test]
fn claimed_task_takes_the_id_of_its_event_and_the_counter_advances() {
    let mut t = Transcript::of([started("1"), scheduled("charge", "any text")]);
    t.job("start 1");
    let task = ScheduleTask { kind: "charge".to_string(), ..ScheduleTask::default() };
    assert_eq!(t.execution.schedule_task(task).unwrap().task_execution_id, "any text");
    t.task("refund");
    t.suspends(&[schedule("refund", 1)]);
}

#[test]
fn failed_task_rejects_its_handle() {
    let mut t = Transcript::of([started("1"), scheduled("charge", "t1"), task_failed("t1", "no money")]);
    t.job("start 1");
    t.task("charge");
    t.job("reject 1 task charge t1 failed: no money (retryable: false)");
    t.task("refund");
    t.suspends(&[schedule("refund", 1)]);
}

#[test]
fn cancelled_task_rejects_its_handle_and_a_failure_after_it_is_late() {
    let mut t =
        Transcript::of([started("1"), scheduled("charge", "t1"), task_cancelled("t1"), task_failed("t1", "cancelled")]);
    t.job("start 1");
    t.task("charge");
    t.job("reject 1 task charge t1 cancelled: asked");
    t.suspends(&[]);
}

#[test]
fn missing_output_is_null() {
    let empty = crate::events::event("TASK_COMPLETED", r#"{"taskExecutionId":"t1"}"#);
    let mut t = Transcript::of([started("1"), scheduled("charge", "t1"), empty]);
    t.job("start 1");
    t.task("charge");
    t.job("resolve 1 null");
    t.suspends(&[]);
}

#[test]
fn duplicate_and_stray_completions_give_no_job() {
    let mut t = Transcript::of([
        started("1"),
        scheduled("charge", "t1"),
        task_completed("nobody's", "0"),
        task_completed("t1", "1"),
        task_completed("t1", "2"),
    ]);
    t.job("start 1");
    t.task("charge");
    t.job("resolve 1 1");
    t.suspends(&[]);
}

#[test]
fn completions_come_in_history_order_whatever_the_order_of_scheduling() {
    let mut t = Transcript::of([
        started("1"),
        scheduled("a", "t1"),
        scheduled("b", "t2"),
        task_completed("t2", "2"),
        task_completed("t1", "1"),
    ]);
    t.job("start 1");
    t.task("a");
    t.task("b");
    t.job("resolve 2 2");
    t.job("resolve 1 1");
    t.suspends(&[]);
}

#[test]
fn options_are_sent_and_are_not_compared() {
    let task = || ScheduleTask {
        kind: "charge".to_string(),
        input: json("[1]"),
        queue: Some("fast".to_string()),
        max_retries: Some(2),
        timeout_ms: Some(3000),
        priority_seconds: Some(4),
        idempotency_key: Some("key".to_string()),
        idempotency_key_ttl_seconds: Some(5),
        retry_policy: Some(RetryPolicy {
            initial_delay_ms: 6,
            max_delay_ms: 7,
            multiplier_milli: 8,
            ..Default::default()
        }),
        start_to_close_timeout_ms: Some(9),
        heartbeat_timeout_ms: Some(10),
        scope: 0,
    };
    let plain = format!(
        r#"{{"type":"SCHEDULE_TASK","kind":"charge","input":[1],"taskExecutionId":"{}","maxRetries":2,"timeoutMs":3000,"#,
        IDS[0]
    ) + r#""queue":"fast","prioritySeconds":4,"idempotencyKey":"key","idempotencyKeyTtlSeconds":5"#;
    let policy = r#""retryPolicy":{"initialDelayMs":6,"maxDelayMs":7,"multiplierMilli":8,"nonRetryableErrors":[]},"startToCloseTimeoutMs":9,"heartbeatTimeoutMs":10"#;

    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.execution.schedule_task(task()).unwrap();
    t.suspends(&[format!("{plain},{policy}}}")]);

    let mut t = Transcript::of([started("1"), scheduled("charge", "t1")]);
    t.job("start 1");
    t.execution.schedule_task(task()).unwrap();
    t.suspends(&[]);

    let mut t = Transcript::open(false);
    t.answer([started("1")]);
    t.job("start 1");
    t.execution.schedule_task(task()).unwrap();
    t.no_job();
    let submission = t.execution.take_submission(None).unwrap();
    assert_eq!(describe(&submission.commands[0]), format!("{plain}}}"), "a plain server is told nothing of ours");
}
