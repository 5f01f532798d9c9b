use crate::{
    events::{started, timer_fired, timer_started},
    support::{Transcript, complete, timer},
};
use flovyn_protocol::messages::WorkflowStatus::Completed;

#[test]
fn timers_are_numbered_from_zero() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    assert_eq!(t.timer(), 1);
    assert_eq!(t.timer(), 2);
    t.suspends(&[timer(0), timer(1)]);
}

#[test]
fn fired_timer_resolves_its_handle_with_null() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), timer_fired("timer-0")]);
    t.job("start 1");
    t.timer();
    t.job("resolve 1 null");
    t.timer();
    t.suspends(&[timer(1)]);
}

#[test]
fn zero_and_negative_durations_are_sent_as_they_are() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.execution.start_timer(0, 0).unwrap();
    t.execution.start_timer(0, -5).unwrap();
    t.suspends(&[
        r#"{"type":"START_TIMER","timerId":"timer-0","durationMs":0}"#.to_string(),
        r#"{"type":"START_TIMER","timerId":"timer-1","durationMs":-5}"#.to_string(),
    ]);
}

#[test]
fn changed_duration_is_no_violation() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), timer_fired("timer-0")]);
    t.job("start 1");
    t.execution.start_timer(0, 86_400_000).unwrap();
    t.job("resolve 1 null");
    t.complete("null");
    t.ends(Completed, &[complete("null")]);
}

#[test]
fn timer_fires_once() {
    let mut t =
        Transcript::of([started("1"), timer_started("timer-0"), timer_fired("timer-0"), timer_fired("timer-0")]);
    t.job("start 1");
    t.timer();
    t.job("resolve 1 null");
    t.suspends(&[]);
}
