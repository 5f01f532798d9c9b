//! A suspended execution goes on in the next activation without a replay.

use crate::{
    events::{
        child_cancellation, child_initiated, completed, event, operation, promise_created, scheduled, signal, started,
        state_set, suspended, task_cancellation, task_completed, timer_cancelled, timer_fired, timer_started,
    },
    support::{
        IDS, Transcript, cancel_child, cancel_task, cancel_timer, complete, numbered, record, schedule, set_state,
        signals, start_child, timer,
    },
};
use flovyn_protocol::messages::WorkflowEvent;
use flovyn_replay::{Resumption, Step};

const LATER: Resumption = Resumption { task_time_ms: 6000, extended: true };

#[test]
fn execution_goes_on_where_it_was() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    assert_eq!(t.execution.current_time_ms().unwrap(), 5000);
    t.task("a");
    t.continues(
        &[record("$time", "5000"), schedule("a", 0)],
        [operation("$time", "5000"), scheduled("a", IDS[0]), suspended(), task_completed(IDS[0], "7")],
    );
    assert!(!t.execution.is_replaying());
    t.job("resolve 1 7");
    assert_eq!(t.execution.current_time_ms().unwrap(), 6000, "the time of the new activation");
    t.complete("7");
    t.no_job();
    let submission = t.execution.take_submission(None).unwrap();
    assert_eq!(crate::support::lines(&submission), [record("$time", "6000"), complete("7")]);
    assert_eq!((submission.submission_number, submission.after_sequence), (1, 5));
    assert_eq!(t.execution.resume(LATER).unwrap_err().code(), "OUT_OF_ORDER");
}

#[test]
fn submissions_are_numbered_from_one_again_and_partial_ones_follow() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.waits("s");
    t.continues(&[signals(0)], [signal("s", "1"), operation("$signals", "0")]);
    t.job("resolve 1 1");
    t.run("op");
    t.no_job();
    t.starts([2]);
    t.finishes(2, "7");
    let submission = t.submits_partially(&[record("op", "7")]);
    assert_eq!((submission.submission_number, submission.after_sequence), (1, 3));
    t.answer([operation("op", "7")]);
    t.job("resolve 2 7");
    t.waits("s");
    t.continues(&[], [suspended(), signal("s", "2")]);
    t.job("resolve 3 2");
    t.suspends(&[]);
}

#[test]
fn events_that_are_held_already_are_skipped() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.timer();
    t.no_job();
    t.execution.take_submission(None).unwrap();
    t.execution.resume(LATER).unwrap();
    let all = numbered(1, [started("1"), timer_started("timer-0"), timer_fired("timer-0")]);
    t.execution.handle_events(&all).unwrap();
    t.job("resolve 1 null");
    t.suspends(&[]);
}

#[test]
fn only_a_suspended_execution_can_be_continued() {
    let mut t = Transcript::of([started("1")]);
    let text = t.execution.resume(LATER).unwrap_err().to_string();
    assert_eq!(text, "resume: the execution has not started: call poll_job first");
    t.job("start 1");
    assert_eq!(t.execution.resume(LATER).unwrap_err().code(), "OUT_OF_ORDER");
    t.complete("7");
    t.no_job();
    assert_eq!(t.execution.resume(LATER).unwrap_err().code(), "OUT_OF_ORDER");
    t.execution.take_submission(None).unwrap();
    let text = t.execution.resume(LATER).unwrap_err().to_string();
    assert_eq!(text, "resume: the last submission was taken and has ended the execution");
}

#[test]
fn nothing_goes_on_before_the_events_have_come() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.timer();
    t.no_job();
    t.execution.take_submission(None).unwrap();
    t.execution.resume(LATER).unwrap();
    assert_eq!(t.execution.poll_operation(), None);
    let error = t.execution.poll_job().unwrap_err();
    assert_eq!(error.code(), "STALE");
    assert!(error.to_string().contains("got the end of the answer"), "{error}");
    assert_eq!(t.execution.resume(LATER), Err(error));
}

