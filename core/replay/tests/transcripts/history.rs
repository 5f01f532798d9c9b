use crate::{
    events::{event, operation, scheduled, started, suspended, task_completed, timer_fired, timer_started},
    support::{Transcript, numbered, timer},
};

#[test]
fn pages_overlap_without_harm() {
    let history = numbered(1, [started("1"), scheduled("a", "t1"), task_completed("t1", "1")]);
    let mut t = Transcript::open(true);
    t.execution.handle_events(&history[..2]).unwrap();
    assert_eq!(t.execution.last_sequence(), 2);
    t.execution.handle_events(&history).unwrap();
    assert_eq!(t.execution.last_sequence(), 3);
    t.job("start 1");
    t.task("a");
    t.job("resolve 1 1");
    t.suspends(&[]);
}

#[test]
fn gap_stops_the_execution() {
    let history = numbered(1, [started("1"), scheduled("a", "t1"), task_completed("t1", "1")]);
    let mut t = Transcript::open(true);
    t.execution.handle_events(&history[..1]).unwrap();
    let error = t.execution.handle_events(&history[2..]).unwrap_err();
    assert_eq!(error.code(), "HISTORY_GAP");
    assert_eq!(error.to_string(), "expected event 2 next, got event 3: fetch the history again from event 2");
    assert_eq!(t.execution.poll_job(), Err(error));
}

#[test]
fn unknown_events_and_suspensions_change_nothing() {
    let mut t = Transcript::of([
        started("1"),
        event("SOMETHING_NEW", "not even JSON"),
        timer_started("timer-0"),
        suspended(),
        event("TASK_PAUSED", "{}"),
        timer_fired("timer-0"),
        suspended(),
    ]);
    t.job("start 1");
    t.timer();
    t.job("resolve 1 null");
    t.timer();
    assert_eq!(t.execution.last_sequence(), 7);
    t.suspends(&[timer(1)]);
}

#[test]
fn history_must_have_a_start() {
    let mut t = Transcript::open(true);
    let error = t.execution.poll_job().unwrap_err();
    assert_eq!(error.to_string(), "event 0: expected at least WORKFLOW_STARTED before the first job, got no events");

    let mut t = Transcript::open(true);
    let error = t.try_answer([timer_started("timer-0")]).unwrap_err();
    assert_eq!(error.to_string(), "event 1: expected WORKFLOW_STARTED as the first event, got TIMER_STARTED");

    let mut t = Transcript::open(true);
    let error = t.try_answer([started("1"), started("1")]).unwrap_err();
    assert_eq!(error.to_string(), "event 2: expected WORKFLOW_STARTED as the first event only, got WORKFLOW_STARTED");
    assert_eq!(error.code(), "INVALID_HISTORY");
}

#[test]
fn event_without_its_fields_is_invalid() {
    let mut t = Transcript::open(true);
    let error = t.try_answer([started("1"), event("TIMER_FIRED", "{}")]).unwrap_err();
    assert_eq!(error.to_string(), "event 2: the field `timerId` is missing");
    assert_eq!(t.execution.poll_job(), Err(error));
}

#[test]
fn internal_operation_that_this_engine_does_not_know_is_named() {
    let mut t = Transcript::open(true);
    let error = t.try_answer([started("1"), operation("$later", "1")]).unwrap_err();
    assert_eq!(error.code(), "UNSUPPORTED");
    assert_eq!(
        error.to_string(),
        "unsupported: event 2 is the internal operation \"$later\", which this version of the engine cannot replay"
    );
    assert_eq!(t.execution.poll_job(), Err(error));
}
