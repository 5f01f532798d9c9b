use crate::{
    events::{
        completed, failed, operation, promise_created, scheduled, started, state_cleared, state_set, task_completed,
        timer_fired, timer_started,
    },
    support::{Transcript, json},
};
use flovyn_replay::{CreatePromise, Difference, Violation};

fn assert_is(violation: &Violation, sequence: i32, event: &str, message: &str) {
    assert_eq!((violation.event_sequence, violation.event.as_str()), (sequence, event));
    assert_eq!(violation.message, message);
    assert_eq!(violation.to_string(), message);
    assert!(message.contains(&violation.expected) && message.contains(&violation.got));
    assert!(!violation.hint.is_empty() && !violation.differences.is_empty());
}

fn difference(field: &'static str, expected: &str, got: &str) -> Vec<Difference> {
    vec![Difference { field, expected: expected.to_string(), got: got.to_string() }]
}

#[test]
fn other_task_kind() {
    let mut t = Transcript::of([started("1"), scheduled("charge", "t1")]);
    t.job("start 1");
    let error = t.try_task("refund");
    let violation = t.stopped_by(error);
    assert_is(
        &violation,
        2,
        "TASK_SCHEDULED",
        "Task type mismatch at event 2 (TASK_SCHEDULED): expected task \"charge\", got task \"refund\"",
    );
    assert_eq!(violation.differences, difference("kind", "charge", "refund"));
    assert!(violation.hint.starts_with("The code asks for task \"refund\" in the place of task \"charge\""));
}

#[test]
fn hint_tells_what_comes_too_early_from_what_was_added() {
    let history = || [started("1"), scheduled("charge", "t1"), scheduled("refund", "t2")];
    for (kind, hint) in [
        ("refund", "The code asks for task \"refund\" before task \"charge\", or no longer asks for task \"charge\"."),
        ("ship", "The code asks for task \"ship\" in the place of task \"charge\", or has added it before."),
    ] {
        let mut t = Transcript::of(history());
        t.job("start 1");
        let error = t.try_task(kind);
        let violation = t.stopped_by(error);
        assert!(violation.hint.starts_with(hint), "{}", violation.hint);
    }
}

#[test]
fn other_timer_id() {
    let mut t = Transcript::of([started("1"), timer_started("sleep-1")]);
    t.job("start 1");
    let error = t.execution.start_timer(0, 1).unwrap_err();
    let violation = t.stopped_by(error);
    assert_is(
        &violation,
        2,
        "TIMER_STARTED",
        "Timer mismatch at event 2 (TIMER_STARTED): expected timer \"sleep-1\", got timer \"timer-0\"",
    );
    assert_eq!(violation.differences, difference("id", "sleep-1", "timer-0"));
}

#[test]
fn other_promise_name() {
    let mut t = Transcript::of([started("1"), promise_created("approval", "p1")]);
    t.job("start 1");
    let promise = CreatePromise { name: "review".to_string(), ..CreatePromise::default() };
    let error = t.execution.create_promise(promise).unwrap_err();
    let violation = t.stopped_by(error);
    assert_is(
        &violation,
        2,
        "PROMISE_CREATED",
        "Promise name mismatch at event 2 (PROMISE_CREATED): expected promise \"approval\", got promise \"review\"",
    );
    assert_eq!(violation.differences, difference("name", "approval", "review"));
}

#[test]
fn other_operation_name() {
    let mut t = Transcript::of([started("1"), operation("a", "1")]);
    t.job("start 1");
    t.run("b");
    let violation = t.violates();
    assert_is(
        &violation,
        2,
        "OPERATION_COMPLETED",
        "Operation name mismatch at event 2 (OPERATION_COMPLETED): expected operation \"a\", got operation \"b\"",
    );
    assert_eq!(violation.differences, difference("name", "a", "b"));
}

#[test]
fn swapped_operations() {
    let mut t = Transcript::of([started("1"), operation("a", "1"), operation("b", "2")]);
    t.job("start 1");
    t.run("b");
    let violation = t.violates();
    assert_is(
        &violation,
        2,
        "OPERATION_COMPLETED",
        "Operation name mismatch at event 2 (OPERATION_COMPLETED): expected operation \"a\", got operation \"b\"",
    );
}

