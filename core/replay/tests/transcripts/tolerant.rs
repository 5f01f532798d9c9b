//! Histories that another SDK has written.

use crate::{
    events::{
        child_completed, child_initiated, completed, event, failed, operation, promise_created, promise_resolved,
        scheduled, signal, started, state_cleared, state_set, task_cancelled, task_completed, timer_cancelled,
        timer_fired, timer_started,
    },
    support::{
        ID, TASK_TIME_MS, Transcript, cancel_timer, clear_state, complete, create_promise, json, record, set_state,
        timer,
    },
};
use flovyn_protocol::messages::{
    WorkflowEvent,
    WorkflowStatus::{Completed, Suspended},
};
use flovyn_replay::{CancelEffect, Execution, ExecutionInfo, Violation, describe};

fn tolerant<const N: usize>(events: [WorkflowEvent; N]) -> Transcript {
    let info = ExecutionInfo {
        execution_id: ID.to_string(),
        kind: "order".to_string(),
        task_time_ms: TASK_TIME_MS,
        extended: false,
        tolerant: true,
    };
    let mut t = Transcript { execution: Execution::new(info).unwrap() };
    t.answer(events);
    t
}

impl Transcript {
    fn commands(&self) -> Vec<String> {
        self.execution.commands().iter().map(describe).collect()
    }

    fn stops(mut self) -> Violation {
        let error = self.execution.poll_job().unwrap_err();
        self.stopped_by(error)
    }
}

