use crate::{
    events::{completed, operation, scheduled, started, timer_fired, timer_started},
    support::{Transcript, complete, record, schedule, signals, timer},
};
use flovyn_protocol::messages::WorkflowStatus::Completed;
use flovyn_replay::{OperationError, Step};

#[test]
fn operation_is_started_after_the_turn_and_settles_after_its_record() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    assert_eq!(t.run("charge"), 1);
    assert_eq!(t.execution.poll_operation(), None, "never within the turn");
    t.no_job();
    t.starts([1]);
    assert_eq!(t.execution.next_step(), Step::AwaitOperation);
    t.finishes(1, "42");
    t.no_job();
    t.submits_partially(&[record("charge", "42")]);
    t.answer([operation("charge", "42")]);
    t.job("resolve 1 42");
    t.complete("42");
    t.ends(Completed, &[complete("42")]);
}

#[test]
fn recorded_operation_is_not_executed_again() {
    let mut t = Transcript::of([started("1"), operation("charge", "42")]);
    t.job("start 1");
    t.run("charge");
    t.job("resolve 1 42");
    t.suspends(&[]);
}

#[test]
fn failed_operation_is_recorded_and_replay_rejects_with_the_same_error() {
    let recorded = r#"{"__type":"OperationError","value":{"name":"Error","message":"declined"}}"#;
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.run("charge");
    t.no_job();
    t.starts([1]);
    t.throws(1, "declined");
    t.submits_partially(&[record("charge", recorded)]);
    t.answer([operation("charge", recorded)]);
    t.job("reject 1 operation failed: Error: declined");
    t.suspends(&[]);

    let mut t = Transcript::of([started("1"), operation("charge", recorded)]);
    t.job("start 1");
    t.run("charge");
    t.job("reject 1 operation failed: Error: declined");
    t.suspends(&[]);
}

#[test]
fn everything_that_an_error_says_is_recorded() {
    let error = OperationError {
        name: "Declined".to_string(),
        message: "line 1\n\"line 2\"".to_string(),
        stack: Some("at pay".to_string()),
        retryable: Some(false),
    };
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.run("charge");
    t.no_job();
    t.starts([1]);
    t.execution.handle_operation_result(1, Err(error)).unwrap();
    t.submits_partially(&[record(
        "charge",
        concat!(
            r#"{"__type":"OperationError","value":{"name":"Declined","message":"line 1\n\"line 2\"","#,
            r#""stack":"at pay","retryable":false}}"#
        ),
    )]);
}

#[test]
fn value_that_only_mentions_the_error_tag_is_a_value() {
    let value = r#"{"__type":"Object","value":"OperationError"}"#;
    let mut t = Transcript::of([started("1"), operation("charge", value)]);
    t.job("start 1");
    t.run("charge");
    t.job(&format!("resolve 1 {value}"));
    t.suspends(&[]);
}

#[test]
fn different_names_finish_in_any_order() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.run("a");
    t.run("b");
    t.no_job();
    t.starts([1, 2]);
    t.finishes(2, "2");
    t.submits_partially(&[record("b", "2")]);
    t.answer([operation("b", "2")]);
    t.job("resolve 2 2");
    t.no_job();
    assert_eq!(t.execution.next_step(), Step::AwaitOperation);
    t.finishes(1, "1");
    t.submits_partially(&[record("a", "1")]);
    t.answer([operation("a", "1")]);
    t.job("resolve 1 1");
    t.suspends(&[]);
}

#[test]
fn operation_without_a_record_is_executed_again_although_a_later_one_was_recorded() {
    let mut t = Transcript::of([started("1"), operation("b", "2")]);
    t.job("start 1");
    t.run("a");
    t.run("b");
    t.job("resolve 2 2");
    t.no_job();
    t.starts([1]);
    t.finishes(1, "1");
    t.submits_partially(&[record("a", "1")]);
    t.answer([operation("a", "1")]);
    t.job("resolve 1 1");
    t.suspends(&[]);
}

