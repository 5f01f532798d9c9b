use crate::{
    events::{
        completed, event, failed, operation, promise_created, promise_rejected, promise_resolved, promise_timeout,
        scheduled, started, suspended, task_cancelled, task_completed, task_failed, timer_fired, timer_started,
    },
    support::{Transcript, complete, json, record, schedule, set_state, timer},
};
use flovyn_protocol::messages::WorkflowStatus::{Cancelled, Completed, Failed};
use flovyn_replay::{Step, WorkflowFailure};

const FAIL: &str = r#"{"type":"FAIL_WORKFLOW","error":"boom","stackTrace":"at line 1","failureType":"CODE_BUG"}"#;

#[test]
fn result_is_the_last_command() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.complete(r#"{"total":42}"#);
    t.ends(Completed, &[complete(r#"{"total":42}"#)]);
}

#[test]
fn failure_is_the_last_command() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.task("a");
    t.fail("boom");
    t.ends(Failed, &[schedule("a", 0), FAIL.to_string()]);
}

#[test]
fn commands_after_the_end_but_in_its_turn_count() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.set("a", "1");
    t.complete("null");
    t.task("late");
    t.ends(Completed, &[set_state("a", "1"), schedule("late", 0), complete("null")]);
}

#[test]
fn nothing_is_told_after_the_end() {
    let mut t = Transcript::of([
        started("1"),
        scheduled("a", "t1"),
        timer_started("timer-0"),
        task_completed("t1", "1"),
        timer_fired("timer-0"),
    ]);
    t.job("start 1");
    t.task("a");
    t.timer();
    t.job("resolve 1 1");
    t.complete("1");
    t.ends(Completed, &[complete("1")]);
}

#[test]
fn running_operations_are_awaited_and_recorded_but_not_settled() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.run("a");
    t.run("b");
    t.run("a");
    t.task("c");
    t.complete("1");
    t.no_job();
    t.starts([1, 2, 3]);
    t.finishes(3, "3");
    assert_eq!(t.execution.next_step(), Step::AwaitOperation);
    t.finishes(2, "2");
    assert_eq!(t.execution.next_step(), Step::AwaitOperation, "no partial submission after the end");
    t.finishes(1, "1");
    t.ends(Completed, &[schedule("c", 0), record("b", "2"), record("a", "1"), record("a", "3"), complete("1")]);
}

#[test]
fn operation_that_already_runs_when_the_function_ends_is_recorded_with_it() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.run("slow");
    t.run("quick");
    t.no_job();
    t.starts([1, 2]);
    t.finishes(2, "2");
    t.submits_partially(&[record("quick", "2")]);
    t.answer([operation("quick", "2")]);
    t.job("resolve 2 2");
    t.complete("2");
    t.no_job();
    assert_eq!(t.execution.next_step(), Step::AwaitOperation);
    t.finishes(1, "1");
    t.ends(Completed, &[record("slow", "1"), complete("2")]);
}

#[test]
fn ended_history_is_confirmed_and_nothing_is_sent() {
    let mut t = Transcript::of([started("1"), scheduled("a", "t1"), task_completed("t1", "2"), completed("2")]);
    t.job("start 1");
    t.task("a");
    t.job("resolve 1 2");
    t.complete("2");
    t.ends(Completed, &[]);
}

#[test]
fn failed_history_is_confirmed_whatever_the_stack_says() {
    let mut t = Transcript::of([started("1"), failed("boom")]);
    t.job("start 1");
    let (error, failure_type) = ("boom".to_string(), "CODE_BUG".to_string());
    t.execution.fail(WorkflowFailure { error, stack_trace: "at line 2".to_string(), failure_type }).unwrap();
    t.ends(Failed, &[]);
}

#[test]
fn unawaited_records_before_the_end_are_claimed() {
    let mut t = Transcript::of([started("1"), scheduled("c", "t1"), operation("a", "1"), completed("1")]);
    t.job("start 1");
    t.run("a");
    t.task("c");
    t.complete("1");
    t.ends(Completed, &[]);
}

#[test]
fn settlements_after_the_end_are_late() {
    let mut t = Transcript::of([
        started("1"),
        scheduled("a", "t1"),
        promise_created("p", "p1"),
        completed("1"),
        task_completed("t1", "2"),
        task_failed("t1", "late"),
        task_cancelled("t1"),
        timer_fired("timer-0"),
        promise_resolved("p", "p1", "1"),
        promise_rejected("p", "p1", "late"),
        promise_timeout("p", "p1"),
        suspended(),
        event("SOMETHING_NEW", "?"),
    ]);
    t.job("start 1");
    t.task("a");
    t.promise("p");
    t.complete("1");
    t.ends(Completed, &[]);
}

#[test]
fn commands_after_the_end_are_an_invalid_history() {
    let mut t = Transcript::open(true);
    let error = t.try_answer([started("1"), completed("1"), timer_started("timer-0")]).unwrap_err();
    assert_eq!(error.to_string(), "event 3: expected nothing after WORKFLOW_COMPLETED, got TIMER_STARTED");
    assert_eq!(t.execution.poll_job(), Err(error));
}

#[test]
fn function_ends_once() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.complete("1");
    assert_eq!(t.execution.complete(json("2")).unwrap_err().code(), "OUT_OF_ORDER");
    t.ends(Completed, &[complete("1")]);
}

#[test]
fn waiting_function_suspends_by_status_alone() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.timer();
    t.suspends(&[timer(0)]);
}

#[test]
fn server_ends_what_the_code_waits_for() {
    let timed_out = r#"{"error":"too long","stackTrace":"","failureType":"TIMEOUT","byServer":true}"#;
    for (end, status) in [
        (event("WORKFLOW_CANCELLED", r#"{"reason":"asked"}"#), Cancelled),
        (event("WORKFLOW_EXECUTION_FAILED", timed_out), Failed),
    ] {
        let mut t = Transcript::of([started("1"), scheduled("a", "t-1"), end]);
        t.job("start 1");
        t.task("a");
        t.run("never started");
        t.ends(status, &[]);
    }
}

#[test]
fn failure_type_of_a_timeout_is_the_code_s_own_unless_the_server_says_so() {
    let timed_out = r#"{"error":"too long","stackTrace":"","failureType":"TIMEOUT"}"#;
    let mut t = Transcript::of([started("1"), event("WORKFLOW_EXECUTION_FAILED", timed_out)]);
    t.job("start 1");
    t.complete("1");
    assert!(t.violates().message.contains("failed as TIMEOUT with \"too long\""));
}

#[test]
fn server_ends_what_the_code_would_have_completed() {
    let mut t = Transcript::of([started("1"), event("WORKFLOW_CANCELLED", r#"{"reason":"asked"}"#)]);
    t.job("start 1");
    t.task("not sent");
    t.complete("1");
    t.ends(Cancelled, &[]);
}

#[test]
fn one_more_operation_of_a_name_is_new_after_the_end() {
    let mut t = Transcript::of([started("1"), operation("a", "1"), completed("1")]);
    t.job("start 1");
    t.run("a");
    t.job("resolve 1 1");
    let error = t.execution.begin_operation(0, "a").unwrap_err();
    let violation = t.stopped_by(error);
    assert_eq!((violation.event_sequence, violation.event.as_str()), (3, "WORKFLOW_COMPLETED"));
}