fn task_line(kind: &str, id: &str) -> String {
    format!(r#"{{"type":"SCHEDULE_TASK","kind":"{kind}","input":null,"taskExecutionId":"{id}"}}"#)
}

#[test]
fn events_at_the_end_may_be_unclaimed_with_their_completions() {
    let history = || {
        [
            started("1"),
            scheduled("a", "t1"),
            timer_started("t"),
            timer_fired("t"),
            operation("o", "1"),
            signal("s", "2"),
        ]
    };
    let mut t = tolerant(history());
    t.job("start 1");
    t.waits("s");
    t.task("a");
    t.job("resolve 1 2");
    t.ends(Suspended, &[]);

    let mut t = tolerant(history());
    t.job("start 1");
    t.complete("7");
    t.ends(Completed, &[complete("7")]);
}

#[test]
fn event_that_was_passed_may_be_claimed_late_but_nothing_after_it() {
    let history = || [started("1"), scheduled("a", "t1"), timer_started("t"), timer_fired("t"), signal("s", "2")];
    let mut t = tolerant(history());
    t.job("start 1");
    t.waits("s");
    t.job("resolve 1 2");
    t.task("a");
    t.timer();
    t.ends(Suspended, &[]);

    let mut t = tolerant(history());
    t.job("start 1");
    t.waits("s");
    t.job("resolve 1 2");
    let error = t.execution.start_timer(0, 1).unwrap_err();
    assert_eq!(
        t.stopped_by(error).message,
        "Task type mismatch at event 2 (TASK_SCHEDULED): expected task \"a\", got timer \"timer-0\""
    );
}

#[test]
fn operation_that_was_passed_is_not_begun_late() {
    let history = || [started("1"), operation("o", "1"), timer_started("t"), signal("s", "2")];
    for begin in [true, false] {
        let mut t = tolerant(history());
        t.job("start 1");
        t.waits("s");
        t.job("resolve 1 2");
        let error = match begin {
            true => t.execution.begin_operation(0, "o").unwrap_err(),
            false => t.execution.start_timer(0, 1).unwrap_err(),
        };
        let got = if begin { "operation \"o\"" } else { "timer \"timer-0\"" };
        assert_eq!(
            t.stopped_by(error).message,
            format!("Operation name mismatch at event 2 (OPERATION_COMPLETED): expected an operation, got {got}")
        );
    }
}

#[test]
fn event_before_an_operation_that_was_passed_may_be_claimed_late() {
    let mut t = tolerant([started("1"), scheduled("a", "t1"), operation("o", "1"), signal("s", "2")]);
    t.job("start 1");
    t.waits("s");
    t.job("resolve 1 2");
    t.task("a");
    t.ends(Suspended, &[]);
}

#[test]
fn operation_does_not_claim_a_record_after_an_event_that_was_passed() {
    let mut t = tolerant([started("1"), scheduled("a", "t1"), signal("s", "2"), operation("o", "1")]);
    t.job("start 1");
    t.waits("s");
    t.job("resolve 1 2");
    let error = t.execution.begin_operation(0, "o").unwrap_err();
    assert_eq!(
        t.stopped_by(error).message,
        "Task type mismatch at event 2 (TASK_SCHEDULED): expected task \"a\", got operation \"o\""
    );
}

#[test]
fn other_values_are_still_violations() {
    let mut t = tolerant([started("1"), scheduled("a", "t1")]);
    t.job("start 1");
    let error = t.try_task("b");
    assert_eq!(
        t.stopped_by(error).message,
        "Task type mismatch at event 2 (TASK_SCHEDULED): expected task \"a\", got task \"b\""
    );
    let mut t = tolerant([started("1"), state_set("k", "1")]);
    t.job("start 1");
    let error = t.execution.clear_state("k").unwrap_err();
    assert_eq!(t.stopped_by(error).event_sequence, 2);
}

#[test]
fn outcome_must_be_the_same() {
    let mut t = tolerant([started("1"), failed("no")]);
    t.job("start 1");
    t.complete("7");
    assert_eq!(t.stops().event, "WORKFLOW_EXECUTION_FAILED");
    let mut t = tolerant([started("1"), completed("7")]);
    t.job("start 1");
    assert_eq!(t.stops().got, "the code waits");
}

#[test]
fn ids_of_timers_are_not_compared() {
    let mut t = tolerant([
        started("1"),
        timer_started("sleep-7"),
        timer_started("x"),
        timer_fired("x"),
        timer_fired("sleep-7"),
    ]);
    t.job("start 1");
    t.timer();
    t.timer();
    t.job("resolve 2 null");
    t.job("resolve 1 null");
    assert_eq!(t.commands(), [timer(0).replace("timer-0", "sleep-7"), timer(0).replace("timer-0", "x")]);
    t.ends(Suspended, &[]);
}

#[test]
fn cancelled_timers_are_claimed_in_any_order_skipped_or_only_counted() {
    let mut t = tolerant([
        started("1"),
        timer_started("a"),
        timer_started("b"),
        timer_started("c"),
        timer_cancelled("b"),
        timer_cancelled("b"),
        timer_cancelled("a"),
        scheduled("k", "t1"),
        task_completed("t1", "7"),
    ]);
    t.job("start 1");
    assert_eq!([t.timer(), t.timer(), t.timer()], [1, 2, 3]);
    assert_eq!([t.cancel(1), t.cancel(3), t.cancel(2)], [CancelEffect::Rejected; 3]);
    t.task("k");
    t.job("resolve 4 7");
    assert_eq!(t.commands()[3..], [cancel_timer("a"), cancel_timer("c"), cancel_timer("b"), task_line("k", "t1")]);
    t.ends(Suspended, &[cancel_timer("c")]);
}

#[test]
fn keys_are_cleared_in_any_order_and_again() {
    let mut t = tolerant([
        started("1"),
        state_set("a", "1"),
        state_set("b", "2"),
        state_cleared("x"),
        state_cleared("b"),
        state_cleared("a"),
        state_cleared("a"),
        state_set("c", "3"),
        state_cleared("y"),
    ]);
    t.job("start 1");
    t.set("a", "1");
    t.set("b", "2");
    t.execution.clear_all_state().unwrap();
    t.set("c", "3");
    assert_eq!(
        t.commands(),
        [set_state("a", "1"), set_state("b", "2"), clear_state("a"), clear_state("b"), set_state("c", "3")]
    );
    t.no_job();
    t.ends(Suspended, &[]);
}

#[test]
fn commands_without_an_event_are_counted_and_operations_not_executed() {
    let mut t = tolerant([started("1"), operation("known", "5"), completed("7")]);
    t.job("start 1");
    t.run("known");
    t.run("unknown");
    t.promise("p");
    t.job("resolve 1 5");
    t.set("k", "1");
    t.complete("7");
    t.no_job();
    assert_eq!(t.execution.poll_operation(), None);
    let all = [record("unknown", "null"), create_promise("p"), record("known", "5"), set_state("k", "1")];
    assert_eq!(t.commands(), all);
}

#[test]
fn operation_beyond_a_history_that_goes_on_is_executed() {
    let mut t = tolerant([started("1"), operation("known", "5")]);
    t.job("start 1");
    t.run("known");
    t.job("resolve 1 5");
    t.run("next");
    t.no_job();
    t.starts([2]);
    t.finishes(2, "6");
    t.job("resolve 2 6");
}

#[test]
fn missing_time_is_the_one_before_and_is_not_recorded() {
    let mut t = tolerant([
        started("1"),
        operation("$time", "1000"),
        timer_started("a"),
        timer_fired("a"),
        timer_started("b"),
        timer_fired("b"),
        completed("7"),
    ]);
    t.job("start 1");
    assert_eq!(t.execution.current_time_ms().unwrap(), 1000);
    t.timer();
    t.job("resolve 1 null");
    assert_eq!(t.execution.current_time_ms().unwrap(), 1000);
    assert_eq!(t.execution.current_time_ms().unwrap(), 1000);
    t.timer();
    t.job("resolve 2 null");
    assert_eq!(t.execution.current_time_ms().unwrap(), 1000);
    t.complete("7");
    t.ends(Completed, &[]);

    let mut t = tolerant([started("1"), timer_started("a"), timer_fired("a")]);
    t.job("start 1");
    assert_eq!(t.execution.current_time_ms().unwrap(), TASK_TIME_MS, "nothing is known");
    t.timer();
    t.job("resolve 1 null");
    assert_eq!(t.execution.current_time_ms().unwrap(), TASK_TIME_MS);
    t.ends(Suspended, &[record("$time", "5000")]);
}

#[test]
fn child_names_may_be_repeated() {
    let by_name = || event("CHILD_WORKFLOW_COMPLETED", r#"{"childExecutionName":"c","result":1}"#);
    let mut t = tolerant([
        started("1"),
        child_initiated("c", "mail", "c1"),
        child_initiated("c", "mail", "c2"),
        child_initiated("c", "mail", "c3"),
        child_completed("c", "c2", "2"),
        by_name(),
        by_name(),
    ]);
    t.job("start 1");
    for _ in 0..3 {
        t.named_child("mail", "c").unwrap();
    }
    t.job("resolve 2 2");
    t.job("resolve 1 1");
    t.job("resolve 3 1");
    t.ends(Suspended, &[]);
}

#[test]
fn cancelling_a_task_is_an_intent() {
    let mut t = tolerant([started("1"), scheduled("a", "t1"), task_cancelled("t1")]);
    t.job("start 1");
    t.task("a");
    assert_eq!(t.cancel(1), CancelEffect::Requested);
    t.job("reject 1 task a t1 cancelled: asked");
    assert_eq!(t.commands().len(), 2);
    assert!(t.commands()[1].starts_with(r#"{"type":"CANCEL_TASK","taskExecutionId":"t1""#));
    t.ends(Suspended, &[]);
}

#[test]
fn promises_and_patches_work_as_ever() {
    let mut t = tolerant([started("1"), promise_created("p", "p1"), promise_resolved("p", "p1", "7")]);
    t.job("start 1");
    assert!(t.execution.is_replaying());
    assert!(!t.execution.patched("tax").unwrap());
    t.promise("p");
    t.job("resolve 1 7");
    assert!(!t.execution.is_replaying());
    assert!(!t.execution.patched("tax").unwrap());
    assert!(t.execution.patched("vat").unwrap());
    assert_eq!(t.commands(), [create_promise("p")], "and not what the engine does for itself");
    t.ends(Suspended, &[record("$patch:vat", "true")]);
}

#[test]
fn strict_execution_keeps_no_list() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.set("k", "1");
    assert_eq!(t.commands(), Vec::<String>::new());
    assert_eq!(t.execution.state("k").unwrap(), Some(&json("1")));
}

#[test]
fn strict_execution_keeps_its_commands_where_that_is_asked_for() {
    let mut t = Transcript::of([started("1"), state_set("k", "1"), operation("o", "7")]);
    t.execution.keep_commands();
    t.job("start 1");
    t.set("k", "1");
    t.run("o");
    t.job("resolve 1 7");
    t.set("l", "2");
    assert_eq!(t.commands(), [set_state("k", "1"), record("o", "7"), set_state("l", "2")]);
    t.ends(Suspended, &[set_state("l", "2")]);
}