#[test]
fn other_state_key_and_other_change() {
    let mut t = Transcript::of([started("1"), state_set("a", "1")]);
    t.job("start 1");
    let error = t.execution.set_state("b", json("1")).unwrap_err();
    let violation = t.stopped_by(error);
    assert_is(
        &violation,
        2,
        "STATE_SET",
        "State key mismatch at event 2 (STATE_SET): expected set of state key \"a\", got set of state key \"b\"",
    );
    assert_eq!(violation.differences, difference("key", "a", "b"));

    let mut t = Transcript::of([started("1"), state_cleared("a")]);
    t.job("start 1");
    let error = t.execution.set_state("a", json("1")).unwrap_err();
    let violation = t.stopped_by(error);
    assert_is(
        &violation,
        2,
        "STATE_CLEARED",
        "State key mismatch at event 2 (STATE_CLEARED): expected clear of state key \"a\", got set of state key \"a\"",
    );
    assert_eq!(violation.differences, difference("change", "clear", "set"));
}

#[test]
fn added_task_before_recorded_ones() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0")]);
    t.job("start 1");
    let error = t.try_task("audit");
    let violation = t.stopped_by(error);
    assert_is(
        &violation,
        2,
        "TIMER_STARTED",
        "Timer mismatch at event 2 (TIMER_STARTED): expected timer \"timer-0\", got task \"audit\"",
    );
    assert_eq!(violation.differences, difference("command", "timer", "task"));
}

#[test]
fn added_set_before_recorded_task() {
    let mut t = Transcript::of([started("1"), scheduled("charge", "t1"), task_completed("t1", "1")]);
    t.job("start 1");
    let error = t.execution.set_state("step", json("1")).unwrap_err();
    let violation = t.stopped_by(error);
    assert_is(
        &violation,
        2,
        "TASK_SCHEDULED",
        "Task type mismatch at event 2 (TASK_SCHEDULED): expected task \"charge\", got set of state key \"step\"",
    );
}

#[test]
fn added_operation_before_recorded_task_is_not_executed() {
    let mut t = Transcript::of([started("1"), scheduled("charge", "t1"), task_completed("t1", "1")]);
    t.job("start 1");
    t.run("audit");
    let violation = t.violates();
    assert_is(
        &violation,
        2,
        "TASK_SCHEDULED",
        "Task type mismatch at event 2 (TASK_SCHEDULED): expected task \"charge\", got operation \"audit\"",
    );
}

#[test]
fn added_operation_before_recorded_operation_is_not_executed() {
    let mut t = Transcript::of([started("1"), operation("a", "1"), operation("b", "2")]);
    t.job("start 1");
    t.run("a");
    t.job("resolve 1 1");
    t.run("added");
    let violation = t.violates();
    assert_is(
        &violation,
        3,
        "OPERATION_COMPLETED",
        "Operation name mismatch at event 3 (OPERATION_COMPLETED): expected operation \"b\", got operation \"added\"",
    );
}

#[test]
fn swapped_tasks() {
    let mut t = Transcript::of([started("1"), scheduled("a", "t1"), scheduled("b", "t2")]);
    t.job("start 1");
    let error = t.try_task("b");
    let violation = t.stopped_by(error);
    assert_is(
        &violation,
        2,
        "TASK_SCHEDULED",
        "Task type mismatch at event 2 (TASK_SCHEDULED): expected task \"a\", got task \"b\"",
    );
}

#[test]
fn removed_task_while_the_code_waits() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), scheduled("a", "t1"), timer_fired("timer-0")]);
    t.job("start 1");
    t.timer();
    let violation = t.violates();
    assert_is(
        &violation,
        3,
        "TASK_SCHEDULED",
        "Task type mismatch at event 3 (TASK_SCHEDULED): expected task \"a\", got no such command: the code waits",
    );
    assert_eq!(violation.differences, difference("command", "task", "nothing"));
}

#[test]
fn removed_operation_while_the_code_waits() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), operation("a", "1")]);
    t.job("start 1");
    t.timer();
    let violation = t.violates();
    assert_is(
        &violation,
        3,
        "OPERATION_COMPLETED",
        "Operation name mismatch at event 3 (OPERATION_COMPLETED): \
         expected operation \"a\", got no such command: the code waits",
    );
}