/// One command of each kind that is compared.
fn submitted() -> Transcript {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), scheduled("old", "t0")]);
    t.job("start 1");
    t.timer();
    t.task("old");
    t.task("a");
    t.child("mail");
    t.promise("p");
    t.cancel(1);
    t.cancel(2);
    t.cancel(4);
    t.set("k", "1");
    t.execution.patched("tax").unwrap();
    t.no_job();
    let submission = t.execution.take_submission(None).unwrap();
    assert_eq!(
        crate::support::lines(&submission),
        [
            schedule("a", 1),
            start_child("mail-1", "mail", 2),
            crate::support::create_promise("p"),
            cancel_timer("timer-0"),
            cancel_task("t0"),
            cancel_child("mail-1", IDS[2]),
            set_state("k", "1"),
            record("$patch:tax", "true"),
        ]
    );
    t.execution.resume(LATER).unwrap();
    t
}

fn answer() -> [WorkflowEvent; 8] {
    [
        scheduled("a", IDS[1]),
        child_initiated("mail-1", "mail", IDS[2]),
        promise_created("p", "p1"),
        timer_cancelled("timer-0"),
        task_cancellation("t0"),
        child_cancellation("mail-1"),
        state_set("k", "1"),
        operation("$patch:tax", "true"),
    ]
}

#[test]
fn the_same_commands_go_on() {
    let mut t = submitted();
    t.answer(answer());
    t.no_job();
    t.suspends(&[]);
}

#[test]
fn every_difference_is_stale() {
    for (index, event) in [
        (0, scheduled("b", IDS[1])),
        (0, scheduled("a", IDS[0])),
        (1, child_initiated("mail-2", "mail", IDS[2])),
        (1, child_initiated("mail-1", "print", IDS[2])),
        (1, child_initiated("mail-1", "mail", IDS[1])),
        (2, promise_created("q", "p1")),
        (3, timer_cancelled("timer-1")),
        (4, task_cancellation("t1")),
        (5, child_cancellation("mail-2")),
        (6, state_set("l", "1")),
        (7, operation("$patch:tax", "false")),
        (7, operation("$patch:vat", "true")),
    ] {
        let mut answer = answer();
        answer[index] = event;
        let mut t = submitted();
        let error = t.try_answer(answer).unwrap_err();
        assert_eq!(error.code(), "STALE");
        assert!(error.to_string().starts_with(&format!("event {}: expected {{\"type\":", index + 4)), "{error}");
        assert_eq!(t.execution.poll_job(), Err(error), "and nothing more");
    }
}

#[test]
fn neighbours_in_other_order_are_stale() {
    for index in 0..7 {
        let mut answer = answer();
        answer.swap(index, index + 1);
        assert_eq!(submitted().try_answer(answer).unwrap_err().code(), "STALE", "{index}");
    }
}

#[test]
fn one_event_too_few_is_stale_and_so_is_one_too_many() {
    let [first, second, third, fourth, fifth, sixth, seventh, _] = answer();
    let mut t = submitted();
    t.answer([first, second, third, fourth, fifth, sixth, seventh]);
    assert_eq!(t.execution.poll_job().unwrap_err().code(), "STALE");
    let mut t = submitted();
    t.answer(answer());
    let error = t.try_answer([timer_started("timer-1")]).unwrap_err();
    assert!(error.to_string().starts_with("event 12: expected no further command event, got TIMER_STARTED"), "{error}");
}

#[test]
fn execution_that_somebody_ended_is_stale() {
    let mut t = submitted();
    let error = t.try_answer([completed("1")]).unwrap_err();
    assert!(error.to_string().starts_with("event 4: expected an execution that has not ended, got"), "{error}");
}

