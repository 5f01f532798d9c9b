use crate::{
    events::{
        event, operation, promise_created, scheduled, started, state_cleared, state_set, timer_fired, timer_started,
    },
    support::{IDS, Transcript, clear_state, create_promise, record, schedule, set_state, timer},
};
use flovyn_protocol::messages::WorkflowEvent;

/// One command of each type, and a partial submission of them all.
fn submitted() -> Transcript {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.task("a");
    t.timer();
    t.promise("p");
    t.set("k", "1");
    t.execution.clear_state("k").unwrap();
    t.run("o");
    t.no_job();
    t.starts([4]);
    t.finishes(4, "7");
    t.submits_partially(&[
        schedule("a", 0),
        timer(0),
        create_promise("p"),
        set_state("k", "1"),
        clear_state("k"),
        record("o", "7"),
    ]);
    t
}

fn answer() -> [WorkflowEvent; 6] {
    [
        scheduled("a", IDS[0]),
        timer_started("timer-0"),
        promise_created("p", "p1"),
        state_set("k", "1"),
        state_cleared("k"),
        operation("o", "7"),
    ]
}

fn assert_stale(mut t: Transcript, answer: [WorkflowEvent; 6], sequence: i32, got: &str) {
    let error = t.try_answer(answer).unwrap_err();
    assert_eq!(error.code(), "STALE");
    let text = error.to_string();
    assert!(text.starts_with(&format!("event {sequence}: expected {{\"type\":")), "{text}");
    assert!(text.contains(&format!(", got {got}: drop this execution")), "{text}");
    assert_eq!(t.execution.poll_job(), Err(error), "and nothing more");
    assert_eq!(t.execution.poll_operation(), None);
}

#[test]
fn own_events_in_order_go_on() {
    let mut t = submitted();
    t.answer(answer());
    t.job("resolve 4 7");
    t.suspends(&[]);
}

#[test]
fn landed_events_in_between_go_on() {
    let mut t = submitted();
    let [task, timer, promise, set, clear, record] = answer();
    t.answer([task, timer, timer_fired("timer-0"), promise, set, clear, record]);
    t.job("resolve 2 null");
    t.job("resolve 4 7");
    t.suspends(&[]);
}

#[test]
fn every_difference_is_stale() {
    for (index, event, got) in [
        (0, scheduled("b", IDS[0]), "TASK_SCHEDULED (task \"b\")"),
        (0, scheduled("a", IDS[1]), "TASK_SCHEDULED (task \"a\")"),
        (1, timer_started("timer-1"), "TIMER_STARTED (timer \"timer-1\")"),
        (2, promise_created("q", "p1"), "PROMISE_CREATED (promise \"q\")"),
        (3, state_set("l", "1"), "STATE_SET (set of state key \"l\")"),
        (3, state_cleared("k"), "STATE_CLEARED (clear of state key \"k\")"),
        (4, state_cleared("l"), "STATE_CLEARED (clear of state key \"l\")"),
        (5, operation("x", "7"), "OPERATION_COMPLETED (operation \"x\")"),
        (5, operation("o", "8"), "OPERATION_COMPLETED (operation \"o\")"),
    ] {
        let mut answer = answer();
        answer[index] = event;
        assert_stale(submitted(), answer, index as i32 + 2, got);
    }
}

#[test]
fn other_order_is_stale() {
    let mut answer = answer();
    answer.swap(0, 1);
    assert_stale(submitted(), answer, 2, "TIMER_STARTED (timer \"timer-0\")");
}

#[test]
fn one_event_too_few_is_stale() {
    let mut t = submitted();
    let [first, second, third, fourth, fifth, _] = answer();
    t.answer([first, second, third, fourth, fifth]);
    let error = t.execution.poll_job().unwrap_err();
    assert_eq!(error.code(), "STALE");
    assert!(error.to_string().contains("got the end of the answer"));
}

#[test]
fn one_event_too_many_is_stale() {
    let mut t = submitted();
    t.answer(answer());
    let error = t.try_answer([timer_started("timer-1")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "event 8: expected no further command event, got TIMER_STARTED (timer \"timer-1\"): \
         drop this execution and replay its complete history"
    );
    assert_eq!(t.execution.poll_job(), Err(error));
}

#[test]
fn command_event_without_a_submission_is_stale() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.no_job();
    let error = t.try_answer([timer_started("timer-0")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "event 2: expected no command event, since no submission is under way, \
         got TIMER_STARTED (timer \"timer-0\"): drop this execution and replay its complete history"
    );
}

#[test]
fn execution_that_somebody_else_ended_is_stale() {
    let mut t = submitted();
    t.answer(answer());
    let error = t.try_answer([event("WORKFLOW_CANCELLED", r#"{"reason":"forced"}"#)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "event 8: expected an execution that has not ended, got WORKFLOW_CANCELLED: \
         drop this execution and replay its complete history"
    );
    assert_eq!(t.execution.poll_job(), Err(error));
}