#[test]
fn removed_set_before_the_end() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), state_set("a", "1"), timer_fired("timer-0")]);
    t.job("start 1");
    t.timer();
    t.complete("7");
    let violation = t.violates();
    assert_is(
        &violation,
        3,
        "STATE_SET",
        "State key mismatch at event 3 (STATE_SET): \
         expected set of state key \"a\", got the end of the workflow (completed with 7)",
    );
}

#[test]
fn failure_with_unclaimed_events() {
    let mut t = Transcript::of([started("1"), operation("a", "1")]);
    t.job("start 1");
    t.fail("boom");
    let violation = t.violates();
    assert_is(
        &violation,
        2,
        "OPERATION_COMPLETED",
        "Operation name mismatch at event 2 (OPERATION_COMPLETED): \
         expected operation \"a\", got the end of the workflow (failed as CODE_BUG with \"boom\")",
    );
}

#[test]
fn new_command_after_an_ended_history() {
    for (end, type_name, words) in [
        (completed("1"), "WORKFLOW_COMPLETED", "completed with 1"),
        (failed("boom"), "WORKFLOW_EXECUTION_FAILED", "failed as CODE_BUG with \"boom\""),
    ] {
        let mut t = Transcript::of([started("1"), end]);
        t.job("start 1");
        let error = t.try_task("a");
        let violation = t.stopped_by(error);
        let message = format!(
            "Task type mismatch at event 2 ({type_name}): expected no further task before the end ({words}), got task \"a\""
        );
        assert_is(&violation, 2, type_name, &message);
        assert_eq!(violation.differences, difference("command", "nothing", "task"));
    }
}

#[test]
fn code_waits_at_the_end() {
    for (end, type_name, words) in [
        (completed("1"), "WORKFLOW_COMPLETED", "completed with 1"),
        (failed("boom"), "WORKFLOW_EXECUTION_FAILED", "failed as CODE_BUG with \"boom\""),
    ] {
        let mut t = Transcript::of([started("1"), end]);
        t.job("start 1");
        let violation = t.violates();
        let message = format!("Outcome mismatch at event 2 ({type_name}): expected {words}, got the code waits");
        assert_is(&violation, 2, type_name, &message);
    }
}

#[test]
fn other_outcome() {
    let mut t = Transcript::of([started("1"), completed("1")]);
    t.job("start 1");
    t.complete("2");
    let violation = t.violates();
    assert_is(
        &violation,
        2,
        "WORKFLOW_COMPLETED",
        "Outcome mismatch at event 2 (WORKFLOW_COMPLETED): expected completed with 1, got completed with 2",
    );
    assert_eq!(violation.differences, difference("outcome", "completed with 1", "completed with 2"));

    let mut t = Transcript::of([started("1"), failed("boom")]);
    t.job("start 1");
    t.fail("bang");
    let violation = t.violates();
    assert_is(
        &violation,
        2,
        "WORKFLOW_EXECUTION_FAILED",
        "Outcome mismatch at event 2 (WORKFLOW_EXECUTION_FAILED): \
         expected failed as CODE_BUG with \"boom\", got failed as CODE_BUG with \"bang\"",
    );
}

#[test]
fn long_values_are_shortened() {
    let long = "7".repeat(1000);
    let mut t = Transcript::of([started("1"), completed("1")]);
    t.job("start 1");
    t.complete(&long);
    assert_eq!(t.violates().got, format!("completed with {}...", "7".repeat(100)));
}

#[test]
fn code_that_catches_a_violation_changes_nothing() {
    let mut t = Transcript::of([started("1"), scheduled("charge", "t1")]);
    t.job("start 1");
    t.run("quiet");
    let error = t.try_task("refund");
    assert_eq!(t.try_task("charge").code(), "POISONED");
    assert_eq!(t.execution.set_state("a", json("1")).unwrap_err().code(), "POISONED");
    let poisoned = t.execution.complete(json("1")).unwrap_err();
    assert_eq!(
        poisoned.to_string(),
        "complete: the execution has stopped: Task type mismatch at event 2 (TASK_SCHEDULED): \
         expected task \"charge\", got task \"refund\""
    );
    assert_eq!(t.try_answer([timer_started("timer-0")]), Err(error.clone()));
    assert_eq!(t.execution.handle_operation_result(1, Ok(json("1"))), Err(error.clone()));
    t.stopped_by(error);
}