#[test]
fn plain_server_may_leave_no_event_of_a_cancelled_child() {
    let child = || child_initiated("mail-1", "mail", "c1");
    let recorded = || operation("$cancel:mail-1", "true");
    for answer in [
        vec![recorded(), timer_started("timer-0")],
        vec![child_cancellation("mail-1"), recorded(), timer_started("timer-0")],
    ] {
        let mut t = Transcript::open(false);
        t.answer([started("1"), child()]);
        t.job("start 1");
        t.child("mail");
        t.cancel(1);
        t.timer();
        t.no_job();
        let submission = t.execution.take_submission(None).unwrap();
        let recorded = record("$cancel:mail-1", "true");
        assert_eq!(crate::support::lines(&submission), [cancel_child("mail-1", "c1"), recorded, timer(0)]);
        t.execution.resume(Resumption { task_time_ms: 6000, extended: false }).unwrap();
        t.execution.handle_events(&numbered(3, answer)).unwrap();
        t.no_job();
        assert_eq!(t.execution.next_step(), Step::SubmitFinal);
    }
}

#[test]
fn memory_and_history_are_told() {
    let mut t = Transcript::of([started("1")]);
    let first = t.execution.history_bytes();
    assert_eq!(first, started("1").event_data.len() as u64);
    t.job("start 1");
    let before = t.execution.memory_bytes();
    t.set("k", &format!("\"{}\"", "x".repeat(10_000)));
    assert!(t.execution.memory_bytes() >= before + 10_000);
    t.execution.clear_state("k").unwrap();
    assert!(t.execution.memory_bytes() < before + 1000);
    t.no_job();
    t.execution.take_submission(None).unwrap();
    t.execution.resume(LATER).unwrap();
    let value = format!("\"{}\"", "x".repeat(10_000));
    t.answer([
        event("STATE_SET", &format!(r#"{{"key":"k","value":{value}}}"#)),
        event("STATE_CLEARED", r#"{"key":"k"}"#),
        signal("s", &value),
    ]);
    assert!(t.execution.memory_bytes() >= before + 10_000, "a signal that was not told yet");
    t.no_job();
    assert!(t.execution.memory_bytes() >= before + 10_000, "a signal in its queue");
    assert!(t.execution.history_bytes() > first + 20_000);
    t.ends(flovyn_protocol::messages::WorkflowStatus::Suspended, &[]);
}

#[test]
fn memory_is_given_back_with_each_value() {
    let value = format!("\"{}\"", "x".repeat(10_000));
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    let before = t.execution.memory_bytes();
    let holds = |t: &Transcript, values: usize| {
        let more = t.execution.memory_bytes() - before;
        assert!((values * 10_000..values * 10_000 + 2_000).contains(&more), "{more} bytes for {values} values");
    };
    t.set("a", &value);
    t.set("b", &value);
    holds(&t, 2);
    t.execution.clear_state("a").unwrap();
    holds(&t, 1);
    t.execution.clear_state("b").unwrap();
    t.waits("t");
    t.no_job();
    t.execution.take_submission(None).unwrap();
    t.execution.resume(LATER).unwrap();
    t.answer([
        event("STATE_SET", r#"{"key":"a","value":1}"#),
        event("STATE_SET", r#"{"key":"b","value":1}"#),
        event("STATE_CLEARED", r#"{"key":"a"}"#),
        event("STATE_CLEARED", r#"{"key":"b"}"#),
        signal("s", &value),
        signal("s", &value),
        signal("s", &value),
        signal("t", "7"),
    ]);
    t.job("resolve 1 7");
    holds(&t, 3);
    t.takes("s", &value);
    holds(&t, 2);
    assert_eq!(t.execution.drain_signals("s").unwrap().len(), 2);
    holds(&t, 0);
}

#[test]
fn plain_server_leaves_every_other_event() {
    let mut t = Transcript::open(false);
    t.answer([started("1"), child_initiated("mail-1", "mail", "c1")]);
    t.job("start 1");
    t.child("mail");
    t.cancel(1);
    t.timer();
    t.no_job();
    t.execution.take_submission(None).unwrap();
    t.execution.resume(Resumption { task_time_ms: 6000, extended: false }).unwrap();
    t.answer([child_cancellation("mail-1"), operation("$cancel:mail-1", "true")]);
    assert_eq!(t.execution.poll_job().unwrap_err().code(), "STALE", "the timer is missing");
}