#[test]
fn same_name_is_recorded_in_begin_order() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.run("x");
    t.run("x");
    t.run("y");
    t.run("x");
    t.no_job();
    t.starts([1, 2, 3, 4]);
    t.finishes(4, "40");
    t.finishes(2, "20");
    assert_eq!(t.execution.next_step(), Step::AwaitOperation, "the first x has not finished");
    t.finishes(3, "30");
    t.submits_partially(&[record("y", "30")]);
    t.finishes(1, "10");
    t.answer([operation("y", "30")]);
    t.job("resolve 3 30");
    t.no_job();
    t.submits_partially(&[record("x", "10"), record("x", "20"), record("x", "40")]);
    t.answer([operation("x", "10"), operation("x", "20"), operation("x", "40")]);
    t.job("resolve 1 10");
    t.job("resolve 2 20");
    t.job("resolve 4 40");
    t.suspends(&[]);
}

#[test]
fn same_name_in_a_loop_claims_one_record_each() {
    let mut t = Transcript::of([started("1"), operation("x", "10"), operation("x", "20")]);
    t.job("start 1");
    t.run("x");
    t.job("resolve 1 10");
    t.run("x");
    t.job("resolve 2 20");
    t.run("x");
    t.no_job();
    t.starts([3]);
    t.finishes(3, "30");
    t.submits_partially(&[record("x", "30")]);
}

#[test]
fn commands_before_the_record_go_out_with_it() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.run("a");
    t.task("late");
    t.timer();
    t.no_job();
    t.starts([1]);
    t.finishes(1, "1");
    t.submits_partially(&[schedule("late", 0), timer(0), record("a", "1")]);
    t.answer([scheduled("late", crate::support::IDS[0]), timer_started("timer-0"), operation("a", "1")]);
    t.job("resolve 1 1");
    t.answer_is_live();
}

impl Transcript {
    fn answer_is_live(mut self) {
        assert!(!self.execution.is_replaying());
        self.no_job();
        self.suspends(&[]);
    }
}

#[test]
fn operation_begun_in_a_later_turn_of_the_replay_is_live() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), timer_fired("timer-0")]);
    t.job("start 1");
    t.timer();
    t.job("resolve 1 null");
    t.run("a");
    t.no_job();
    t.starts([2]);
    t.finishes(2, "null");
    t.submits_partially(&[record("a", "null")]);
    t.answer([operation("a", "null")]);
    t.job("resolve 2 null");
    t.suspends(&[]);
}

#[test]
fn ended_execution_executes_nothing() {
    let mut t = Transcript::of([started("1"), operation("a", "1"), completed("1")]);
    t.job("start 1");
    t.run("a");
    let error = t.execution.begin_operation(0, "b").unwrap_err();
    let violation = t.stopped_by(error);
    assert_eq!(
        violation.message,
        "Operation name mismatch at event 3 (WORKFLOW_COMPLETED): \
         expected no further operation before the end (completed with 1), got operation \"b\""
    );
}

#[test]
fn names_of_the_engine_are_refused() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    let error = t.execution.begin_operation(0, "$time").unwrap_err();
    assert_eq!(error.code(), "INVALID_ARGUMENT");
    assert_eq!(error.to_string(), "name: expected a name that does not begin with `$`, got \"$time\"");
    t.suspends(&[signals(0)]);
}

#[test]
fn result_is_taken_once_and_only_from_a_running_operation() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.run("a");
    let unstarted = t.execution.handle_operation_result(1, Ok(crate::support::json("1"))).unwrap_err();
    assert_eq!(unstarted.code(), "INVALID_ARGUMENT");
    t.no_job();
    t.starts([1]);
    t.finishes(1, "1");
    for handle in [0, 1, 2] {
        let error = t.execution.handle_operation_result(handle, Ok(crate::support::json("2"))).unwrap_err();
        assert_eq!(error.code(), "INVALID_ARGUMENT");
    }
    t.submits_partially(&[record("a", "1")]);
}
