//! Requests that tasks stop, in histories that were partly written on servers that do not know such requests.

use crate::{
    events::{completed, scheduled, started, suspended, task_cancellation, task_completed, timer_fired, timer_started},
    support::{Transcript, cancel_task, complete, timer},
};
use flovyn_protocol::messages::WorkflowStatus::Completed;
use flovyn_replay::{CancelEffect, Handle, ScheduleTask};

impl Transcript {
    fn refuses_to_cancel(&mut self, task: Handle) {
        assert_eq!(self.execution.cancel(task, None).unwrap_err().code(), "UNSUPPORTED");
    }
}

#[test]
fn request_that_was_refused_is_refused_again_by_a_replay() {
    let mut t = Transcript::of([
        started("1"),
        scheduled("a", "t1"),
        timer_started("timer-0"),
        suspended(),
        timer_fired("timer-0"),
    ]);
    t.job("start 1");
    t.task("a");
    t.refuses_to_cancel(1);
    t.timer();
    t.job("resolve 2 null");
    t.timer();
    assert_eq!(t.cancel(1), CancelEffect::Requested, "which does not count as made");
    assert_eq!(t.cancel(1), CancelEffect::None);
    t.suspends(&[timer(1), cancel_task("t1")]);
}

#[test]
fn request_is_found_by_its_task() {
    let mut t = Transcript::of([
        started("1"),
        scheduled("a", "t1"),
        scheduled("b", "t2"),
        scheduled("c", "t3"),
        suspended(),
        task_cancellation("t3"),
        task_cancellation("t2"),
        suspended(),
    ]);
    t.job("start 1");
    t.task("a");
    t.task("b");
    t.task("c");
    t.refuses_to_cancel(1);
    assert_eq!(t.cancel(2), CancelEffect::Requested);
    assert_eq!(t.cancel(3), CancelEffect::Requested);
    assert!(!t.execution.is_replaying());
    t.suspends(&[]);
}

#[test]
fn request_that_was_made_must_be_made_again() {
    let mut t = Transcript::of([started("1"), scheduled("a", "t1"), scheduled("b", "t2"), task_cancellation("t2")]);
    t.job("start 1");
    t.task("a");
    t.task("b");
    t.refuses_to_cancel(1);
    assert_eq!(t.violates().event_sequence, 4);
}

#[test]
fn requests_of_a_replay_on_a_plain_server_are_refused_but_those_of_the_history() {
    let mut t = Transcript::open(false);
    t.answer([started("1"), scheduled("a", "t1"), scheduled("b", "t2"), task_cancellation("t2"), suspended()]);
    t.job("start 1");
    t.task("a");
    t.task("b");
    t.refuses_to_cancel(1);
    assert_eq!(t.cancel(2), CancelEffect::Requested);
    t.suspends(&[]);
}

#[test]
fn nobody_is_asked_in_a_history_that_has_ended() {
    let mut t = Transcript::of([started("1"), scheduled("a", "t1"), completed("7")]);
    t.job("start 1");
    let scope = t.execution.open_scope(0, true).unwrap();
    let task = ScheduleTask { scope, kind: "a".to_string(), ..ScheduleTask::default() };
    t.execution.schedule_task(task).unwrap();
    assert_eq!(t.execution.cancel_scope(scope).unwrap(), [1]);
    t.complete("7");
    t.ends(Completed, &[]);
}

#[test]
fn request_of_the_last_turn_is_made_again_where_it_is_known_now() {
    let mut t = Transcript::of([started("1"), scheduled("a", "t1"), scheduled("b", "t2"), task_completed("t2", "1")]);
    t.job("start 1");
    t.task("a");
    t.task("b");
    assert_eq!(t.cancel(1), CancelEffect::Requested);
    t.job("resolve 2 1");
    t.complete("2");
    t.ends(Completed, &[cancel_task("t1"), complete("2")]);
}
